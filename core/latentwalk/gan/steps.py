"""Work that is done in steps, between any two of which it may be left."""

from collections.abc import Callable, Generator
from typing import ParamSpec, TypeAlias, TypeVar

T = TypeVar("T")
P = ParamSpec("P")

Steps: TypeAlias = Generator[None, None, T]
"""Yields after each step, and returns what comes of them all."""


def finish(steps: Steps[T]) -> T:
    """Takes all the steps at once. Raises what they raise."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def one_step(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Steps[T]:
    """A call, as the only step."""
    yield
    return call(*args, **kwargs)
