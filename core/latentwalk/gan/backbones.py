"""Networks of others whose weights are a download: read from a file by our own reader, and never fetched."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import torch

from latentwalk.gan.errors import MissingBackbone


@dataclass(frozen=True, slots=True)
class Backbone:
    """Where the weights of one are found."""

    weights: str
    """What they are called by those who published them."""
    files: tuple[str, ...]
    """The names under which they lie in torch's cache, the best first."""
    url: str
    """Of the first."""
    packages: tuple[str, ...]
    """What must be installed beside torch."""
    setting: str
    """The setting of the services that says where they lie."""

    def find(self, path: Path | None = None) -> Path:
        """The file: this path, or one in this folder; by default one in torch's own cache.

        Raises MissingBackbone naming the file to put there, or the package that is not installed.
        """
        missing = [package for package in self.packages if find_spec(package) is None]
        if missing:
            raise MissingBackbone(f"{' and '.join(missing)} must be installed: pip install 'latentwalk[lpips]'")
        place = Path(torch.hub.get_dir()) / "checkpoints" if path is None else path
        candidates = [place / name for name in self.files] if path is None or place.is_dir() else [place]
        for file in candidates:
            if file.is_file():
                return file
        raise MissingBackbone(
            f"there is no {candidates[0]}: put {self.weights} there ({self.url}), or say where it lies ({self.setting})"
        )
