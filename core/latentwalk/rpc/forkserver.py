"""The process from which a service forks others, such as that of its device, or those of its jobs.

It has imported torch and done nothing with it: a fork of the service itself would inherit the locks of its threads, and
a fresh interpreter would need seconds.
"""

import multiprocessing
import signal
from multiprocessing import forkserver, resource_tracker

CONTEXT = multiprocessing.get_context("forkserver")

_modules: list[str] = []


def preload(module: str) -> None:
    """When it starts, it imports this module too, with all that this imports."""
    if module not in _modules:
        _modules.append(module)
        CONTEXT.set_forkserver_preload(_modules)


preload("latentwalk.rpc.unborn")


def start() -> None:
    """Starts it ahead of its first fork, to import while the caller does. For the main thread of a program."""
    resource_tracker.ensure_running()  # which would unblock all signals
    # It inherits that Ctrl-C, which is meant for the service, is blocked: among imports, it would print a traceback.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    forkserver.ensure_running()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
