"""The coordinates of amounts in which a walk is straight."""

import math
from typing import Protocol, TypeVar

from torch import Tensor

Number = TypeVar("Number", float, Tensor)


class Coordinate(Protocol):
    """A change of the coordinate of an amount, of one number or of a tensor of them."""

    def __call__(self, value: Number, /) -> Number:
        """The other coordinate."""
        ...


def same(value: Number, /) -> Number:
    """The amount itself."""
    return value


def log(value: Number, /) -> Number:
    """The logarithm, for amounts that are factors."""
    if isinstance(value, Tensor):
        return value.log()
    return math.log(value)


def exp(value: Number, /) -> Number:
    """The inverse of log."""
    if isinstance(value, Tensor):
        return value.exp()
    return math.exp(value)
