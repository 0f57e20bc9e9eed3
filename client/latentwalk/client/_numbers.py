"""Numbers on their way to the wire: refused here by name, not by protobuf without one."""

import math
import operator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentwalk.client._errors import InvalidRequest
from latentwalk.client._values import elements

INT32 = 2**31 - 1
UINT32 = 2**32 - 1
UINT64 = 2**64 - 1

# What numpy calls truth values, whole numbers, others, and objects, among which may be numbers of any size.
_REAL_KINDS = "biufO"


def whole(field: str, value: Any, *, low: int = 0, high: int = UINT32) -> int:
    """`value` as an int from `low` to `high`; numpy's integers are welcome. InvalidRequest for anything else."""
    try:
        number = operator.index(value)
    except TypeError:
        raise InvalidRequest.of(field, f"{value!r} is not a whole number") from None
    if not low <= number <= high:
        raise InvalidRequest.of(field, f"{number} is not from {low} to {high}")
    return number


def count(field: str, value: Any) -> int:
    """As `whole`, from 1 on; None is 0, by which the wire leaves a number to the service."""
    return 0 if value is None else whole(field, value, low=1)


def wholes(field: str, values: Any) -> list[int]:
    """Several, each as `whole`."""
    listed = elements(field, values, "a list of whole numbers")
    return [whole(f"{field}[{index}]", value) for index, value in enumerate(listed)]


def number(field: str, value: Any) -> float:
    """`value` as a float; numpy's numbers are welcome. InvalidRequest for anything else, and for text that looks so."""
    try:
        return math.ldexp(value, 0)
    except (TypeError, OverflowError):
        raise InvalidRequest.of(field, f"{value!r} is not a number") from None


def numbers(field: str, values: Any, dtype: str) -> NDArray[Any]:
    """`values` as an array of real numbers, of any shape. InvalidRequest for anything else, text included."""
    try:
        array = np.asarray(values)
        if array.dtype.kind in _REAL_KINDS:
            return array.astype(dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidRequest.of(field, f"not an array of numbers: {error}") from None
    raise InvalidRequest.of(field, f"not an array of numbers: {array.dtype}")


def number_or_none(field: str, value: Any) -> float | None:
    """As `number`; None leaves it to the service."""
    return None if value is None else number(field, value)
