"""Where pictures are found, by their kind and name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from latentwalk.trainer.data.datasets import Dataset
from latentwalk.trainer.data.folders import Folder
from latentwalk.trainer.data.pictures import Form, Part, Pictures

Kind: TypeAlias = Literal["dataset", "folder"]


class _Source(Protocol):
    def form(self) -> Form: ...

    def read(self, part: Part, resolution: int) -> Pictures: ...


@dataclass(frozen=True)
class Library:
    """Where pictures are found: data sets of torchvision, and folders, all under one root."""

    root: Path
    """The data folder of the trainer; the layout in it is torchvision's, such as MNIST/raw."""
    download: bool = False
    """Whether torchvision may fetch a data set that is not there."""

    def form(self, kind: Kind, name: str) -> Form:
        """Checks that the data can be read, by the heads of the files. Raises DataRefused."""
        return _SOURCES[kind](self, name).form()

    def read(self, kind: Kind, name: str, part: Part, resolution: int) -> Pictures:
        """Reads pictures, each scaled until its shorter side fits and cut to its middle. Raises DataRefused."""
        return _SOURCES[kind](self, name).read(part, resolution)


_SOURCES: Mapping[Kind, Callable[[Library, str], _Source]] = {
    "dataset": lambda library, name: Dataset(library.root, name, library.download),
    "folder": lambda library, name: Folder(library.root, name),
}
