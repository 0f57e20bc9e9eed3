"""Foreign checkpoints, read without ever doing what they say (law 3)."""

import math
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, TypeVar, cast

import torch
from torch import Tensor

from latentwalk.gan.array_files import is_array_file, read_array_file
from latentwalk.gan.errors import CheckpointRefused, GanError
from latentwalk.gan.module_pickles import is_module_pickle, read_module_pickle
from latentwalk.gan.network_pickles import is_network_pickle, read_network_pickle
from latentwalk.gan.tensor_files import is_tensor_file, read_tensor_file
from latentwalk.gan.torch_archives import is_torch_archive, unfolded_archive
from latentwalk.gan.torch_pickles import Options, read_torch_archive, read_torch_stream

Tree: TypeAlias = "dict[str | int, Tree] | list[Tree] | tuple[Tree, ...] | str | int | float | bool | Tensor | None"
_Found = TypeVar("_Found")

# The largest published GAN checkpoints have about 1 GiB; deeper or larger trees are attacks, not weights.
MAX_BYTES = 8 * 2**30
MAX_DEPTH = 64
MAX_NODES = 1_000_000
MAX_KEY = 1_000
MAX_SIDES = 8
UNFOLDS = 8
"""How many bytes a byte of a file may become: torch.save compresses nothing, but tensors may share what they hold."""
KEYS_SHOWN = 20

_DTYPES = (
    *(torch.float16, torch.bfloat16, torch.float32, torch.float64),
    *(torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64),
)


def _size(path: Path) -> int:
    return path.stat().st_size


@dataclass(frozen=True, slots=True)
class _Format:
    """One of those in which checkpoints are written."""

    is_one: Callable[[Path], bool]
    """By how the file begins."""
    read: Callable[[Path], object]
    """Raises anything at all for a hostile file."""
    unfolded: Callable[[Path], int] = _size
    """To how many bytes it unfolds, as is known before it is read. Raises as ``read`` does."""


_FORMATS = (
    _Format(is_torch_archive, read_torch_archive, unfolded_archive),
    _Format(is_tensor_file, read_tensor_file),
    _Format(is_array_file, read_array_file),
    _Format(is_network_pickle, read_network_pickle),
    _Format(is_module_pickle, read_module_pickle),
    _Format(lambda _: True, read_torch_stream),
)
"""The first that a file is one of reads it."""


def read_checkpoint(path: Path, max_bytes: int = MAX_BYTES) -> Tree:
    """Reads what torch.save, safetensors, numpy.save, or NVlabs' code has written, as tensors and plain containers.

    Nothing of it is executed. Both forms of torch are read: the zip archive, and the stream of pickles of torch
    before 1.6; for the others see tensor_files, array_files, network_pickles and module_pickles. The tensors are
    dense, on the CPU, neither quantized nor complex; a parameter comes as a plain tensor, and the options of a training
    run, an argparse.Namespace, as None. Raises CheckpointRefused naming the file and the reason: the global that it
    wants to call, what it holds that is no weight, its size, what it unfolds to, or how it is broken.
    """
    try:
        form = _format_of(path)
        limit = _limit_of(path, form, max_bytes)
        return _Inspection(limit).tree(form.read(path), depth=0)
    except Exception as failure:  # a hostile file may make its reader fail in any way at all
        raise CheckpointRefused(str(path), _reason(failure)) from failure


def find_state_dict(tree: Tree, key: str | None = None) -> dict[str, Tensor]:
    """The weights in a checkpoint: under ``key``, or else the only mapping from names to tensors in it.

    Weights within a mapping of the checkpoint have both keys, "models.generator". The prefix "module.", which torch's
    DataParallel puts before every name, is taken off. Raises GanError listing keys that hold weights, if there are
    none under this key, or several and no key says which.
    """
    found = {name: weights for name, branch in _branches(tree) if (weights := _weights(branch))}
    return _chosen(found, key, "weights", "a mapping from names to tensors, and nothing else")


def find_tensor(tree: Tree, key: str | None = None) -> Tensor:
    """The tensor in a checkpoint: under ``key``, or else the only one, or the checkpoint itself.

    Keys, and errors, are those of find_state_dict.
    """
    found = {name: part for name, part in ((None, tree), *_branches(tree)) if isinstance(part, Tensor)}
    return _chosen(found, key, "tensor", "a tensor")


def _chosen(found: Mapping[str | int | None, _Found], key: str | None, what: str, form: str) -> _Found:
    """The only one that was found, or that of the key. Raises GanError."""
    if key is None and len(found) == 1:
        return next(iter(found.values()))
    if key is None or key not in found:
        keys = [name for name in found if name is not None]
        if not found:
            raise GanError(f"it holds no {what}: nothing in it is {form}")
        more = f", or another of {len(keys)}" if len(keys) > KEYS_SHOWN else ""
        which = f"it must be one of {keys[:KEYS_SHOWN]}{more}" if keys else "there is but one, leave it out"
        raise GanError(f"key of the {what} in the checkpoint is {key!r}: {which}")
    return found[key]


