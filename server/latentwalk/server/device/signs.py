"""Signs of life: while the device's process is at something that may take minutes, it says so again and again.

Else nobody could tell a large model that is measured from a process that stands still.
"""

from collections.abc import Generator
from contextlib import contextmanager, suppress
from threading import Event, Thread

from latentwalk.server.device.line import Line, Message

_SIGN = Message({"sign": "of life"})
SECONDS = 1.0
"""From one to the next."""


@contextmanager
def given(line: Line) -> Generator[None]:
    """Within the context, in which nothing else is sent, the other end hears that this one is still there."""
    done = Event()

    def give() -> None:
        with suppress(OSError):  # the other end has gone, as whoever uses the line will notice
            while not done.wait(SECONDS):
                line.send(_SIGN)

    thread = Thread(target=give, name="signs of life", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def after(line: Line) -> Message:
    """The next message that is none of them. Raises as `line.receive` does."""
    while (message := line.receive()).words == _SIGN.words:
        pass
    return message
