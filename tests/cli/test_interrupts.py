"""What Ctrl-C must not tear."""

import signal
from collections.abc import Iterator

import pytest

from latentwalk.cli.interrupts import without_interrupts


@pytest.fixture(autouse=True)
def _interruptible() -> Iterator[None]:
    """A suite that a shell has put into the background ignores Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_does_nothing_until_the_end_of_what_it_must_not_tear():
    with without_interrupts():
        signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
