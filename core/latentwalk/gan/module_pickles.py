"""The networks that NVlabs' code for PyTorch has pickled, read without ever doing what they say (law 3).

Such a file brings source code and tells to execute it, then to make modules of it (torch_utils.persistence). Neither is
done: of the calls that it describes, only those that make tensors become weights.
"""

import io
from pathlib import Path
from typing import Any, TypeAlias, cast

import torch
from torch import Tensor

from latentwalk.gan.errors import GanError
from latentwalk.gan.pickle_machine import Made, name_below, run_pickle, text_of
from latentwalk.gan.torch_pickles import Instructions, read_stream

Networks: TypeAlias = dict[str, dict[str, Tensor]]

# What such a file holds near its beginning: before the first network there may be a description of the training set.
_MARK, _WITHIN = b"torch_utils.persistence", 4_096
_MODULE = "torch_utils.persistence._reconstruct_persistent_obj"
_NAMES = ("G", "D", "G_ema")


def is_module_pickle(path: Path) -> bool:
    """Whether the file begins as a pickle of such networks."""
    with path.open("rb") as file:
        start = file.read(_WITHIN)
    return start.startswith(b"\x80") and _MARK in start


def read_module_pickle(path: Path) -> Networks:
    """The weights of the generator "G", the discriminator "D" and the average "G_ema", as far as it has them.

    They are named as in a state dict. Raises GanError for what is no such file, and AttributeError, IndexError,
    KeyError, RuntimeError, TypeError, UnpicklingError or ValueError for a broken one.
    """
    content = run_pickle(path.read_bytes())
    if not isinstance(content, dict) or not any(name in content for name in _NAMES):
        raise GanError(f"it is not a pickle of networks {', '.join(_NAMES)}")
    networks = cast("dict[str, object]", content)
    instructions = Instructions()
    present = [name for name in _NAMES if networks.get(name) is not None]
    return {name: _Reader(instructions).weights(networks[name], "") for name in present}


class _Reader:
    """What is read once stays read: parts and storages may be shared."""

    def __init__(self, instructions: Instructions) -> None:
        self._instructions = instructions
        self._modules: set[int] = set()
        self._storages: dict[int, Tensor] = {}

    def weights(self, module: object, prefix: str) -> dict[str, Tensor]:
        """The tensors of a module and of its parts, of which each may be met once."""
        if not isinstance(module, Made) or module.name != _MODULE or id(module) in self._modules:
            raise GanError(f"what it has for network {prefix.rstrip('.') or 'G, D or G_ema'!r} is none")
        self._modules.add(id(module))
        state = module.arguments[0]["state"]
        leaves = {**_items(state["_parameters"]), **_items(state["_buffers"])}
        named = {name_below(prefix, name): leaf for name, leaf in leaves.items() if leaf is not None}
        own = {name: self._tensor(name, leaf) for name, leaf in named.items()}
        for name, part in _items(state["_modules"]).items():
            own |= self.weights(part, name_below(prefix, name) + ".")
        return own

    def _tensor(self, name: str, leaf: object) -> Tensor:
        """Raises GanError for what is no tensor."""
        made = leaf
        if isinstance(made, Made) and made.name == "torch._utils._rebuild_parameter":
            made = made.arguments[0]
        if not isinstance(made, Made) or made.name != "torch._utils._rebuild_tensor_v2":
            raise GanError(f"its {name} is no tensor")
        storage, offset, size, stride = made.arguments[:4]
        # Not a view that torch would make larger memory for: this one is refused beyond the end.
        return self._storage(name, storage).as_strided(size, stride, offset)

    def _storage(self, name: str, made: object) -> Tensor:
        """All numbers of a storage, flat, which lies there as torch.save wrote it before 1.6."""
        if not isinstance(made, Made) or made.name != "torch.storage._load_from_bytes":
            raise GanError(f"its {name} has no storage")
        saved = made.arguments[0]
        if not isinstance(saved, bytes) or saved.startswith(b"PK"):  # an archive may unfold to any size
            raise GanError(f"its {name} has a storage in another form than that of torch before 1.6")
        if id(saved) not in self._storages:
            content: Any = read_stream(io.BytesIO(saved), self._instructions)
            self._storages[id(saved)] = torch.empty(0, dtype=content.dtype).set_(content)
        return self._storages[id(saved)]


def _items(mapping: object) -> dict[str, object]:
    """Those of a dict, or of an ordered one, which is made by a call."""
    items = mapping.items if isinstance(mapping, Made) else cast("dict[Any, object]", mapping)
    return {text_of(name): item for name, item in items.items()}
