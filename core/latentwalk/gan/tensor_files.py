"""Files of safetensors: a header of JSON, and the numbers of the tensors that it names."""

from pathlib import Path

import safetensors.torch
from torch import Tensor

from latentwalk.gan.errors import GanError

# Before the header stands how long it is.
_LENGTH = 8
# The generators of which checkpoints are read have a hundred bytes of it a tensor, and less than a thousand tensors.
MAX_HEADER = 2**24


def is_tensor_file(path: Path) -> bool:
    """Whether the file begins as one of safetensors, which nothing that is a pickle or an archive does."""
    with path.open("rb") as file:
        return file.read(_LENGTH + 1)[_LENGTH:] == b"{"


def read_tensor_file(path: Path) -> dict[str, Tensor]:
    """The tensors by name. Metadata is not read.

    Raises GanError for a header beyond the limit, or cut off, and KeyError or SafetensorError for a file that is broken
    otherwise: its tensors must cover what follows the header, once.
    """
    with path.open("rb") as file:
        header = int.from_bytes(file.read(_LENGTH), "little")
    if header > MAX_HEADER:
        raise GanError(f"its header is of {header} bytes, the limit is {MAX_HEADER}")
    size = path.stat().st_size
    if size < _LENGTH + header:
        raise GanError(f"its header is of {header} bytes, of which {size - _LENGTH} are there: it is cut off")
    return safetensors.torch.load(path.read_bytes())
