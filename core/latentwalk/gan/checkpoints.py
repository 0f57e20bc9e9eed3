"""Foreign checkpoints, read without ever doing what they say (law 3)."""

import re
import zipfile
from pathlib import Path
from typing import TypeAlias, cast

import torch
from torch import Tensor

from latentwalk.gan.errors import CheckpointRefused, GanError
from latentwalk.gan.module_pickles import is_module_pickle, read_module_pickle
from latentwalk.gan.network_pickles import is_network_pickle, read_network_pickle

Tree: TypeAlias = "dict[str | int, Tree] | list[Tree] | tuple[Tree, ...] | str | int | float | bool | Tensor | None"

# The largest published GAN checkpoints have about 1 GiB; deeper or larger trees are attacks, not weights.
MAX_BYTES = 8 * 2**30
MAX_DEPTH = 64
MAX_NODES = 1_000_000


def read_checkpoint(path: Path, max_bytes: int = MAX_BYTES) -> Tree:
    """Reads what torch.save wrote, or NVlabs' code for TensorFlow or PyTorch, as tensors and plain containers.

    Nothing of it is executed. Both forms of torch are read: the zip archive, and the stream of pickles of torch
    before 1.6; for the others see network_pickles and module_pickles. The tensors are dense, on the CPU, neither
    quantized nor complex; a parameter comes as a plain tensor. Raises CheckpointRefused naming the file and the
    reason: the global that it wants to call, what it holds that is no weight, its size, or how it is broken.
    """
    try:
        _check_size(path, max_bytes)
        if is_network_pickle(path):
            content: object = read_network_pickle(path)
        elif is_module_pickle(path):
            content = read_module_pickle(path)
        else:
            content = torch.load(path, map_location="cpu", weights_only=True)
        return _Inspection(max_bytes).tree(content, depth=0)
    except Exception as failure:  # a hostile file may make its reader fail in any way at all
        raise CheckpointRefused(str(path), _reason(failure)) from failure


def find_state_dict(tree: Tree, key: str | None = None) -> dict[str, Tensor]:
    """The weights in a checkpoint: under ``key``, or else the only mapping from names to tensors in it.

    The prefix "module.", which torch's DataParallel puts before every name, is taken off. Raises GanError
    listing the keys that hold weights, if there are none under this key, or several and no key says which.
    """
    branches: dict[str | int | None, Tree] = {None: tree, **tree} if isinstance(tree, dict) else {}
    found = {name: weights for name, branch in branches.items() if (weights := _weights(branch))}
    if key is None and len(found) == 1:
        return next(iter(found.values()))
    if key is None or key not in found:
        keys = [name for name in found if name is not None]
        raise GanError(f"key of the weights in the checkpoint is {key!r}: it must be one of {keys}")
    return found[key]


def _check_size(path: Path, max_bytes: int) -> None:
    size = path.stat().st_size
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            size = max(size, sum(entry.file_size for entry in archive.infolist()))
    if size > max_bytes:
        raise GanError(f"it unfolds to {size} bytes, the limit is {max_bytes}")


class _Inspection:
    """One walk over everything that a checkpoint holds, which loops and sharing cannot prolong."""

    def __init__(self, max_bytes: int) -> None:
        self._bytes_left = max_bytes
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
        if node is None or type(node) in (str, int, float, bool):
            return cast("Tree", node)
        raise GanError(f"it holds a {_type_name(node)}, which is neither a tensor nor a plain container")

    def _tensor(self, tensor: Tensor) -> Tensor:
        form = f"{tensor.layout}, {tensor.dtype}, on {tensor.device}"
        if type(tensor) not in (Tensor, torch.nn.Parameter):
            raise GanError(f"it holds a {_type_name(tensor)}, which is not a plain tensor")
        if tensor.layout != torch.strided or tensor.device.type != "cpu":
            raise GanError(f"it holds a tensor ({form}) that is not dense")
        if tensor.is_quantized or tensor.is_complex():
            raise GanError(f"it holds a tensor ({form}) that is quantized or complex")
        self._bytes_left -= tensor.numel() * tensor.element_size()
        if self._bytes_left < 0:
            raise GanError("its tensors unfold to more bytes than the limit")
        return tensor.detach()


def _key(name: object) -> str | int:
    if type(name) in (str, int):
        return cast("str | int", name)
    raise GanError(f"it holds a key of type {_type_name(name)}: keys must be text or integers")


def _type_name(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"


def _reason(failure: Exception) -> str:
    if isinstance(failure, GanError):
        return str(failure)
    # torch names what it refuses as "GLOBAL <module>.<name>", without the module if that is builtins.
    wanted = re.search(r"GLOBAL (\S+)", str(failure))
    if wanted:
        return f"it wants to call {wanted[1]}, which no weights need"
    return f"it cannot be read: {type(failure).__name__}: {str(failure).partition(chr(10))[0]}"


def _weights(branch: Tree) -> dict[str, Tensor]:
    """The branch, if it is a mapping from names to tensors and nothing else; else nothing."""
    if not isinstance(branch, dict):
        return {}
    weights = {str(name).removeprefix("module."): leaf for name, leaf in branch.items() if isinstance(leaf, Tensor)}
    return weights if len(weights) == len(branch) else {}
