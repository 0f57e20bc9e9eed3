"""Small checkpoints in the published layouts of BigGAN, and what the published code draws with them."""

from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import load_file
from torch import Tensor

from latentwalk.gan.families import family_of
from latentwalk.gan.generator import Generator


@dataclass(frozen=True)
class Golden:
    """Made by tests/published/make_<name>.py."""

    checkpoint: dict[str, Tensor]
    z: Tensor
    condition: Tensor
    """Two single classes, and a mixture."""
    pictures: dict[float, Tensor]
    """By truncation; of a family that knows none, at 1."""


def golden(name: str) -> Golden:
    tensors = load_file(Path(__file__).parent / "published" / f"{name}.safetensors")
    checkpoint = {key.removeprefix("checkpoint/"): one for key, one in tensors.items() if "checkpoint/" in key}
    pictures = {float(key.removeprefix("pictures/")): one for key, one in tensors.items() if "pictures/" in key}
    return Golden(checkpoint, tensors["z"], tensors["condition"], pictures)


def make_biggan(family: str = "biggan_deep", truncation: float | None = None) -> Generator:
    """A generator with 4 classes: biggan_deep has 16 x 16 px and a latent of 4 numbers, biggan 32 x 32 px and 12."""
    return family_of(family).from_checkpoint(golden(family).checkpoint, truncation=truncation).freeze()
