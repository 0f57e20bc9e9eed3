"""How much one client may ask for: so many calls per second, and so many at once."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from latentwalk.rpc.caller import caller
from latentwalk.rpc.errors import RateLimited
from latentwalk.rpc.interceptors.layers import Behaviour, Call, Context, Layer

# Of clients that have no call under way; a client that is forgotten begins afresh.
_MOST_REMEMBERED = 10_000
# When a call of the client will end, nobody knows.
_RETRY_SECONDS_IN_FLIGHT = 0.5


@dataclass(slots=True)
class _Account:
    """A token bucket, and the calls under way."""

    allowance: float
    updated: float
    running: int = 0


class LimitLayer(Layer):
    """Refuses, at once, what a client asks for beyond its limits; health checks and reflection are free.

    Args:
        per_second: calls that one client may begin per second; 0 for any number.
        burst: calls that it may begin at once after a pause; 0 for a second's worth, but at least one.
        in_flight: calls that it may have under way; 0 for any number.
        clock: seconds that only ever grow.

    """

    def __init__(
        self, per_second: float, burst: int, in_flight: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_second = per_second
        self._burst = float(burst or max(1.0, per_second))
        self._in_flight = in_flight
        self._clock = clock
        self._busy: dict[str, _Account] = {}
        self._idle: OrderedDict[str, _Account] = OrderedDict()

    async def around(self, call: Call, request: Any, context: Context, proceed: Behaviour) -> Any:
        """Raises RateLimited."""
        if call.method.is_infrastructure:
            return await proceed(request, context)
        name = caller.get()
        self.enter(name)
        try:
            return await proceed(request, context)
        finally:
            self.leave(name)

    def enter(self, name: str) -> None:
        """Counts a call of that client in. Raises RateLimited."""
        account = self._account(name)
        if self._in_flight and account.running >= self._in_flight:
            raise RateLimited(
                f"{name} has {account.running:,} calls under way, which is the most (calls_in_flight)",
                _RETRY_SECONDS_IN_FLIGHT,
            )
        if self._per_second:
            self._spend(name, account)
        account.running += 1
        self._idle.pop(name, None)
        self._busy[name] = account

    def leave(self, name: str) -> None:
        """Counts it out."""
        account = self._busy[name]
        account.running -= 1
        if account.running == 0:
            del self._busy[name]
            self._remember(name, account)

    @property
    def clients(self) -> int:
        """How many clients are remembered."""
        return len(self._busy) + len(self._idle)

    def _account(self, name: str) -> _Account:
        known = self._busy.get(name) or self._idle.get(name)
        return known or _Account(self._burst, self._clock())

    def _spend(self, name: str, account: _Account) -> None:
        now = self._clock()
        account.allowance = min(self._burst, account.allowance + (now - account.updated) * self._per_second)
        account.updated = now
        if account.allowance < 1:
            raise RateLimited(
                f"{name} makes more than {self._per_second:g} calls per second (calls_per_second)",
                (1 - account.allowance) / self._per_second,
            )
        account.allowance -= 1

    def _remember(self, name: str, account: _Account) -> None:
        self._idle[name] = account
        if len(self._idle) > _MOST_REMEMBERED:
            self._idle.popitem(last=False)
