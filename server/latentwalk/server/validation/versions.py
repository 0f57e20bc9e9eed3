"""Which versions of which artifacts a request is about. Raises InvalidRequest."""

from collections.abc import Mapping

from latentwalk.gan.artifacts import Kind
from latentwalk.gan.artifacts.manifest import check_name
from latentwalk.gan.errors import GanError
from latentwalk.rpc.errors import InvalidRequest
from latentwalk.server.kinds import KINDS

_KIND_OF: Mapping[int, Kind] = {number: kind for kind, number in KINDS.items()}


def read_version(text: str) -> int | None:
    """A version of the wire as one of the store; None for the newest."""
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 19 and int(text) >= 1):
        raise InvalidRequest("version", f"{text!r} must be a whole number from 1 on, or empty for the newest")
    return int(text)


def read_kind(number: int) -> Kind:
    """A kind of the wire as one of the store."""
    if number not in _KIND_OF:
        raise InvalidRequest("kind", f"{number} is none of GENERATOR (1), DIRECTION (2) and CLASSIFIER (3)")
    return _KIND_OF[number]


def read_name(kind: Kind, name: str) -> str:
    """A name that an artifact of this kind can have."""
    try:
        check_name(kind, name)
    except GanError as error:
        raise InvalidRequest("name", str(error)) from error
    return name
