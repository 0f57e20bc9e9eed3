"""Bearer tokens: only their sha256 is kept, with the roles and the name of whoever holds them."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from latentwalk.rpc.roles import Role, with_included
from latentwalk.rpc.settings import SettingsError

_SHA256 = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[A-Za-z0-9_.@-]{1,64}")
_ALL_ROLES = ",".join(Role)
_FORM = f"must be 'SHA256 ROLE[,ROLE] [NAME]': 64 hexadecimal digits, then some of {', '.join(Role)}, then a word"


@dataclass(frozen=True, slots=True)
class Holder:
    """Whoever holds a token. Several tokens may have one name: they are one client."""

    name: str
    roles: tuple[Role, ...]


Tokens = Mapping[str, Holder]
"""The holders, by the sha256 of their tokens in lower-case hex."""


def sha256_of(token: str) -> str:
    """The sha256 of a token, as it stands in the file."""
    return hashlib.sha256(token.encode()).hexdigest()


def read_tokens(path: Path) -> Tokens:
    """The tokens that the file allows, one a line; empty lines and what follows a # are skipped.

    A line with nothing but a hash allows everything: it has all roles. Without a name, a holder is called by the first
    digits of the hash. Raises SettingsError, naming the line but never citing it, for anything else, for a file that
    allows nobody, and for none at all.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"tokens: {path} cannot be read: {error}") from error
    tokens: dict[str, Holder] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not (words := line.split("#")[0].split()):
            continue
        try:
            sha256, holder = _read_line(*words)
        except (TypeError, ValueError):
            raise SettingsError(f"tokens: {path}, line {number}: {_FORM}") from None
        if sha256 in tokens:
            raise SettingsError(f"tokens: {path}, line {number}: this token stands there twice")
        tokens[sha256] = holder
    if not tokens:
        raise SettingsError(f"tokens: {path} holds no token, so that nobody could call the service")
    return tokens


def _read_line(sha256: str, roles: str = _ALL_ROLES, name: str = "") -> tuple[str, Holder]:
    """Raises ValueError, or TypeError for too many words."""
    sha256 = sha256.lower()
    name = name or f"token-{sha256[:8]}"
    if not _SHA256.fullmatch(sha256) or not _NAME.fullmatch(name):
        raise ValueError
    held = with_included(frozenset(Role(role.lower()) for role in roles.split(",")))
    return sha256, Holder(name, tuple(role for role in Role if role in held))
