"""Folders of pictures, with a sub-folder for each class, or without classes."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from latentwalk.trainer.data.decoding import decoded, is_grey, shown
from latentwalk.trainer.data.pictures import DataRefused, Form, Part, Pictures, check_size, fit

_TESTED = 10
"""The first picture and each tenth from there on are of the test part."""
_LEAST = 2
"""Pictures of a class, or of a folder without classes: one may be of the test part."""


@dataclass(frozen=True)
class Folder:
    """A folder of pictures below a root."""

    root: Path
    name: str

    def form(self) -> Form:
        """As of a Library."""
        classes, files = self._listed()
        grey = all(is_grey(path) for path, _ in files)
        return Form(1 if grey else 3, len(classes), sum(_is_tested(place) for place in range(len(files))))

    def read(self, part: Part, resolution: int) -> Pictures:
        """As of a Library."""
        form = self.form()
        classes, files = self._listed()
        chosen = [file for place, file in enumerate(files) if _is_tested(place) == (part == "test")]
        check_size(len(chosen), form.channels, resolution)
        images = torch.empty(len(chosen), form.channels, resolution, resolution, dtype=torch.uint8)
        for image, (path, _) in zip(images, chosen, strict=True):
            image.copy_(fit(decoded(path, form.channels), resolution)[0])
        labels = torch.tensor([label for _, label in chosen]) if classes else None
        return Pictures(images, labels, classes)

    def _listed(self) -> tuple[tuple[str, ...], list[tuple[Path, int]]]:
        """The names of the classes, and each file with its class; all sorted by name."""
        try:
            return _found(self.root.resolve(), self.name)
        except (OSError, ValueError, RuntimeError) as error:  # such as: not permitted, no name at all, a loop of links
            raise DataRefused(f"folder {self.name!r} of the data folder {self.root} cannot be read: {error}") from error


def _found(root: Path, name: str) -> tuple[tuple[str, ...], list[tuple[Path, int]]]:
    folder = (root / name).resolve()
    if not folder.is_relative_to(root):
        raise DataRefused(f"folder {name!r} leads out of the data folder {root}")
    if not folder.is_dir():
        raise DataRefused(f"there is no folder {name!r} in the data folder {root}")
    classes = [path for path in _visible(folder) if path.is_dir()]
    homes = classes or [folder]
    files = [(path, label) for label, home in enumerate(homes) for path in _visible(home) if path.is_file()]
    if stray := [shown(Path(path.name)) for path in _visible(folder) if classes and not path.is_dir()]:
        raise DataRefused(
            f"folder {name!r} has sub-folders, one a class, and {stray[0]!r} beside them: move it into one"
        )
    names = tuple(shown(Path(path.name)) for path in classes)
    _check_counts(name, names, Counter(label for _, label in files))
    return names, files


def _check_counts(name: str, classes: tuple[str, ...], pictures: Mapping[int, int]) -> None:
    """Raises DataRefused for a folder, or a class, of which nothing might be left to learn from beside its tests."""
    for label, class_name in enumerate(classes or (name,)):
        if (count := pictures.get(label, 0)) < _LEAST:
            what = f"class {class_name!r} of folder {name!r}" if classes else f"folder {name!r}"
            raise DataRefused(f"{what} has {count or 'no'} picture{'' if count else 's'}: at least {_LEAST} are needed")


def _is_tested(place: int) -> bool:
    """Whether the picture at this place of a folder is of the test part."""
    return place % _TESTED == 0


def _visible(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.iterdir()) if not path.name.startswith("."))
