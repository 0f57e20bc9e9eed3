"""Small checkpoints in published layouts, and what the published code draws with them."""

from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import load_file
from torch import Tensor


@dataclass(frozen=True)
class Golden:
    """Made by tests/published/make_<name>.py."""

    checkpoint: dict[str, Tensor]
    z: Tensor
    condition: Tensor | None
    """None without classes. Of a biggan two single classes, and a mixture."""
    pictures: dict[float, Tensor]
    """By truncation; of a family that knows none, at 1."""
    noise: Tensor | None
    """Of all layers, [N, P]; None where none is drawn."""


def golden(name: str) -> Golden:
    tensors = load_file(Path(__file__).parent / "published" / f"{name}.safetensors")
    checkpoint = {key.removeprefix("checkpoint/"): one for key, one in tensors.items() if "checkpoint/" in key}
    pictures = {float(key.removeprefix("pictures/")): one for key, one in tensors.items() if "pictures/" in key}
    return Golden(checkpoint, tensors["z"], tensors.get("condition"), pictures, tensors.get("noise"))
