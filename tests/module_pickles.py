"""Files as NVlabs' code for PyTorch pickles its networks, written by classes of the same names."""

import pickle
import sys
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor


def reconstruct(meta: object) -> None:
    """What would execute the source, were it called."""


reconstruct.__module__, reconstruct.__qualname__ = "torch_utils.persistence", "_reconstruct_persistent_obj"


class Module:
    """A part of a network, as such a file describes it: its source, and what it holds."""

    def __init__(self, weights: Mapping[str, Tensor | None], **parts: "Module") -> None:
        kept = {"noise_const", "resample_filter", "w_avg", "magnitude_ema", "up_filter", "down_filter", "freqs"}
        held = {name: None if one is None else one.detach() for name, one in weights.items()}
        parameters = {
            name: None if one is None else torch.nn.Parameter(one) for name, one in held.items() if name not in kept
        }
        self.state: dict[str, object] = {
            "training": False,
            "_parameters": OrderedDict(parameters),
            "_buffers": OrderedDict((name, one) for name, one in held.items() if name in kept),
            "_non_persistent_buffers_set": {"a", "b"},
            "_modules": OrderedDict(parts),
            "weight_gain": 1 / np.sqrt(8),
        }

    def __reduce__(self) -> tuple[object, ...]:
        source = "import os\nos.mkdir('done')\n"
        return reconstruct, ({"type": "class", "version": 6, "module_src": source, "state": self.state},)


def module_of(weights: Mapping[str, Tensor]) -> Module:
    """The tree of modules that has this state dict."""
    inner = {name.partition(".")[0] for name in weights if "." in name}
    parts = {
        part: module_of({n.removeprefix(f"{part}."): one for n, one in weights.items() if n.startswith(f"{part}.")})
        for part in sorted(inner)
    }
    return Module({"none": None} | {name: one for name, one in weights.items() if "." not in name}, **parts)


def write(path: Path, content: object, protocol: int = 4) -> Path:
    """Pickles under the names of NVlabs' code, which are gone again before anything is read."""
    modules = {name: ModuleType(name) for name in ("torch_utils", "torch_utils.persistence")}
    vars(modules["torch_utils.persistence"])["_reconstruct_persistent_obj"] = reconstruct
    with patch.dict(sys.modules, modules):
        path.write_bytes(pickle.dumps(content, protocol))
    return path


def networks(average: object) -> dict[str, object]:
    trained_on = {"path": "a/long/path/" * 30, "use_labels": True, "max_size": 7, "xflip": False}
    other = Module({"weight": torch.ones(2)})
    return {"training_set_kwargs": trained_on, "G": other, "D": Module({}), "G_ema": average, "augment_pipe": None}
