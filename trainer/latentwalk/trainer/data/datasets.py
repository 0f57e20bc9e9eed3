"""Data sets of torchvision."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from latentwalk.trainer.data.pictures import DataRefused, Form, Part, Pictures, check_size, fit

_RESIZED_AT_ONCE = 4_096

DATASETS: Mapping[str, Form] = {
    "MNIST": Form(1, 10, 10_000),
    "FashionMNIST": Form(1, 10, 10_000),
    "KMNIST": Form(1, 10, 10_000),
}
"""By their names in torchvision; all have a train part and a test part. None that torchvision would unpickle."""


@dataclass(frozen=True)
class Dataset:
    """A data set that torchvision knows."""

    root: Path
    """The layout below it is torchvision's, such as MNIST/raw."""
    name: str
    download: bool
    """Whether torchvision may fetch it."""

    def form(self) -> Form:
        """As of a Library."""
        if self.name not in DATASETS:
            raise DataRefused(f"{self.name!r} is none of {', '.join(DATASETS)}")
        if self.download:
            return DATASETS[self.name]
        return replace(DATASETS[self.name], tested=len(self._load("test")))

    def read(self, part: Part, resolution: int) -> Pictures:
        """As of a Library."""
        loaded = self._load(part)
        images = torch.as_tensor(loaded.data)  # [M, H, W], or [M, H, W, C]
        images = images[:, None] if images.ndim == 3 else images.permute(0, 3, 1, 2)
        check_size(len(images), images.shape[1], resolution)
        fitted = torch.cat([fit(some, resolution) for some in images.split(_RESIZED_AT_ONCE)])
        return Pictures(fitted, torch.as_tensor(loaded.targets), tuple(loaded.classes))

    def _load(self, part: Part) -> Any:
        # Here, and not above: most jobs need no data, and torchvision takes seconds to import.
        from torchvision import datasets

        load: Callable[..., Any] = getattr(datasets, self.name)
        try:
            return load(str(self.root), train=part == "train", download=self.download)
        except (RuntimeError, OSError, ValueError) as error:
            # torchvision's own advice after a lack of files is to a programmer.
            problem = str(error).partition(" You can use download=True")[0].rstrip(".")
            raise DataRefused(
                f"data set {self.name} cannot be read from {self.root.resolve()}: {problem}. Put it there in "
                "torchvision's layout, or let the trainer download it (--download)"
            ) from error
