"""The id of a request, and one line in the log for each."""

import asyncio
import logging
import re
import secrets
from functools import partial
from time import perf_counter
from typing import Any

import grpc

from latentwalk.rpc import logs
from latentwalk.rpc.caller import caller
from latentwalk.rpc.interceptors.layers import Behaviour, Call, Context, Layer
from latentwalk.rpc.interceptors.outcome import outcome

REQUEST_ID_KEY = "x-request-id"

_VALID_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_log = logging.getLogger("latentwalk.access")


class AccessLayer(Layer):
    """Takes `x-request-id` from the caller, or makes one, returns it in the trailing metadata, and logs the call.

    The log has method, code, seconds, caller and peer, and never the value of any metadata.
    """

    async def around(self, call: Call, request: Any, context: Context, proceed: Behaviour) -> Any:
        """Runs the call under its id."""
        if call.method.is_infrastructure:
            return await proceed(request, context)
        identifier = _request_id(call)
        logs.request_id.set(identifier)
        started = perf_counter()
        error: BaseException | None = None
        try:
            # Not in the initial metadata, which would be a write of its own for each picture.
            context.set_trailing_metadata(((REQUEST_ID_KEY, identifier),))
            return await proceed(request, context)
        except grpc.aio.InternalError as gone:
            error = gone
            # A write has found the connection broken before gRPC told of it; as it is, gRPC would log a fault.
            raise asyncio.CancelledError from gone
        except BaseException as raised:
            error = raised
            raise
        finally:
            fields = logs.fields(
                method=str(call.method),
                code=outcome(context, error).name,
                seconds=round(perf_counter() - started, 6),
                caller=caller.get(),
                peer=context.peer(),
            )
            # Written when the reply is on its way: the caller need not wait for that.
            asyncio.get_running_loop().call_soon(partial(_log.info, "rpc", extra=fields))


def _request_id(call: Call) -> str:
    given = next((value for key, value in call.metadata if key == REQUEST_ID_KEY), None)
    return given if isinstance(given, str) and _VALID_ID.fullmatch(given) else secrets.token_hex(16)
