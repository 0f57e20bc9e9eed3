"""Signals that end a service. Only the standard library is imported: a program begins with this."""

import os
import signal
from types import FrameType


def ending() -> tuple[signal.Signals, ...]:
    """SIGTERM, SIGINT, and SIGHUP but where it is ignored, as under nohup."""
    hangs_up = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN
    return (signal.SIGTERM, signal.SIGINT, *([signal.SIGHUP] if hangs_up else []))


def end_at_once() -> None:
    """From now on such a signal ends the process with 128 + its number, as a shell says it. For the main thread.

    For a service that serves nobody yet, or any more. An exception may be lost where the interpreter lets none out,
    such as among imports, and without a handler the first process of a container hears no SIGTERM at all.
    """
    for number in ending():
        signal.signal(number, _leave)


def _leave(number: int, _frame: FrameType | None) -> None:
    os._exit(128 + number)
