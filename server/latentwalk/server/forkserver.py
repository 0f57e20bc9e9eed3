"""The process from which the device's process is forked.

It has imported torch and done nothing with it: a fork of the server itself would inherit the locks of its threads, and
a fresh interpreter would need seconds.
"""

import multiprocessing
import signal
from multiprocessing import forkserver, resource_tracker

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["latentwalk.server.device.host"])


def start() -> None:
    """Starts it ahead of its first fork, to import torch while the caller does. For the main thread of a program."""
    resource_tracker.ensure_running()  # which would unblock all signals
    # It inherits that Ctrl-C, which is meant for the server, is blocked: among its imports, it would print a traceback.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    forkserver.ensure_running()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
