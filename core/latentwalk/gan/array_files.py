"""Files of numpy: a header that says type and shape, and the numbers of one array."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

_MARK = b"\x93NUMPY"


def is_array_file(path: Path) -> bool:
    """Whether the file begins as one that numpy.save has written."""
    with path.open("rb") as file:
        return file.read(len(_MARK)) == _MARK


def read_array_file(path: Path) -> Tensor:
    """The array, in the byte order of this machine.

    It is mapped before it is copied, so that a header cannot ask for more memory than the file has bytes. Raises
    ValueError for one that holds objects, which would have to be unpickled, or that is cut off.
    """
    mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    return torch.from_numpy(mapped.astype(mapped.dtype.newbyteorder("=")))
