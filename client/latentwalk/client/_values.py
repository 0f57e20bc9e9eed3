"""Words, switches and lists on their way to the wire: refused here by name, not by protobuf without one."""

from typing import Any, TypeVar

import numpy as np

from latentwalk.client._errors import InvalidRequest

T = TypeVar("T")


def text(field: str, value: Any) -> str:
    """`value` if it is text that the wire can carry. InvalidRequest for anything else."""
    given = instance(field, value, str)
    try:
        given.encode()
    except UnicodeEncodeError:
        raise InvalidRequest.of(field, f"{given!r} is no text that can be written in UTF-8") from None
    return given


def text_or_empty(field: str, value: Any) -> str:
    """As `text`; None is empty, by which the wire leaves it to the service."""
    return "" if value is None else text(field, value)


def switch(field: str, value: Any) -> bool:
    """`value` if it is True or False, also as numpy and as numbers write them. InvalidRequest for anything else."""
    if np.iterable(value) or value not in (True, False):
        raise InvalidRequest.of(field, f"{value!r} is neither True nor False")
    return bool(value)


def instance(field: str, value: Any, *kinds: type[T]) -> T:
    """`value` if it is of one of the kinds. InvalidRequest for anything else."""
    if not isinstance(value, kinds):
        raise InvalidRequest.of(field, f"{value!r} must be {_named(kinds)}")
    return value


def elements(field: str, values: Any, wanted: str) -> list[Any]:
    """What an iterable has, of whatever kind. InvalidRequest, which says what is `wanted`, for what is none, and for
    text.
    """
    if isinstance(values, str) or not np.iterable(values):
        raise InvalidRequest.of(field, f"{values!r} must be {wanted}")
    return list(values)


def pair(field: str, values: Any, wanted: str) -> tuple[Any, Any]:
    """As `elements`, of which there must be two."""
    listed = elements(field, values, wanted)
    if len(listed) != 2:
        raise InvalidRequest.of(field, f"{values!r} must be {wanted}")
    return listed[0], listed[1]


def one_or_several(field: str, values: Any, *kinds: type[T]) -> list[T]:
    """What is given alone or in an iterable, all of the kinds, as a list. InvalidRequest for anything else."""
    if isinstance(values, kinds):
        return [values]
    listed = elements(field, values, f"{_named(kinds)}, or a list of them")
    return [instance(f"{field}[{index}]", value, *kinds) for index, value in enumerate(listed)]


def _named(kinds: tuple[type, ...]) -> str:
    return " or ".join("text" if kind is str else kind.__name__ for kind in kinds)
