"""Bearer tokens: only their sha256 is kept."""

import hashlib
import re
from pathlib import Path
from typing import Any

from latentwalk.rpc.errors import Unauthenticated
from latentwalk.rpc.interceptors.around import AroundInterceptor, Behaviour, Call, Context
from latentwalk.rpc.settings import SettingsError

_HEALTH = "grpc.health.v1.Health"
_SCHEME = "bearer "
_SHA256 = re.compile(r"[0-9a-f]{64}")


def read_tokens(path: Path) -> frozenset[str]:
    """The sha256 sums, as lower-case hex, of the tokens allowed by the file: one a line; empty lines and # are skipped.

    Raises SettingsError, naming the line, for anything else, for a file that allows nobody, and for none at all.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"tokens: {path} cannot be read: {error}") from error
    lines = [line.split("#")[0].strip().lower() for line in text.splitlines()]
    for number, line in enumerate(lines, start=1):
        if line and not _SHA256.fullmatch(line):
            raise SettingsError(f"tokens: {path}, line {number}: must be the sha256 of a token, 64 hexadecimal digits")
    if not any(lines):
        raise SettingsError(f"tokens: {path} holds no token, so that nobody could call the service")
    return frozenset(line for line in lines if line)


class TokenInterceptor(AroundInterceptor):
    """Lets a call pass only with metadata `authorization: Bearer <token>`; health checks always pass."""

    def __init__(self, allowed: frozenset[str]) -> None:
        self._allowed = allowed

    async def around(self, call: Call, request: Any, context: Context, proceed: Behaviour) -> Any:
        """Raises Unauthenticated without a valid token."""
        if call.service != _HEALTH:
            self._check(call)
        return await proceed(request, context)

    def _check(self, call: Call) -> None:
        given = next((value for key, value in call.metadata if key == "authorization"), None)
        if not isinstance(given, str) or not given.lower().startswith(_SCHEME):
            raise Unauthenticated("metadata authorization: must be 'Bearer <token>'")
        # A lookup by hash tells nothing about a token by its timing: a near miss has another hash altogether.
        if hashlib.sha256(given[len(_SCHEME) :].strip().encode()).hexdigest() not in self._allowed:
            raise Unauthenticated("metadata authorization: this token is not valid")
