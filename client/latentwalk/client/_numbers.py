"""Whole numbers on their way to the wire: refused here by name, not by protobuf without one."""

import operator
from typing import Any

from latentwalk.client._errors import InvalidRequest

UINT32 = 2**32 - 1
UINT64 = 2**64 - 1


def whole(field: str, value: Any, *, high: int = UINT32) -> int:
    """`value` as an int from 0 to `high`; numpy's integers are welcome. InvalidRequest for anything else."""
    try:
        number = operator.index(value)
    except TypeError:
        raise InvalidRequest.of(field, f"{value!r} is not a whole number") from None
    if not 0 <= number <= high:
        raise InvalidRequest.of(field, f"{number} is not from 0 to {high}")
    return number
