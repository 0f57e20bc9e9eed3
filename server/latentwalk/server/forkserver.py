"""The process from which the device's process is forked.

It has imported torch and done nothing with it: a fork of the server itself would inherit the locks of its threads, and
a fresh interpreter would need seconds.
"""

import multiprocessing
import multiprocessing.forkserver
import signal

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["latentwalk.server.device.host"])


def start() -> None:
    """Starts it ahead of its first fork, to import torch while the caller does. For the main thread of a program."""
    # Until it has imported everything, it would print a traceback at Ctrl-C, which is meant for the server.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    multiprocessing.forkserver.ensure_running()
    signal.signal(signal.SIGINT, before)
