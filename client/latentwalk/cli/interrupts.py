"""What Ctrl-C must not tear."""

import signal
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def without_interrupts() -> Generator[None]:
    """Has Ctrl-C do nothing within the context, which is soon left: such as a second one, in the clean-up after one."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
