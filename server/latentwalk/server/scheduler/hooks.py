"""Whom the scheduler tells of what it does."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hooks:
    """Called on the event loop; by default, nobody is told of anything."""

    on_batch: Callable[[int, float], object] = lambda pictures, seconds: None
    """A batch of so many pictures took the device so many seconds."""
    on_dropped: Callable[[int], object] = lambda pictures: None
    """So many waiting pictures were dropped because nobody wants them any more."""
    on_refused: Callable[[], object] = lambda: None
    """A newcomer was refused because of load."""
    on_reuse: Callable[[int, int, int], object] = lambda kept, shared, drawn: None
    """So many pictures were kept from earlier, were being drawn for somebody else, had to be drawn."""
    on_device: Callable[[bool], object] = lambda works: None
    """Whether the device works: False whenever it is found to hang, and when a batch finds it lost; True when it works
    again, or was found."""
