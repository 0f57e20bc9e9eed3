"""A service as a program: from the command line to the exit code."""

import gc
import logging
import os
import sys
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, TypeVar

from latentwalk.rpc import logs, tracing
from latentwalk.rpc.endpoint import Endpoint
from latentwalk.rpc.lifecycle import AddressInUse, Doorway, run
from latentwalk.rpc.settings import SettingsError, load_settings
from latentwalk.rpc.version import own_version

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

Settings = TypeVar("Settings", bound=Endpoint)


def run_service(
    name: str,
    settings_type: type[Settings],
    serving: "Callable[[Settings, Tracer | None], AbstractAsyncContextManager[Doorway]]",
    argv: Sequence[str],
    *,
    command: str,
    refusals: tuple[type[Exception], ...],
    run: Callable[[Coroutine[Any, Any, int]], int] = run,
) -> int:
    """Serves `latentwalk.<name>` until a signal; returns the exit code.

    That is 0 after a drain, and 1 with one line on standard error for settings, addresses and files that cannot be
    used, and for the `refusals`: what else `serving` raises on purpose. `command` is what people type to start it, for
    its usage. `run` gives the coroutine its event loop.
    """
    program = f"latentwalk.{name}"
    try:
        settings = load_settings(settings_type, argv, os.environ, program=command)
        logs.configure(settings.log_level)
        with tracing.exporting(f"latentwalk-{name}", os.environ) as tracer:
            return run(_serve(serving(settings, tracer), settings.address, logging.getLogger(program)))
    except (SettingsError, AddressInUse, OSError, *refusals) as error:
        print(f"{program}: {error}", file=sys.stderr)  # noqa: T201 - for the person at the terminal
        return 1
    except KeyboardInterrupt:
        return 130


async def _serve(serving: AbstractAsyncContextManager[Doorway], address: str, log: logging.Logger) -> int:
    async with serving as doorway:
        # What there is now, stays: the collector need not look through all of it again and again while it serves.
        gc.freeze()
        host = address.rpartition(":")[0]
        place = logs.fields(address=f"{host}:{doorway.port}", metrics_port=doorway.metrics_port, version=own_version())
        log.info("serving", extra=place)
        return await doorway.run_until_signal()
