"""The networks that NVlabs' code for TensorFlow has pickled, read without ever doing what they say (law 3).

Of the calls that such a file describes, only those that make arrays become weights.
"""

import math
import sys
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, cast

import numpy as np
import torch
from torch import Tensor

from latentwalk.gan.errors import GanError
from latentwalk.gan.pickle_machine import Made, name_below, run_pickle

Networks: TypeAlias = dict[str, dict[str, Tensor]]

# What such a file begins with, within so many bytes: where the code has its networks, first that of Progressive GAN.
_MARKS, _WITHIN = (b"tfutil", b"dnnlib.tflib.network"), 256
# The networks of such a file, in their order: the generator, the discriminator, the average of the generator.
_NAMES = ("G", "D", "Gs")
_NETWORKS = tuple(f"{mark.decode()}.Network" for mark in _MARKS)
_MAX_SIDES = 8


def is_network_pickle(path: Path) -> bool:
    """Whether the file begins as a pickle of such networks."""
    with path.open("rb") as file:
        start = file.read(_WITHIN)
    return start.startswith(b"\x80") and any(mark in start for mark in _MARKS)


def read_network_pickle(path: Path) -> Networks:
    """The weights of the generator "G", the discriminator "D" and the average "Gs", by the names of TensorFlow.

    The variables of a component are named after it: "synthesis/4x4/Conv/weight". Raises GanError for what is no such
    file, and IndexError, TypeError or ValueError for a broken one.
    """
    networks = run_pickle(path.read_bytes())
    if not isinstance(networks, tuple) or len(cast("tuple[object, ...]", networks)) != len(_NAMES):
        raise GanError("it is not a pickle of the three networks G, D and Gs")
    reader, found = _Reader(), cast("tuple[object, ...]", networks)
    return {name: reader.weights(one, "") for name, one in zip(_NAMES, found, strict=True)}


class _Reader:
    """What is read once stays read: variables may share their numbers."""

    def __init__(self) -> None:
        self._networks: set[int] = set()
        self._numbers: dict[int, Tensor] = {}

    def weights(self, network: object, prefix: str) -> dict[str, Tensor]:
        """The variables of a network and of its components, of which each may be met once."""
        if not isinstance(network, Made) or network.name not in _NETWORKS or id(network) in self._networks:
            raise GanError(f"what it has for network {prefix.rstrip('/') or 'G, D or Gs'!r} is none")
        self._networks.add(id(network))
        variables = [(name_below(prefix, name), value) for name, value in network.state["variables"]]
        own = {name: self._tensor(name, value) for name, value in variables}
        components = network.state.get("components", {})  # those of Progressive GAN have none
        for name, component in (components.items if isinstance(components, Made) else components).items():
            own |= self.weights(component, name_below(prefix, name) + "/")
        return own

    def _tensor(self, variable: str, made: object) -> Tensor:
        """float32. Raises GanError for what is no array, or of other numbers, or of another size than its shape."""
        array = _array(variable, made)
        shape, dtype, data = array.shape, array.dtype, array.data
        if dtype.name != "numpy.dtype" or dtype.arguments[0] != "f4" or dtype.state[1] != "<":
            raise GanError(f"its variable {variable!r} is not of float32")
        if not _is_shape(shape) or not isinstance(data, bytes) or len(data) != 4 * math.prod(shape):
            raise GanError(f"its variable {variable!r} has data of another size than its shape")
        if id(data) not in self._numbers:
            self._numbers[id(data)] = torch.from_numpy(np.frombuffer(data, "<f4").copy())
        numbers = self._numbers[id(data)]
        if not array.is_fortran:
            return numbers.view(shape)
        return numbers.view(shape[::-1]).permute(*reversed(range(len(shape))))


class _Array(NamedTuple):
    """What a program says of an array, as it says it."""

    shape: tuple[Any, ...]
    dtype: Any
    is_fortran: object
    """Whether neighbours in memory are neighbours in the first dimension, and not in the last."""
    data: object


def _array(variable: str, made: object) -> _Array:
    """Raises GanError for what is neither an array nor a single number, which comes as a scalar."""
    if isinstance(made, Made) and made.name.endswith(".multiarray._reconstruct"):
        _, shape, dtype, is_fortran, data = made.state
        return _Array(shape, dtype, is_fortran, data)
    if isinstance(made, Made) and made.name.endswith(".multiarray.scalar"):
        dtype, data = made.arguments
        return _Array((), dtype, is_fortran=False, data=data)
    raise GanError(f"its variable {variable!r} is no array")


def _is_shape(sides: tuple[object, ...]) -> bool:
    """Whether it is one that an array may have: to multiply many large integers takes time without bound."""
    return len(sides) <= _MAX_SIDES and all(type(side) is int and 0 <= side <= sys.maxsize for side in sides)
