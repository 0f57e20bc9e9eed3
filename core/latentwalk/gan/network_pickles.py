"""The networks that NVlabs' code for TensorFlow has pickled, read without ever doing what they say (law 3).

A pickle is a program for a small machine of a stack and a memo. The machine here runs it, but calls nothing: what the
program would have made by a call stays a description of that call, and only those of arrays become weights.
"""

import math
import pickletools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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


def is_network_pickle(path: Path) -> bool:
    """Whether the file begins as a pickle of such networks."""
    with path.open("rb") as file:
        return _MARK in file.read(_WITHIN)


def read_network_pickle(path: Path) -> Networks:
    """The weights of the generator "G", the discriminator "D" and the average "Gs", by the names of TensorFlow.

    The variables of a component are named after it: "synthesis/4x4/Conv/weight". Raises GanError for what is no such
    file, and IndexError, TypeError or ValueError for a broken one.
    """
    networks = _Machine().run(path.read_bytes())
    if not isinstance(networks, tuple) or len(cast("tuple[object, ...]", networks)) != len(_NAMES):
        raise GanError("it is not a pickle of the three networks G, D and Gs")
    seen: set[int] = set()
    return {
        name: _weights(one, "", seen) for name, one in zip(_NAMES, cast("tuple[object, ...]", networks), strict=True)
    }


# -- what the program describes -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Name:
    """A class or function that the program wants."""

    name: str


@dataclass
class _Made:
    """What a call of that name would have made."""

    name: str
    arguments: Any
    state: Any = None
    items: dict[Any, Any] = field(default_factory=dict[Any, Any])


def _weights(network: object, prefix: str, seen: set[int]) -> dict[str, Tensor]:
    """The variables of a network and of its components, of which each may be met once."""
    if not isinstance(network, _Made) or network.name != "dnnlib.tflib.network.Network" or id(network) in seen:
        raise GanError(f"what it has for network {prefix.rstrip('/') or 'G, D or Gs'!r} is none")
    seen.add(id(network))
    own = {f"{prefix}{_text(name)}": _tensor(name, value) for name, value in network.state["variables"]}
    components = network.state["components"]
    for name, component in (components.items if isinstance(components, _Made) else components).items():
        own |= _weights(component, f"{prefix}{name}/", seen)
    return own


def _tensor(variable: object, array: object) -> Tensor:
    """float32. Raises GanError for what is no array, or of other numbers, or of another size than its shape."""
    if not isinstance(array, _Made) or not array.name.endswith(".multiarray._reconstruct"):
        raise GanError(f"its variable {variable!r} is no array")
    _, shape, dtype, is_fortran, data = array.state
    if dtype.name != "numpy.dtype" or dtype.arguments[0] != "f4" or dtype.state[1] != "<":
        raise GanError(f"its variable {variable!r} is not of float32")
    if not all(type(side) is int for side in shape) or not isinstance(data, bytes) or len(data) != 4 * math.prod(shape):
        raise GanError(f"its variable {variable!r} has data of another size than its shape")
    values = np.frombuffer(data, "<f4").reshape(shape, order="F" if is_fortran else "C")
    return torch.from_numpy(values.copy())


def _text(name: object) -> str:
    """A name, which must be text: to hash or to write tuples of tuples that are shared takes time without bound."""
    if not isinstance(name, str):
        raise GanError(f"it has a {type(name).__name__} as a name")
    return name


# -- the machine --------------------------------------------------------------------------------------------------


class _Machine:
    """The stack, the stacks below the marks, and the memo."""

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._below: list[list[Any]] = []
        self._memo: dict[int, Any] = {}

    def run(self, program: bytes) -> object:
        """What the program leaves. Raises GanError for an instruction that no weights need."""
        for instruction, argument, _ in pickletools.genops(program):
            if instruction.name in _VALUES:
                self._stack.append(_VALUES[instruction.name](argument))
            elif instruction.name in _STEPS:
                _STEPS[instruction.name](self, argument)
            elif instruction.name not in _NOTHING:
                raise GanError(f"it has the instruction {instruction.name}, which no weights need")
        return self._stack.pop()

    def mark(self, _: object) -> None:
        self._below.append(self._stack)
        self._stack = []

    def _marked(self) -> list[Any]:
        """What was put on the stack since the last mark."""
        marked, self._stack = self._stack, self._below.pop()
        return marked

    def put(self, place: int) -> None:
        self._memo[place] = self._stack[-1]

    def memoize(self, _: object) -> None:
        self._memo[len(self._memo)] = self._stack[-1]

    def get(self, place: int) -> None:
        self._stack.append(self._memo[place])

    def tuple_of(self, count: int) -> None:
        self._stack[len(self._stack) - count :] = [tuple(self._stack[len(self._stack) - count :])]

    def tuple_of_marked(self, _: object) -> None:
        marked = self._marked()
        self._stack.append(tuple(marked))

    def append(self, _: object) -> None:
        value = self._stack.pop()
        self._stack[-1].append(value)

    def append_marked(self, _: object) -> None:
        marked = self._marked()
        self._stack[-1].extend(marked)

    def set_item(self, _: object) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        self._items()[_text(key)] = value

    def set_marked(self, _: object) -> None:
        marked = self._marked()
        self._items().update(zip(map(_text, marked[::2]), marked[1::2], strict=True))

    def _items(self) -> dict[Any, Any]:
        target = self._stack[-1]
        return target.items if isinstance(target, _Made) else target

    def name(self, argument: str) -> None:
        self._stack.append(_Name(argument.replace(" ", ".")))

    def stack_name(self, _: object) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        self._stack.append(_Name(f"{_text(module)}.{_text(name)}"))

    def make(self, _: object) -> None:
        arguments, maker = self._stack.pop(), self._stack.pop()
        self._stack.append(_Made(maker.name if isinstance(maker, _Name) else "", arguments))

    def build(self, _: object) -> None:
        state = self._stack.pop()
        self._stack[-1].state = state


def _itself(argument: Any) -> Any:
    return argument


_VALUES: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(
        ("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8"), _itself
    ),
    **dict.fromkeys(("BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT"), _itself),
    "NONE": lambda _: None,
    "NEWTRUE": lambda _: True,
    "NEWFALSE": lambda _: False,
    "EMPTY_DICT": lambda _: {},
    "EMPTY_LIST": lambda _: [],
    "EMPTY_TUPLE": lambda _: (),
}
"""Instructions that put a value on the stack, and which, of their argument."""

_STEPS: Mapping[str, Callable[[_Machine, Any], None]] = {
    "MARK": _Machine.mark,
    **dict.fromkeys(("BINPUT", "LONG_BINPUT"), _Machine.put),
    "MEMOIZE": _Machine.memoize,
    **dict.fromkeys(("BINGET", "LONG_BINGET"), _Machine.get),
    "TUPLE": _Machine.tuple_of_marked,
    "TUPLE1": lambda machine, _: machine.tuple_of(1),
    "TUPLE2": lambda machine, _: machine.tuple_of(2),
    "TUPLE3": lambda machine, _: machine.tuple_of(3),
    "APPEND": _Machine.append,
    "APPENDS": _Machine.append_marked,
    "SETITEM": _Machine.set_item,
    "SETITEMS": _Machine.set_marked,
    "GLOBAL": _Machine.name,
    "STACK_GLOBAL": _Machine.stack_name,
    **dict.fromkeys(("REDUCE", "NEWOBJ"), _Machine.make),
    "BUILD": _Machine.build,
}

_NOTHING = {"PROTO", "FRAME", "STOP"}
