"""Settings of methods <-> their messages, field by field: a dataclass names its fields as its message does.

message field           dataclass field
number, text, bool      the same; what is not said is the field's default
bytes                   text, in base64: what is read ends as JSON
enum FOO_BAR            a StrEnum "bar"; UNSPECIFIED is the default
message                 a dataclass, or None
repeated                a tuple
"""

import math
from base64 import b64decode, b64encode
from dataclasses import Field, fields, is_dataclass
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar, get_args, get_type_hints

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from latentwalk.rpc.errors import InvalidRequest
from latentwalk.trainer.specs.bounds import BOUNDS, Bounds

Settings = TypeVar("Settings")

_UNSPECIFIED = "UNSPECIFIED"


def read_settings(cls: type[Settings], message: Message, where: str) -> Settings:
    """The settings of a message, not yet completed by the rules of their method.

    `where` is the message's place in the request. Raises InvalidRequest for a number out of its bounds, and for a field
    that is set but that the dataclass does not have.
    """
    known = {one.name: one for one in fields(cls)}  # pyright: ignore[reportArgumentType]
    for descriptor, _ in message.ListFields():
        if descriptor.name not in known:
            raise InvalidRequest(f"{where}.{descriptor.name}", "is not supported by this trainer; leave it out")
    values = {
        name: _read(one, _hints(cls)[name], message, f"{where}.{name}")
        for name, one in known.items()
        if _is_said(message, name)
    }
    return cls(**values)


def write_settings(settings: object, message: Any) -> None:
    """Fills the message with the settings."""
    for one in fields(settings):  # pyright: ignore[reportArgumentType]
        value, descriptor = getattr(settings, one.name), message.DESCRIPTOR.fields_by_name[one.name]
        if value is None or (descriptor.has_presence and (value is False or value == "")):
            continue
        if is_dataclass(value):
            getattr(message, one.name).SetInParent()
            write_settings(value, getattr(message, one.name))
        elif isinstance(value, tuple):
            _extend(getattr(message, one.name), value)  # pyright: ignore[reportUnknownArgumentType]
        elif isinstance(value, StrEnum):
            setattr(message, one.name, _prefix(descriptor.enum_type) + value.upper())
        elif descriptor.type == FieldDescriptor.TYPE_BYTES:
            setattr(message, one.name, b64decode(value))
        else:
            setattr(message, one.name, value)


def _extend(repeated: Any, values: tuple[Any, ...]) -> None:
    if not is_dataclass(next(iter(values), None)):
        repeated.extend(values)
        return
    for value in values:
        write_settings(value, repeated.add())


def _is_said(message: Message, name: str) -> bool:
    descriptor = message.DESCRIPTOR.fields_by_name[name]
    return message.HasField(name) if descriptor.has_presence else bool(getattr(message, name))


def _read(one: "Field[Any]", hint: Any, message: Message, where: str) -> Any:
    descriptor, value = message.DESCRIPTOR.fields_by_name[one.name], getattr(message, one.name)
    if descriptor.is_repeated:
        inner = get_args(hint)[0]
        return tuple(_read_one(descriptor, inner, item, f"{where}[{index}]") for index, item in enumerate(value))
    result = _read_one(descriptor, hint, value, where)
    bounds: Bounds | None = one.metadata.get(BOUNDS)
    if bounds is not None and not (math.isfinite(result) and bounds.admit(result)):
        raise InvalidRequest(where, f"{_shown(result)} must be {bounds}")
    return result


def _read_one(descriptor: Any, hint: Any, value: Any, where: str) -> Any:
    if descriptor.enum_type is not None:
        return _read_enum(descriptor.enum_type, _plain(hint), value, where)
    if descriptor.message_type is not None:
        return read_settings(_plain(hint), value, where)
    return b64encode(value).decode() if descriptor.type == FieldDescriptor.TYPE_BYTES else value


def _read_enum(descriptor: Any, cls: type[StrEnum], number: int, where: str) -> StrEnum:
    names = {value.number: value.name.removeprefix(_prefix(descriptor)) for value in descriptor.values}
    try:
        return cls(names.get(number, "").lower())
    except ValueError:
        known = ", ".join(one.upper() for one in cls)
        raise InvalidRequest(where, f"{names.get(number, number)} is not supported; use one of {known}") from None


def _prefix(descriptor: Any) -> str:
    return descriptor.values_by_number[0].name.removesuffix(_UNSPECIFIED)


def _plain(hint: Any) -> Any:
    """X of X | None."""
    return next((one for one in get_args(hint) if one is not type(None)), hint)


@cache
def _hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls)


def _shown(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"
