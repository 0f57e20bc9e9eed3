"""With which status an rpc ends, seen from within the server."""

import asyncio
from typing import Any

import grpc

from latentwalk.rpc.interceptors.layers import Context

# A caller whose clock is ahead ends the call itself, a little before its deadline passes here.
_EARLY_SECONDS = 0.02

_BY_NUMBER = {code.value[0]: code for code in grpc.StatusCode}

CALLER_GONE = (asyncio.CancelledError, GeneratorExit, grpc.aio.InternalError)
"""What a handler sees when the caller cancelled or its deadline passed.

Which one depends on where the handler waits: in any await, CancelledError; at the yield of a generator, GeneratorExit;
in `context.write`, a private subclass of InternalError.
"""


def outcome(context: Context, error: BaseException | None) -> grpc.StatusCode:
    """The status of a call that returned, or raised `error`."""
    if isinstance(error, CALLER_GONE):
        # None without a deadline, whatever the stubs say.
        remaining: Any = context.time_remaining()
        timed_out = remaining is not None and remaining <= _EARLY_SECONDS
        return grpc.StatusCode.DEADLINE_EXCEEDED if timed_out else grpc.StatusCode.CANCELLED
    # A number after an abort, a StatusCode if the handler has set one, else None.
    code: Any = context.code()
    status = code if isinstance(code, grpc.StatusCode) else _BY_NUMBER.get(code or 0, grpc.StatusCode.UNKNOWN)
    if error is not None and status is grpc.StatusCode.OK:
        return grpc.StatusCode.UNKNOWN
    return status
