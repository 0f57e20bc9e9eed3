"""Versions of artifacts, for whoever calls and on the wire."""

from typing import Any

from latentwalk.client._numbers import whole
from latentwalk.client._values import text

Version = int | str
"""A version of an artifact; "" for the newest."""


def version_text(field: str, version: Any) -> str:
    """A version on the wire. InvalidRequest for what is neither a whole number nor text."""
    return text(field, version) if isinstance(version, str) else str(whole(field, version))
