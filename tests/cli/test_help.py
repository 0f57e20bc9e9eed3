"""What the commands that train say of themselves, against what the trainer does."""

import re
from dataclasses import MISSING, fields, is_dataclass
from importlib.metadata import version
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from latentwalk.cli.commands import app
from latentwalk.trainer.specs import SPECS
from latentwalk.trainer.validation.specs import DEFAULT_CHECKPOINT_EVERY

METHODS = {
    "edit": "edit_direction",
    "discover": "discovery",
    "class-directions": "class_directions",
    "sefa": "sefa",
    "pca": "pca",
    "boundary": "boundary",
    "gan": "gan",
    "joint": "joint",
    "classifier": "classifier",
    "evaluation": "evaluation",
}
FRAMES = "│╭╮╰╯─"


def defaults(spec: type) -> dict[str, float]:
    """The numbers of a spec, and of what is within it, that are not left to rules of their own."""
    found: dict[str, float] = {}
    for one in fields(spec):
        if one.default_factory is not MISSING and is_dataclass(made := one.default_factory()):
            found |= defaults(type(made))
        elif isinstance(one.default, int | float) and not isinstance(one.default, bool) and one.default:
            found[one.name] = one.default
    return found


def options(command: str) -> dict[str, Any]:
    """The options of a command that trains, by name."""
    commands = get_command(app).commands["train"].commands.values()
    (found,) = [one for one in commands if one.name == command]
    return {one.name: one for one in found.params}


@pytest.mark.parametrize(("command", "method"), METHODS.items())
def test_the_help_tells_the_number_that_the_trainer_takes_when_none_is_given(command: str, method: str):
    for name, default in {**defaults(SPECS[method]), "checkpoint_every": DEFAULT_CHECKPOINT_EVERY}.items():
        option = options(command)[name]
        told = re.search(r"default: ([0-9.]+)", option.help or "")
        assert float(told.group(1) if told else option.default) == default, name


@pytest.mark.parametrize("command", METHODS)
def test_the_help_shows_words_as_they_are_typed(command: str):
    shown = CliRunner().invoke(app, ["train", command, "--help"], env={"COLUMNS": "200"}).stdout
    assert {letter for letter in shown if not letter.isascii()} <= set(FRAMES)


def test_the_version_is_that_of_the_package():
    assert CliRunner().invoke(app, ["--version"]).stdout == f"latentwalk {version('latentwalk')}\n"
