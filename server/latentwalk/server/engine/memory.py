"""When the memory of a device runs out."""

from collections.abc import Generator
from contextlib import contextmanager

import torch

from latentwalk.server.scheduler import DeviceOutOfMemory

# torch has a class of its own for what its allocator on CUDA finds; of the CPU, of pinned memory, of a graph and of the
# libraries, only the words tell.
_SHORTAGES = ("can't allocate memory", "CUDA error: out of memory", "ALLOC_FAILED", "ALLOCATION_FAILED")


def is_shortage(error: BaseException) -> bool:
    """Whether an error says that memory has run out."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _SHORTAGES)


@contextmanager
def memory_watched() -> Generator[None]:
    """Within the context, running out of memory is DeviceOutOfMemory, on which the scheduler tries smaller batches."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_shortage(error):
            raise
        raise DeviceOutOfMemory(str(error)) from error


def give_back() -> None:
    """Gives what was let go of on CUDA back to whoever else computes there; torch would keep it for itself."""
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
