"""Pictures to learn from: data sets of torchvision and folders of pictures, whole in memory."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from latentwalk.trainer.devices import CPU

Kind: TypeAlias = Literal["dataset", "folder"]
Part: TypeAlias = Literal["train", "test"]

MAX_BYTES = 8 * 2**30
"""Of a data set in memory; more is refused."""
_TESTED = 10
"""Of a folder, the first picture and each tenth from there on are its test part."""
_LEAST = 2
"""Pictures of a class, or of a folder without classes: one may be of the test part."""
_GREY = frozenset({"1", "L", "LA", "I", "I;16"})
# Of 16 bits to a pixel, whether Pillow tells it or not.
_DEEP = frozenset({"I", "I;16", "I;16B", "I;16L"})
_DEEP_WHITE = 2**16 - 1
_RESIZED_AT_ONCE = 4_096
_LONGEST = 16
"""Of a picture, the longer side beside the shorter one. What a longer one has beyond is cut off before it is scaled,
not after: scaled, a line of 60,000 pixels has 4 billion."""


class DataRefused(Exception):
    """What was to be learned from is not there, does not consist of pictures, or is not what it was."""


@dataclass(frozen=True, slots=True)
class Form:
    """What can be told of a data set without reading all of it."""

    channels: int
    """C: 1 for grey, 3 for colour."""
    classes: int
    """K; 0 without classes."""
    tested: int
    """Pictures in the test part."""


@dataclass(frozen=True, eq=False)
class Pictures:
    """A data set in memory."""

    images: Tensor
    """uint8 [M, C, H, W]."""
    labels: Tensor | None
    """int64 [M], each from 0 to K - 1; None without classes."""
    classes: tuple[str, ...]
    """The names of the K classes."""
    device: torch.device = CPU
    """Where they are learned from; the set itself stays in the machine's memory."""

    def __len__(self) -> int:
        """M."""
        return len(self.images)

    def pictures(self, rows: Tensor) -> Tensor:
        """Some pictures as float32 [N, C, H, W] in (-1, 1), on the device."""
        return self.images[rows].to(self.device).float().mul_(2 / 255).sub_(1)

    def classes_of(self, rows: Tensor) -> Tensor:
        """The classes of some pictures, int64 [N], on the device; only of a set that has classes."""
        assert self.labels is not None  # noqa: S101 - validation refuses data without classes where they are needed
        return self.labels[rows].to(self.device)

    @cached_property
    def digest(self) -> str:
        """The sha256 of pictures and labels, as they are in memory: a second or two for each GiB."""
        hasher = hashlib.sha256(repr(tuple(self.images.shape)).encode())
        for tensor in (self.images, self.labels):
            if tensor is not None:
                hasher.update(tensor.contiguous().numpy().data)
        return f"sha256:{hasher.hexdigest()}"


@dataclass(frozen=True)
class Library:
    """Where pictures are found: data sets of torchvision, and folders, all under one root."""

    root: Path
    """The data folder of the trainer; the layout in it is torchvision's, such as MNIST/raw."""
    download: bool = False
    """Whether torchvision may fetch a data set that is not there."""

    def form(self, kind: Kind, name: str) -> Form:
        """Checks that the data can be read, by the heads of the files. Raises DataRefused."""
        return _SOURCES[kind].form(self, name)

    def read(self, kind: Kind, name: str, part: Part, resolution: int) -> Pictures:
        """Reads pictures, each scaled until its shorter side fits and cut to its middle. Raises DataRefused."""
        return _SOURCES[kind].read(self, name, part, resolution)


# -- data sets of torchvision ----------------------------------------------------------------------------------------


DATASETS: Mapping[str, Form] = {
    "MNIST": Form(1, 10, 10_000),
    "FashionMNIST": Form(1, 10, 10_000),
    "KMNIST": Form(1, 10, 10_000),
}
"""By their names in torchvision; all have a train part and a test part. None that torchvision would unpickle."""


