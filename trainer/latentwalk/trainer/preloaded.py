"""What the processes of jobs have imported when they are forked."""

from latentwalk.rpc import forkserver

# The second would be imported by the first optimiser of each process, for seconds.
_MODULES = ("latentwalk.trainer.runner", "torch._dynamo")


def preload() -> None:
    """Tells the fork server, if it has not started yet."""
    for module in _MODULES:
        forkserver.preload(module)
