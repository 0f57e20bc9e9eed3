"""The id of a request, and one line in the log for each."""

import asyncio
import logging
import re
import secrets
from collections import defaultdict
from functools import partial
from time import perf_counter
from typing import Any

import grpc

from latentwalk.rpc import logs
from latentwalk.rpc.caller import caller
from latentwalk.rpc.interceptors.layers import Behaviour, Call, Context, Layer, Method
from latentwalk.rpc.interceptors.outcome import outcome

REQUEST_ID_KEY = "x-request-id"

_VALID_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_SECONDS_BETWEEN_REFUSALS = 1.0
_log = logging.getLogger("latentwalk.access")


class AccessLayer(Layer):
    """Takes `x-request-id` from the caller, or makes one, returns it in the trailing metadata, and logs the call.

    The log has method, code, seconds, caller and peer, of what fails also what its caller was told, and never the value
    of any metadata. Of the calls of a method that end in RESOURCE_EXHAUSTED there is one line a second, with how many
    were left out before it: to write them all would take the time that it takes to refuse.
    """

    def __init__(self) -> None:
        self._refusals: defaultdict[Method, _Refusals] = defaultdict(_Refusals)

    async def around(self, call: Call, request: Any, context: Context, proceed: Behaviour) -> Any:
        """Runs the call under its id."""
        if call.method.is_infrastructure:
            return await proceed(request, context)
        identifier = _request_id(call)
        logs.request_id.set(identifier)
        started = perf_counter()
        try:
            # Not in the initial metadata, which would be a write of its own for each picture.
            context.set_trailing_metadata(((REQUEST_ID_KEY, identifier),))
            reply = await proceed(request, context)
        except grpc.aio.InternalError as gone:
            self._tell(call, context, gone, started)
            # A write has found the connection broken before gRPC told of it; as it is, gRPC would log a fault.
            raise asyncio.CancelledError from gone
        except BaseException as error:
            self._tell(call, context, error, started)
            raise
        self._tell(call, context, None, started)
        return reply

    def _tell(self, call: Call, context: Context, error: BaseException | None, started: float) -> None:
        now, code, more = perf_counter(), outcome(context, error), dict[str, str | int]()
        if code is not grpc.StatusCode.OK and (told := context.details()):
            more["error"] = told
        if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
            if (left_out := self._refusals[call.method].left_out_before(now)) is None:
                return
            more["left_out"] = left_out
        fields = logs.fields(
            method=str(call.method),
            code=code.name,
            seconds=round(now - started, 6),
            caller=caller.get(),
            peer=context.peer(),
            **more,
        )
        # Written when the reply is on its way: the caller need not wait for that.
        asyncio.get_running_loop().call_soon(partial(_log.info, "rpc", extra=fields))


class _Refusals:
    """Those calls of one method that end in RESOURCE_EXHAUSTED."""

    def __init__(self) -> None:
        self._told = float("-inf")
        self._left_out = 0

    def left_out_before(self, now: float) -> int | None:
        """How many had no line since the last one; None if this one has none either."""
        if now - self._told < _SECONDS_BETWEEN_REFUSALS:
            self._left_out += 1
            return None
        left_out, self._told, self._left_out = self._left_out, now, 0
        return left_out


def _request_id(call: Call) -> str:
    given = next((value for key, value in call.metadata if key == REQUEST_ID_KEY), None)
    return given if isinstance(given, str) and _VALID_ID.fullmatch(given) else secrets.token_hex(16)