def _known_form(library: Library, name: str) -> Form:
    if name not in DATASETS:
        raise DataRefused(f"{name!r} is none of {', '.join(DATASETS)}")
    if library.download:
        return DATASETS[name]
    return replace(DATASETS[name], tested=len(_load(library, name, train=False)))


def _read_known(library: Library, name: str, part: Part, resolution: int) -> Pictures:
    loaded = _load(library, name, train=part == "train")
    images = torch.as_tensor(loaded.data)  # [M, H, W], or [M, H, W, C]
    images = images[:, None] if images.ndim == 3 else images.permute(0, 3, 1, 2)
    _check_size(len(images), images.shape[1], resolution)
    fitted = torch.cat([_fit(some, resolution) for some in images.split(_RESIZED_AT_ONCE)])
    return Pictures(fitted, torch.as_tensor(loaded.targets), tuple(loaded.classes))


def _load(library: Library, name: str, *, train: bool) -> Any:
    # Here, and not above: most jobs need no data, and torchvision takes seconds to import.
    from torchvision import datasets

    load: Callable[..., Any] = getattr(datasets, name)
    try:
        return load(str(library.root), train=train, download=library.download)
    except (RuntimeError, OSError, ValueError) as error:
        # torchvision's own advice after a lack of files is to a programmer.
        problem = str(error).partition(" You can use download=True")[0].rstrip(".")
        raise DataRefused(
            f"data set {name} cannot be read from {library.root.resolve()}: {problem}. Put it there in torchvision's "
            "layout, or let the trainer download it (--download)"
        ) from error


# -- folders of pictures ---------------------------------------------------------------------------------------------


def _folder_form(library: Library, name: str) -> Form:
    classes, files = _listed(library, name)
    grey = all(_mode(path) in _GREY for path, _ in files)
    return Form(1 if grey else 3, len(classes), sum(_is_tested(place) for place in range(len(files))))


def _read_folder(library: Library, name: str, part: Part, resolution: int) -> Pictures:
    form = _folder_form(library, name)
    classes, files = _listed(library, name)
    chosen = [file for place, file in enumerate(files) if _is_tested(place) == (part == "test")]
    _check_size(len(chosen), form.channels, resolution)
    images = torch.empty(len(chosen), form.channels, resolution, resolution, dtype=torch.uint8)
    for image, (path, _) in zip(images, chosen, strict=True):
        image.copy_(_fit(_decoded(path, form.channels), resolution)[0])
    labels = torch.tensor([label for _, label in chosen]) if classes else None
    return Pictures(images, labels, classes)


def _listed(library: Library, name: str) -> tuple[tuple[str, ...], list[tuple[Path, int]]]:
    """The names of the classes, and each file with its class; all sorted by name."""
    try:
        return _found(library.root.resolve(), name)
    except (OSError, ValueError, RuntimeError) as error:  # such as: not permitted, no name at all, a loop of links
        raise DataRefused(f"folder {name!r} of the data folder {library.root} cannot be read: {error}") from error


def _found(root: Path, name: str) -> tuple[tuple[str, ...], list[tuple[Path, int]]]:
    folder = (root / name).resolve()
    if not folder.is_relative_to(root):
        raise DataRefused(f"folder {name!r} leads out of the data folder {root}")
    if not folder.is_dir():
        raise DataRefused(f"there is no folder {name!r} in the data folder {root}")
    classes = [path for path in _visible(folder) if path.is_dir()]
    homes = classes or [folder]
    files = [(path, label) for label, home in enumerate(homes) for path in _visible(home) if path.is_file()]
    if stray := [_shown(Path(path.name)) for path in _visible(folder) if classes and not path.is_dir()]:
        raise DataRefused(
            f"folder {name!r} has sub-folders, one a class, and {stray[0]!r} beside them: move it into one"
        )
    names = tuple(_shown(Path(path.name)) for path in classes)
    _check_counts(name, names, Counter(label for _, label in files))
    return names, files


