"""When the memory of a device runs out."""

from collections.abc import Generator
from contextlib import contextmanager

import torch

from latentwalk.server.scheduler import DeviceOutOfMemory

# torch has a class of its own for this on CUDA; on the CPU only the words tell.
_CPU_ALLOCATION_FAILED = "can't allocate memory"


@contextmanager
def memory_watched() -> Generator[None]:
    """Within the context, running out of memory is DeviceOutOfMemory, on which the scheduler tries smaller batches."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise DeviceOutOfMemory(str(error)) from error
    except RuntimeError as error:
        if _CPU_ALLOCATION_FAILED not in str(error):
            raise
        raise DeviceOutOfMemory(str(error)) from error
