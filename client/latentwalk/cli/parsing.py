"""Values of options that are written in a small notation of their own.

An option says which, as its `parser=`, so that what cannot be read is told of with the name of the option.
"""

import json
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Any, Literal, NamedTuple

import typer

from latentwalk.client import CustomEdit, EditTarget, Folder, Mix, SliderPick

MAX_NUMBERS = 65_536


# Classes, as typer takes list[int] for an option that is given once for each number, and a tuple for one of two words.


class Numbers(list[int]):
    """Numbers that are written together: "1,2,5-8"."""


class SliderName(NamedTuple):
    """A slider of a direction; without its name for a direction with only one."""

    direction: str
    slider: str


class PsiOfLayers(NamedTuple):
    """A truncation of w, in the first so many layers; None for all."""

    psi: float
    layers: int | None


class ClassName(NamedTuple):
    """A class of a classifier."""

    classifier: str
    class_id: int


_EDIT_FILE = ".json"
_EXAMPLE_EDIT = '{"name": "shear", "kind": "affine", "matrix": [[0, 1, 0], [0, 0, 0]]}'


def parse_numbers(text: str) -> Numbers:
    """Numbers and ranges, both ends included: "7" or "1,2,5-8"."""
    numbers: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        try:
            low, high = int(first), int(last if dash else first)
        except ValueError:
            raise typer.BadParameter(f"{part!r} is neither a number nor a range like 5-8") from None
        if not 0 <= high - low < MAX_NUMBERS - len(numbers):
            raise typer.BadParameter(f"{part!r} is empty, or makes more than {MAX_NUMBERS:,} numbers")
        numbers += range(low, high + 1)
    return Numbers(numbers)


def write_numbers(numbers: Iterable[int]) -> str:
    """Ascending numbers as `parse_numbers` reads them: "0-3,6"."""
    runs = groupby(enumerate(numbers), key=lambda numbered: numbered[1] - numbered[0])
    spans = ([number for _, number in run] for _, run in runs)
    return ",".join(str(span[0]) if len(span) == 1 else f"{span[0]}-{span[-1]}" for span in spans)


def parse_classes(text: str) -> list[int] | int:
    """One class for all, "3", or one for each, "3,5,7"."""
    try:
        classes = [int(part) for part in text.split(",")]
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a list of class numbers like 3,5,7") from None
    return classes[0] if len(classes) == 1 else classes


def parse_mix(text: str) -> Mix:
    """The style of a seed in some layers, "8:0-3", or with the class of that seed, "8/2:0-3,6"."""
    latent, _, layers = text.partition(":")
    seed, _, class_id = latent.partition("/")
    if not (seed.isdecimal() and layers and (class_id.isdecimal() or latent == seed)):
        raise typer.BadParameter(f"{text!r} is not like 8:0-3, or 8/2:0-3 with the class of seed 8")
    return Mix(int(seed), parse_numbers(layers), int(class_id) if class_id else None)


def parse_noise(text: str) -> int | Literal["weights", "none"]:
    """A seed, or a word."""
    if text == "weights" or text == "none":
        return text
    if not text.isdecimal():
        raise typer.BadParameter(f"{text!r} is neither weights, none, nor a seed")
    return int(text)


def parse_edit(text: str) -> EditTarget:
    """An edit like "zoom", "zoom:0.5:2" with the range to train on, or "shear.json:-1:1", one of the caller's own."""
    edit, *ends = text.split(":")
    try:
        low, high = map(float, ends) if ends else (None, None)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is neither like zoom nor like zoom:0.5:2") from None
    return EditTarget(_read_edit(Path(edit)) if edit.endswith(_EDIT_FILE) else edit, low, high)


def _read_edit(file: Path) -> CustomEdit:
    """The CustomEdit that the file has as JSON."""
    try:
        fields: dict[str, Any] = json.loads(file.read_text())
        return CustomEdit(**fields)
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be read: {error.strerror}") from None
    except (ValueError, TypeError) as error:
        raise typer.BadParameter(f"{file} is no edit; it must be like {_EXAMPLE_EDIT}: {error}") from None


def parse_slider(text: str) -> SliderName:
    """A slider: "bank:3", or "zoom" for a direction with only one."""
    direction, _, slider = text.partition(":")
    return SliderName(direction, slider)


def write_slider(direction: str, slider: str) -> str:
    """A slider as `parse_slider` reads it."""
    return f"{direction}:{slider}" if slider else direction


def parse_truncation(text: str) -> PsiOfLayers:
    """A psi, "0.7", or one of the first so many layers, "0.7:8"."""
    psi, is_some, layers = text.partition(":")
    try:
        return PsiOfLayers(float(psi), int(layers) if is_some else None)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is neither like 0.7 nor like 0.7:8") from None


def parse_pick(text: str) -> SliderPick:
    """A slider to be picked: "3" as it is, "3=smile" under another name, "7=-age" turned round, "3=smile:-4:5" with the
    least and greatest alpha that may be asked for. Its direction is empty, but of "bank:3=smile".
    """
    path, _, become = text.partition("=")
    owner, slider = parse_slider(path) if ":" in path else ("", path)
    name, *ends = become.split(":")
    try:
        low, high = map(float, ends) if ends else (None, None)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not like 3=smile, 7=-age or 3=smile:-4:5") from None
    alpha = None if low is None or high is None else (low, high)
    opposite = name.startswith("-")
    return SliderPick(owner, slider=slider, name=name.removeprefix("-"), opposite=opposite, alpha=alpha)


def parse_data(dataset: str | None, folder: str | None) -> str | Folder:
    """A data set of torchvision or a folder of pictures, of which exactly one is named."""
    if dataset and not folder:
        return dataset
    if folder and not dataset:
        return Folder(folder)
    raise typer.BadParameter("give either --dataset or --folder")


def parse_class(text: str) -> ClassName:
    """A class of a classifier: "digits:3"."""
    name, _, class_id = text.rpartition(":")
    if not (name and class_id.isdecimal()):
        raise typer.BadParameter(f"{text!r} is not like digits:3")
    return ClassName(name, int(class_id))


def parse_class_choice(text: str) -> int | Literal["each"]:
    """One class, "3", or "each"."""
    if text == "each":
        return text
    if not text.isdecimal():
        raise typer.BadParameter(f"{text!r} is neither a class number nor 'each'")
    return int(text)
