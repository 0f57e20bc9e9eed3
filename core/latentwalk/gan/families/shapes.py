"""What is read off the shapes of weights."""

import re
from collections.abc import Iterable, Mapping

from torch import Tensor

from latentwalk.gan.errors import GanError


def tensor_of(family: str, state_dict: Mapping[str, Tensor], name: str, dimensions: int) -> Tensor:
    """The tensor of that name. Raises GanError if it is missing or has not so many dimensions."""
    tensor = state_dict.get(name)
    if tensor is None:
        raise GanError(
            f"not a {family}: {name} is missing among {', '.join(sorted(state_dict)[:8]) or 'no tensors'} ..."
        )
    if tensor.ndim != dimensions:
        raise GanError(f"not a {family}: {name} is {tuple(tensor.shape)}, expected {dimensions} dimensions")
    return tensor


def places_of(names: Iterable[str], prefix: str) -> range:
    """0, 1, ... up to the greatest n of which there is a name "<prefix>.<n>. ..."; at least 0."""
    pattern = re.compile(rf"{re.escape(prefix)}\.(\d{{1,2}})\.")
    return range(max((int(found[1]) for name in names if (found := pattern.match(name))), default=0) + 1)