def _format_of(path: Path) -> _Format:
    """Raises GanError for what is no file, and OSError for what is not there."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise GanError("it is no file, but a folder or a device")
    return next(form for form in _FORMATS if form.is_one(path))


def _limit_of(path: Path, form: _Format, max_bytes: int) -> int:
    """To how many bytes the file may unfold. Raises GanError if it unfolds to more."""
    size = _size(path)
    unfolded, limit = max(size, form.unfolded(path)), min(max_bytes, UNFOLDS * size)
    if unfolded > limit:
        raise GanError(f"it unfolds from {size} to {unfolded} bytes, the limit is {limit}")
    return limit


class _Inspection:
    """One walk over everything that a checkpoint holds, which loops and sharing cannot prolong."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._bytes_left = limit
        self._nodes_left = MAX_NODES

    def tree(self, node: object, depth: int) -> Tree:
        """What a node holds, so deep below the first. Raises GanError for what is no weight, or beyond a limit."""
        self._nodes_left -= 1
        if depth > MAX_DEPTH or self._nodes_left < 0:
            raise GanError(f"it is nested deeper than {MAX_DEPTH} or holds more than {MAX_NODES} values")
        if isinstance(node, Tensor):
            return self._tensor(node)
        if isinstance(node, dict):
            branches = cast("dict[object, object]", node)
            return {_key(name): self.tree(branch, depth + 1) for name, branch in branches.items()}
        if isinstance(node, list):
            return [self.tree(branch, depth + 1) for branch in cast("list[object]", node)]
        if isinstance(node, tuple):
            return tuple(self.tree(branch, depth + 1) for branch in cast("tuple[object, ...]", node))
        if isinstance(node, Options):
            return None
        if node is None or type(node) in (str, int, float, bool):
            return cast("Tree", node)
        raise GanError(f"it holds a {_type_name(node)}, which is neither a tensor nor a plain container")

    def _tensor(self, tensor: Tensor) -> Tensor:
        form = f"{tensor.layout}, {tensor.dtype}, on {tensor.device}"
        if type(tensor) not in (Tensor, torch.nn.Parameter):
            raise GanError(f"it holds a {_type_name(tensor)}, which is not a plain tensor")
        if tensor.layout != torch.strided or tensor.device.type != "cpu":
            raise GanError(f"it holds a tensor ({form}) that is not dense")
        if tensor.dtype not in _DTYPES:
            raise GanError(f"it holds a tensor ({form}) that is quantized, complex or of another type that is not read")
        if tensor.ndim > MAX_SIDES:
            raise GanError(f"it holds a tensor of {tensor.ndim} dimensions, the limit is {MAX_SIDES}")
        # Of one that is empty the other sides are counted: they may become the sides of a tensor that is not.
        self._bytes_left -= math.prod(max(1, side) for side in tensor.shape) * tensor.element_size()
        if self._bytes_left < 0:
            raise GanError(f"its tensors unfold to more bytes than the limit, {self._limit}")
        return tensor.detach()


def _key(name: object) -> str | int:
    """Such that it can be written in one line."""
    if type(name) not in (str, int):
        raise GanError(f"it holds a key of type {_type_name(name)}: keys must be text or integers")
    if isinstance(name, int) and name.bit_length() >= 64:
        raise GanError(f"it holds an integer of {name.bit_length()} bits as a key: keys must have less than 64")
    if isinstance(name, str) and not (len(name) <= MAX_KEY and name.isprintable()):
        raise GanError(f"it holds the key {name[:40]!r}: keys must be printable text of at most {MAX_KEY:,} characters")
    return cast("str | int", name)


def _type_name(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"


def _reason(failure: Exception) -> str:
    if isinstance(failure, GanError):
        return str(failure)
    if isinstance(failure, OSError) and failure.strerror:
        return f"it cannot be read: {failure.strerror}"
    # torch names what it refuses as "GLOBAL <module>.<name>", without the module if that is builtins.
    wanted = re.search(r"GLOBAL (\S+)", str(failure))
    if wanted:
        return f"it wants to call {_in_line(wanted[1])}, which no weights need"
    # Around what torch found, it advises to read the file unsafely.
    found = re.search(r"WeightsUnpickler error:\s*(.*)", str(failure))
    said = _in_line(found[1] if found else str(failure).partition("\n")[0])
    return f"it cannot be read, is it whole, and a checkpoint? ({type(failure).__name__}{said and ': '}{said})"


def _in_line(said: str) -> str:
    """As much of what a file made torch say as has place in a line, which may hold anything."""
    return "".join(letter if letter.isprintable() else "?" for letter in said[:300])


def _branches(tree: Tree) -> Iterator[tuple[str | int | None, Tree]]:
    """The tree, what it holds by name, and what that holds by both names."""
    if isinstance(tree, dict):
        yield None, tree
        yield from ((f"{name}.{inner}", part) for name, branch in tree.items() for inner, part in _items(branch))
        yield from tree.items()


def _items(branch: Tree) -> Iterator[tuple[str | int, Tree]]:
    yield from branch.items() if isinstance(branch, dict) else ()


def _weights(branch: Tree) -> dict[str, Tensor]:
    """The branch, if it is a mapping from names to tensors and nothing else; else nothing."""
    if not isinstance(branch, dict):
        return {}
    weights = {str(name).removeprefix("module."): leaf for name, leaf in branch.items() if isinstance(leaf, Tensor)}
    return weights if len(weights) == len(branch) else {}
