"""Imported by the fork server alone: a fork whose service ends before it has said what to run has nothing to tell.

It would print a traceback among the last lines of that service, one or another as it had been told nothing or half.
"""

import sys
from types import TracebackType

_TOLD_TOO_LITTLE = ("EOFError", "UnpicklingError")  # by name: what would unpickle is imported nowhere


def _tell(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    # What a process raises that was told all is not heard of here: multiprocessing prints that itself.
    if kind.__name__ not in _TOLD_TOO_LITTLE:
        sys.__excepthook__(kind, error, traceback)


sys.excepthook = _tell
