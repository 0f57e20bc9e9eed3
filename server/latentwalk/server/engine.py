"""The engine: rows of latents in, pixels out.

Shapes: N batch, Z latent size, K classes, C channels, H height, W width.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from latentwalk.gan.generator import Generator
from latentwalk.gan.images import to_uint8


@dataclass(frozen=True, slots=True)
class Row:
    """All that one picture depends on, besides the weights (law 1)."""

    z: Tensor
    """float32 [Z], on the CPU."""
    condition: Tensor | None
    """float32 [K], sums to 1, on the CPU; None for an unconditional generator."""
    strict: bool = False
    """Equal bytes in any company: drawn in a batch of its own. The others agree with themselves within 1/255."""


@dataclass(frozen=True, slots=True)
class PictureSize:
    """The size of a picture whose pixels are uint8 [H, W, C]."""

    width: int
    height: int
    channels: int

    @property
    def bytes(self) -> int:
        """How much memory its pixels take."""
        return self.width * self.height * self.channels


class NoSuchDevice(Exception):
    """A device was asked for that is not there."""


class NonFinitePicture(Exception):
    """A picture has pixels that are NaN or infinite."""


class Engine:
    """One frozen generator on one device. Must be used by one thread at a time."""

    def __init__(self, generator: Generator, device: torch.device) -> None:
        self._generator = generator.to(device)
        self._device = device
        self.spec = generator.spec
        self.digest = generator.digest
        self.size = PictureSize(self.spec.resolution, self.spec.resolution, self.spec.channels)

    def warm(self, batch: int) -> None:
        """Draws one picture and a whole batch, so that no request pays for what the first use of each costs."""
        blank = Row(
            torch.zeros(self.spec.latent_size),
            torch.eye(self.spec.classes)[0] if self.spec.classes else None,
        )
        for size in (1, batch):
            self.draw([blank] * size)

    @torch.inference_mode()
    def draw(self, rows: Sequence[Row]) -> list[bytes | Exception]:
        """The pixels of each row, uint8 [H, W, C] in row-major bytes; NonFinitePicture for one that has none.

        The batch is drawn at its own size, not padded to a few fixed ones: without compiled graphs no size is dearer
        than its neighbours, and on a CPU padding a batch of 5 to 8 costs half as much again.
        """
        z = torch.stack([row.z for row in rows]).to(self._device)  # [N, Z]
        conditions = [row.condition for row in rows if row.condition is not None]
        condition = torch.stack(conditions).to(self._device) if conditions else None  # [N, K]
        pictures = self._generator(z, condition)  # [N, C, H, W]
        finite = pictures.isfinite().flatten(1).all(dim=1).tolist()
        pixels = to_uint8(pictures, self.spec.range).cpu().numpy()  # [N, H, W, C]
        # Each picture gets memory of its own: one that waits for its reader must not hold on to its whole batch.
        return [
            picture.tobytes() if is_finite else NonFinitePicture("a pixel is NaN or infinite")
            for picture, is_finite in zip(pixels, finite, strict=True)
        ]


def find_device(name: str) -> torch.device:
    """The device of that name, as torch knows it; "auto" is CUDA where there is one, else the CPU.

    Raises NoSuchDevice.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:
        raise NoSuchDevice(f"device {name!r} cannot be used: {str(error).splitlines()[0]}") from error


def use_threads(count: int) -> None:
    """How many threads torch computes with; 0 leaves one core to the event loop, the encoders and the callers.

    torch's threads wait for each other by spinning, so one core too many costs far more than it gives: with a busy
    neighbour on 2 cores, 2 threads took 130 ms for what 1 thread did in 4 ms.
    """
    torch.set_num_threads(count or max(1, _cores() - 1))


def _cores() -> int:
    """How many cores this process may use, where the system tells; else how many there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
