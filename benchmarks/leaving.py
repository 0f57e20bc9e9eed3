"""How a script ends when it is told to."""

import signal
import sys


def leave_in_order() -> None:
    """From now on SIGTERM ends this script as an exception would: the servers that it has started end with it."""
    signal.signal(signal.SIGTERM, _leave)


def _leave(number: int, _: object) -> None:
    # A second one must not break off the ending of the servers.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(128 + number)
