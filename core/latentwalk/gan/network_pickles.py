"""The networks that NVlabs' code for TensorFlow has pickled, read without ever doing what they say (law 3).

Of the calls that such a file describes, only those that make arrays become weights.
"""

import math
from pathlib import Path
from typing import TypeAlias, cast

import numpy as np
import torch
from torch import Tensor

from latentwalk.gan.errors import GanError
from latentwalk.gan.pickle_machine import Made, run_pickle, text_of

Networks: TypeAlias = dict[str, dict[str, Tensor]]

# What such a file begins with, within so many bytes.
_MARK, _WITHIN = b"dnnlib.tflib.network", 256
# The networks of such a file, in their order: the generator, the discriminator, the average of the generator.
_NAMES = ("G", "D", "Gs")


def is_network_pickle(path: Path) -> bool:
    """Whether the file begins as a pickle of such networks."""
    with path.open("rb") as file:
        return _MARK in file.read(_WITHIN)


def read_network_pickle(path: Path) -> Networks:
    """The weights of the generator "G", the discriminator "D" and the average "Gs", by the names of TensorFlow.

    The variables of a component are named after it: "synthesis/4x4/Conv/weight". Raises GanError for what is no such
    file, and IndexError, TypeError or ValueError for a broken one.
    """
    networks = run_pickle(path.read_bytes())
    if not isinstance(networks, tuple) or len(cast("tuple[object, ...]", networks)) != len(_NAMES):
        raise GanError("it is not a pickle of the three networks G, D and Gs")
    seen: set[int] = set()
    return {
        name: _weights(one, "", seen) for name, one in zip(_NAMES, cast("tuple[object, ...]", networks), strict=True)
    }


def _weights(network: object, prefix: str, seen: set[int]) -> dict[str, Tensor]:
    """The variables of a network and of its components, of which each may be met once."""
    if not isinstance(network, Made) or network.name != "dnnlib.tflib.network.Network" or id(network) in seen:
        raise GanError(f"what it has for network {prefix.rstrip('/') or 'G, D or Gs'!r} is none")
    seen.add(id(network))
    own = {f"{prefix}{text_of(name)}": _tensor(name, value) for name, value in network.state["variables"]}
    components = network.state["components"]
    for name, component in (components.items if isinstance(components, Made) else components).items():
        own |= _weights(component, f"{prefix}{name}/", seen)
    return own


def _tensor(variable: object, array: object) -> Tensor:
    """float32. Raises GanError for what is no array, or of other numbers, or of another size than its shape."""
    if not isinstance(array, Made) or not array.name.endswith(".multiarray._reconstruct"):
        raise GanError(f"its variable {variable!r} is no array")
    _, shape, dtype, is_fortran, data = array.state
    if dtype.name != "numpy.dtype" or dtype.arguments[0] != "f4" or dtype.state[1] != "<":
        raise GanError(f"its variable {variable!r} is not of float32")
    if not all(type(side) is int for side in shape) or not isinstance(data, bytes) or len(data) != 4 * math.prod(shape):
        raise GanError(f"its variable {variable!r} has data of another size than its shape")
    values = np.frombuffer(data, "<f4").reshape(shape, order="F" if is_fortran else "C")
    return torch.from_numpy(values.copy())
