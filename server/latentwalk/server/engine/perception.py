"""LPIPS for searches: whether it can be had, which the server asks, and the network itself, in the device's process."""

from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import torch

from latentwalk.gan.errors import GanError
from latentwalk.gan.perceptual import ALEXNET, PerceptualError, check_pictures, read_alexnet
from latentwalk.gan.spec import GeneratorSpec


@dataclass(frozen=True, slots=True)
class Perception:
    """Where the weights of its backbone lie. They are read by whoever needs them first, and kept."""

    backbone: str = ""
    """The file, or its folder; empty for torchvision's cache."""

    def check(self, spec: GeneratorSpec) -> None:
        """Raises GanError if the pictures of such a generator cannot be compared. Reads the file, once."""
        check_pictures(spec.resolution, spec.channels)
        file = self._file
        if fault := _fault(file, file.stat().st_mtime_ns):
            raise fault.with_traceback(None)

    def on(self, device: torch.device) -> PerceptualError:
        """The network on a device. Raises GanError."""
        return _network(self._file, device)

    @property
    def _file(self) -> Path:
        return ALEXNET.find(Path(self.backbone) if self.backbone else None)


@lru_cache(maxsize=1)
def _fault(file: Path, written: int) -> GanError | None:
    """What is wrong with the file, as it was written then: a broken one, too, is read once."""
    try:
        read_alexnet(file)
    except GanError as error:
        return error
    return None


@cache
def _network(file: Path, device: torch.device) -> PerceptualError:
    return PerceptualError(file).to(device)
