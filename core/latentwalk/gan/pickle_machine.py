"""A pickle is a program for a small machine of a stack and a memo. The machine here runs it, but calls nothing (law 3).

What the program would have made by a call stays a description of that call.
"""

import pickletools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from latentwalk.gan.errors import GanError

# The published networks take some ten thousand: what is large of them are the numbers, an instruction a tensor.
MAX_INSTRUCTIONS = 1_000_000
MAX_NAME = 1_000


@dataclass(frozen=True)
class Name:
    """A class or function that the program wants."""

    name: str


@dataclass
class Made:
    """What a call of that name would have made."""

    name: str
    arguments: Any
    state: Any = None
    items: dict[Any, Any] = field(default_factory=dict[Any, Any])


def text_of(name: object) -> str:
    """A name, which must be text: to hash or to write tuples of tuples that are shared takes time without bound."""
    if not isinstance(name, str):
        raise GanError(f"it has a {type(name).__name__} as a name")
    return name


def name_below(prefix: str, name: object) -> str:
    """Both in one. Raises GanError for a name that is no text, or beyond the limit: many may share a long prefix."""
    whole = prefix + text_of(name)
    if len(whole) > MAX_NAME:
        raise GanError(f"it has a name of {len(whole)} characters, the limit is {MAX_NAME}")
    return whole


def run_pickle(program: bytes) -> object:
    """What the program leaves, calls as descriptions.

    A set comes as a list. Raises GanError for an instruction that no weights need, and for too many of them; for a
    broken program IndexError, TypeError or ValueError, too.
    """
    return _Machine().run(program)


class _Machine:
    """The stack, the stacks below the marks, and the memo."""

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._below: list[list[Any]] = []
        self._memo: dict[int, Any] = {}

    def run(self, program: bytes) -> object:
        """What the program leaves. Raises GanError for an instruction that no weights need, and too many."""
        for count, (instruction, argument, _) in enumerate(pickletools.genops(program)):
            if count == MAX_INSTRUCTIONS:
                raise GanError(f"it has more than {MAX_INSTRUCTIONS} instructions, which no weights need")
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
        self._items()[text_of(key)] = value

    def set_marked(self, _: object) -> None:
        marked = self._marked()
        self._items().update(zip(map(text_of, marked[::2]), marked[1::2], strict=True))

    def _items(self) -> dict[Any, Any]:
        target = self._stack[-1]
        return target.items if isinstance(target, Made) else target

    def name(self, argument: str) -> None:
        self._stack.append(Name(argument.replace(" ", ".")))

    def stack_name(self, _: object) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        self._stack.append(Name(f"{text_of(module)}.{text_of(name)}"))

    def make(self, _: object) -> None:
        arguments, maker = self._stack.pop(), self._stack.pop()
        self._stack.append(Made(maker.name if isinstance(maker, Name) else "", arguments))

    def build(self, _: object) -> None:
        state = self._stack.pop()
        self._stack[-1].state = state


def _itself(argument: Any) -> Any:
    return argument


_VALUES: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(
        ("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8"), _itself
    ),
    # Text of Python 2.
    "SHORT_BINSTRING": _itself,
    **dict.fromkeys(("BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT"), _itself),
    "NONE": lambda _: None,
    "NEWTRUE": lambda _: True,
    "NEWFALSE": lambda _: False,
    "EMPTY_DICT": lambda _: {},
    "EMPTY_LIST": lambda _: [],
    "EMPTY_TUPLE": lambda _: (),
    # What is in it is not looked at, and as a set it would be hashed.
    "EMPTY_SET": lambda _: [],
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
    **dict.fromkeys(("APPENDS", "ADDITEMS"), _Machine.append_marked),
    "SETITEM": _Machine.set_item,
    "SETITEMS": _Machine.set_marked,
    "GLOBAL": _Machine.name,
    "STACK_GLOBAL": _Machine.stack_name,
    **dict.fromkeys(("REDUCE", "NEWOBJ"), _Machine.make),
    "BUILD": _Machine.build,
}

_NOTHING = {"PROTO", "FRAME", "STOP"}