def _check_counts(name: str, classes: tuple[str, ...], pictures: Mapping[int, int]) -> None:
    """Raises DataRefused for a folder, or a class, of which nothing might be left to learn from beside its tests."""
    for label, shown in enumerate(classes or (name,)):
        if (count := pictures.get(label, 0)) < _LEAST:
            what = f"class {shown!r} of folder {name!r}" if classes else f"folder {name!r}"
            raise DataRefused(f"{what} has {count or 'no'} picture{'' if count else 's'}: at least {_LEAST} are needed")


def _is_tested(place: int) -> bool:
    """Whether the picture at this place of a folder is of the test part."""
    return place % _TESTED == 0


def _visible(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.iterdir()) if not path.name.startswith("."))


def _shown(path: Path) -> str:
    """A path in messages, which are UTF-8; the name of a file may be of any bytes."""
    return bytes(path).decode("utf-8", "replace")


def _mode(path: Path) -> str:
    try:
        with Image.open(path) as picture:
            mode = picture.mode
    except Exception as error:  # a broken file may make its decoder fail in any way at all
        raise DataRefused(f"{_shown(path)} is no picture: {error}") from error
    if mode == "F":
        raise DataRefused(
            f"{_shown(path)} has pixels that are fractions, of which none is known to be white: save it anew"
        )
    return mode


def _decoded(path: Path, channels: int) -> Tensor:
    """uint8 [1, C, H, W]."""
    from torchvision.transforms.v2.functional import pil_to_tensor

    try:
        with Image.open(path) as picture:
            seen = _on_white(_with_bytes(_upright(picture)))
            return pil_to_tensor(seen.convert("L" if channels == 1 else "RGB"))[None]
    except Exception as error:
        raise DataRefused(f"{_shown(path)} is a broken picture: {error}") from error


def _upright(picture: Image.Image) -> Image.Image:
    """A picture, turned as its file says that it is to be shown, if that can be read."""
    try:
        return ImageOps.exif_transpose(picture)
    except SyntaxError:  # by which Pillow says what is no EXIF
        return picture


def _on_white(picture: Image.Image) -> Image.Image:
    """A picture without its transparency, if it has any: of what cannot be seen, a file may have any colour."""
    if not picture.has_transparency_data:
        return picture
    canvas = Image.new("RGBA", picture.size, "white")
    canvas.alpha_composite(picture.convert("RGBA"))
    return canvas


def _with_bytes(picture: Image.Image) -> Image.Image:
    """A picture of 16 bits to a pixel with the upper 8 of them, where Pillow would clip; others as they are."""
    if picture.mode not in _DEEP:
        return picture
    return Image.fromarray((np.asarray(picture).astype(np.int32).clip(0, _DEEP_WHITE) // 257).astype(np.uint8))


# -- both ------------------------------------------------------------------------------------------------------------


def _fit(images: Tensor, resolution: int) -> Tensor:
    """uint8 [N, C, H, W] -> [N, C, resolution, resolution]: bilinear, without aliases, then the middle."""
    if images.shape[2:] == (resolution, resolution):
        return images
    from torchvision.transforms.v2.functional import center_crop, resize

    longest = _LONGEST * min(images.shape[2:])
    height, width = (min(side, longest) for side in images.shape[2:])
    fitting = images if (height, width) == images.shape[2:] else center_crop(images, [height, width])
    return center_crop(resize(fitting, [resolution], antialias=True), [resolution])


def _check_size(count: int, channels: int, resolution: int) -> None:
    size = count * channels * resolution**2
    if size > MAX_BYTES:
        raise DataRefused(
            f"{count:,} pictures of {resolution} px need {size / 2**30:.1f} GiB of memory: at most "
            f"{MAX_BYTES / 2**30:.0f} are allowed; take fewer, or a lower resolution"
        )


@dataclass(frozen=True)
class _Source:
    form: Callable[[Library, str], Form]
    read: Callable[[Library, str, Part, int], Pictures]


_SOURCES: Mapping[Kind, _Source] = {
    "dataset": _Source(_known_form, _read_known),
    "folder": _Source(_folder_form, _read_folder),
}
