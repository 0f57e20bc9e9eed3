"""Exceptions become statuses here, and nowhere else."""

import logging
from collections.abc import Callable
from typing import Any

import grpc
from grpc_status import rpc_status

from latentwalk.rpc import logs
from latentwalk.rpc.errors import Internal, ServiceError, rich_status
from latentwalk.rpc.interceptors.layers import Behaviour, Call, Context, Layer
from latentwalk.rpc.interceptors.outcome import CALLER_GONE

_log = logging.getLogger("latentwalk.errors")


class ErrorLayer(Layer):
    """Ends a call that raised with the rich status of its error.

    `translate` turns exceptions of other layers into a ServiceError, or returns None for those it does not know. What
    nobody knows is a fault of ours: the log gets all of it, the caller four words and the request's id.
    """

    def __init__(self, translate: Callable[[Exception], ServiceError | None]) -> None:
        self._translate = translate

    async def around(self, call: Call, request: Any, context: Context, proceed: Behaviour) -> Any:
        """Runs the call; an abort, and the ways in which a lost caller shows, pass through untouched."""
        try:
            return await proceed(request, context)
        except (grpc.aio.AbortError, *CALLER_GONE):
            raise
        except Exception as raised:  # noqa: BLE001 - this is the place where they all end
            status = rpc_status.to_status(rich_status(self._explained(call, raised)))
        # Only here: gRPC keeps the abort in a circle with the call, and with it whatever is being handled meanwhile.
        metadata = (*status.trailing_metadata, *context.trailing_metadata())
        return await context.abort(status.code, status.details, metadata)

    def _explained(self, call: Call, raised: Exception) -> ServiceError:
        error = raised if isinstance(raised, ServiceError) else self._translate(raised)
        if error is not None:
            return error
        _log.error("%s failed", call.method, exc_info=raised)
        return Internal(f"internal error, request {logs.request_id.get()}")
