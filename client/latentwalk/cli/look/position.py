"""Where the sliders of a page stand: as the page sends it, as the SDK is told, and as people can ask for it again."""

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self, cast

import typer

from latentwalk.cli.parsing import parse_numbers, write_numbers
from latentwalk.client import Displacement, InvalidRequest, Style

MOST_PICTURES = 16
"""At once, beside one another."""


@dataclass(frozen=True, slots=True)
class Position:
    """What a page shows. The numbers are checked by the SDK, and by the server, when they are told."""

    seeds: list[int]
    class_id: int | None
    truncation: float | None
    displacements: list[Displacement]
    any_class: bool

    @classmethod
    def from_json(cls, given: Any) -> Self:
        """The position in a message of the page.

        {"seeds": "1,5-8", "class_id": 3, "truncation": 0.7, "any_class": false, "displacements": [{"direction": "zoom",
        "slider": "", "amount": 1.5}]}, of which all but the seeds may be missing. Raises InvalidRequest.
        """
        fields = _known(given, "seeds", "class_id", "truncation", "any_class", "displacements")
        return cls(
            _seeds(fields.get("seeds")),
            fields.get("class_id"),
            fields.get("truncation"),
            _displacements(fields.get("displacements", [])),
            fields.get("any_class", False),
        )

    def arguments(self) -> dict[str, Any]:
        """What `generate` and `move` of the SDK are told."""
        said: dict[str, Any] = {"seeds": self.seeds}
        if self.class_id is not None:
            said["classes"] = self.class_id
        if self.truncation is not None:
            said["styles"] = Style(truncation=self.truncation)
        if self.displacements:
            said["displacements"] = self.displacements
        if self.any_class:
            said["any_class"] = self.any_class
        return said

    def sdk_line(self, model: str) -> str:
        """The call of the SDK that draws it, beside one another."""
        written = self.arguments()
        if self.truncation is not None:
            written["styles"] = _Written(f"Style(truncation={self.truncation!r})")
        if self.displacements:
            written["displacements"] = [_Written(_sdk_words(one)) for one in self.displacements]
        arguments = "".join(f", {name}={value!r}" for name, value in written.items())
        return f"client.generate({json.dumps(model)}{arguments}).strip()"

    def command(self, model: str, flags: Sequence[str]) -> str:
        """The command that draws it into a file, beside one another, with the flags that lead to the server."""
        words = ["latentwalk", "generate", model, *flags]
        words += ["--seeds", write_numbers(self.seeds)]
        if self.class_id is not None:
            words += ["--classes", str(self.class_id)]
        if self.truncation is not None:
            words += ["--truncation", repr(self.truncation)]
        for one in self.displacements:
            words += _command_words(one)
        if self.any_class:
            words.append("--any-class")
        if len(self.seeds) > 1:
            words += ["--columns", str(len(self.seeds))]
        return shlex.join([*words, "--out", f"{model}.png"])


class _Written(str):
    """Python as it is written."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _known(given: Any, *names: str) -> dict[str, Any]:
    """The fields of an object of JSON."""
    if not isinstance(given, dict):
        raise InvalidRequest.of("position", f"must be an object, with {', '.join(names)}")
    fields = cast("dict[str, Any]", given)
    if unknown := fields.keys() - set(names):
        raise InvalidRequest.of("position", f"has {', '.join(sorted(unknown))}; it can have {', '.join(names)}")
    return fields


def _seeds(given: Any) -> list[int]:
    if not isinstance(given, str):
        raise InvalidRequest.of("seeds", "must be a text like 7 or 1,2,5-8")
    try:
        seeds = parse_numbers(given)
    except typer.BadParameter as error:
        raise InvalidRequest.of("seeds", error.message) from error
    if len(seeds) > MOST_PICTURES:
        raise InvalidRequest.of("seeds", f"{len(seeds):,} are more than {MOST_PICTURES}, the most beside one another")
    return seeds


def _displacements(given: Any) -> list[Displacement]:
    if not isinstance(given, list):
        raise InvalidRequest.of("displacements", "must be a list")
    try:
        return [Displacement(**one) for one in given]
    except TypeError:
        raise InvalidRequest.of("displacements", "have direction, slider, and alpha or amount") from None


def _sdk_words(one: Displacement) -> str:
    measure, far = _measured(one)
    slider = f", slider={json.dumps(one.slider)}" if one.slider else ""
    return f"Displacement({json.dumps(one.direction)}, {measure}={far!r}{slider})"


def _command_words(one: Displacement) -> tuple[str, str]:
    measure, far = _measured(one)
    return f"--{measure}", f"{one.direction}{f':{one.slider}' if one.slider else ''}={far!r}"


def _measured(one: Displacement) -> tuple[str, float | None]:
    return ("amount", one.amount) if one.alpha is None else ("alpha", one.alpha)
