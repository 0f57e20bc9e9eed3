"""The networks that NVlabs' code for TensorFlow has pickled, read without ever doing what they say (law 3).

Such a file is a pickle of networks, each with its weights as numpy arrays. The reader knows the few names that it takes
to describe these, stands for each with a class of its own, and refuses all others: so nothing of numpy or dnnlib is
ever called with what a file says.
"""

import io
import math
import pickle
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
import torch
from torch import Tensor

from latentwalk.gan.errors import GanError

Networks: TypeAlias = dict[str, dict[str, Tensor]]

# What such a file begins with, within so many bytes.
_MARK, _WITHIN = b"dnnlib.tflib.network", 256
# The networks of such a file, in their order: the generator, the discriminator, the average of the generator.
_NAMES = ("G", "D", "Gs")
_MAX_DEPTH = 8


def is_network_pickle(path: Path) -> bool:
    """Whether the file begins as a pickle of such networks."""
    with path.open("rb") as file:
        return _MARK in file.read(_WITHIN)


def read_network_pickle(path: Path) -> Networks:
    """The weights of the generator "G", the discriminator "D" and the average "Gs", by the names of TensorFlow.

    The variables of a component are named after it: "synthesis/4x4/Conv/weight". Raises GanError for what is no such
    file, and whatever a broken pickle makes its reader raise.
    """
    networks: object = _Reader(io.BytesIO(path.read_bytes())).load()
    if not isinstance(networks, tuple) or [type(one) for one in cast("tuple[object, ...]", networks)] != [_Network] * 3:
        raise GanError("it is not a pickle of the three networks G, D and Gs")
    return {name: one.weights() for name, one in zip(_NAMES, cast("tuple[_Network, ...]", networks), strict=True)}


class _Network:
    """Stands for dnnlib.tflib.Network."""

    def __init__(self) -> None:
        self._state: dict[str, Any] = {}

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, dict):
            raise GanError("a network in it has no state")
        self._state = cast("dict[str, Any]", state)

    def weights(self, prefix: str = "", depth: int = 0) -> dict[str, Tensor]:
        """Its own variables, and those of its components."""
        if depth > _MAX_DEPTH:
            raise GanError(f"its networks are nested deeper than {_MAX_DEPTH}")
        own = {f"{prefix}{name}": _tensor(name, value) for name, value in self._state.get("variables", [])}
        for name, component in self._state.get("components", {}).items():
            if isinstance(component, _Network):
                own |= component.weights(f"{prefix}{name}/", depth + 1)
        return own


class _DType:
    """Stands for numpy.dtype, of which it keeps the name."""

    def __init__(self, name: object, *_: object) -> None:
        self.name = name

    def __setstate__(self, state: tuple[object, ...]) -> None:
        self.order = state[1]


class _Array:
    """Stands for numpy.ndarray: keeps what is said of it, and makes a tensor of that only where a weight is wanted."""

    def __setstate__(self, state: tuple[object, ...]) -> None:
        _, self.shape, self.dtype, self.is_fortran, self.data = state

    def tensor(self) -> Tensor:
        """float32. Raises GanError for numbers of another type, or of another size than the shape."""
        shape = cast("tuple[int, ...]", self.shape)
        if not isinstance(self.dtype, _DType) or self.dtype.name != "f4" or self.dtype.order != "<":
            raise GanError("it holds weights that are not float32")
        if not isinstance(self.data, bytes) or len(self.data) != 4 * math.prod(shape):
            raise GanError("it holds an array whose data is not of the size of its shape")
        array = np.frombuffer(self.data, "<f4").reshape(shape, order="F" if self.is_fortran else "C")
        return torch.from_numpy(array.copy())


def _array(*_: object) -> _Array:
    """Stands for numpy's _reconstruct, which makes an array that is yet to be given its state."""
    return _Array()


def _number(dtype: object, data: object) -> object:
    """Stands for numpy's scalar: of no use for weights, so it is not even looked at."""
    return None


class _NoClass:
    """Stands for numpy.ndarray where it is only named."""


_KNOWN: Mapping[tuple[str, str], type | Callable[..., object]] = {
    ("dnnlib.tflib.network", "Network"): _Network,
    ("dnnlib.util", "EasyDict"): dict,
    ("collections", "OrderedDict"): OrderedDict,
    ("numpy", "ndarray"): _NoClass,
    ("numpy", "dtype"): _DType,
    **{
        (f"numpy.{core}.multiarray", name): stand_in
        for core in ("core", "_core")
        for name, stand_in in (("_reconstruct", _array), ("scalar", _number))
    },
}


class _Reader(pickle.Unpickler):
    """Knows only the names above."""

    def find_class(self, module_name: str, global_name: str) -> Any:
        """As pickle.Unpickler. Raises GanError for every other name."""
        known = _KNOWN.get((module_name, global_name))
        if known is None:
            raise GanError(f"it wants to call {module_name}.{global_name}, which no weights need")
        return known


def _tensor(name: object, value: object) -> Tensor:
    if not isinstance(value, _Array):
        raise GanError(f"its variable {name!r} is no array")
    return value.tensor()
