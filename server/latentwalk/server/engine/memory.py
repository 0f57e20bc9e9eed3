"""When the memory of a device runs out, and how it is given back."""

import ctypes
import sys
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
    """Gives what was let go of back to whoever else computes: torch would keep what it has on CUDA, and glibc what lies
    between blocks that are still in use, of which there is more with each model that is loaded anew.
    """
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):  # musl has none
        trim(0)
