"""One thread for calls that may take long: what is asked first is also answered first."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TypeVar

Answer = TypeVar("Answer")


class Clerk:
    """A thread that makes calls in their turn.

    Unlike an executor's, it ends with the program, whatever it waits for then: a database may never answer.
    """

    def __init__(self, name: str) -> None:
        self._line: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._leaves = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def ask(self, call: Callable[[], Answer]) -> "Future[Answer]":
        """Puts a call in line; the future has its answer, or what it raised."""
        future: Future[Answer] = Future()

        def make() -> None:
            if self._leaves or not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(call())
            except BaseException as error:  # noqa: BLE001 - it is the caller's
                future.set_exception(error)

        self._line.put(make)
        return future

    def leave(self, seconds: float) -> None:
        """Waits at most so long for the call that is under way; those in line are not made any more."""
        self._leaves = True
        self._line.put(None)
        self._thread.join(seconds)

    def _work(self) -> None:
        while make := self._line.get():
            make()
