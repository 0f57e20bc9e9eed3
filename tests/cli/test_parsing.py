"""What an option cannot read is told of by its name, with what was given and with what would do, before anybody is
asked."""

import pytest
from typer.testing import CliRunner

from latentwalk.cli.commands import app

GENERATE = ("generate", "digits", "--out", "x.png")
WALK = ("walk", "digits", "zoom", "--out", "x.gif")
EDIT = ("train", "edit", "digits", "zoom")


def refused(*words: str) -> str:
    """What is told, in one line."""
    done = CliRunner().invoke(app, ["--server", "127.0.0.1:1", *words], env={"COLUMNS": "500"})
    assert (done.exit_code, done.stdout) == (2, "")
    (told,) = [line.strip("│ ") for line in done.stderr.splitlines() if line.startswith("│")]
    return told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((*GENERATE, "--seeds", "a"), "'--seeds': 'a' is neither a number nor a range like 5-8"),
        ((*GENERATE, "--classes", "a"), "'--classes': 'a' is not a list of class numbers like 3,5,7"),
        ((*GENERATE, "--amount", "zoom"), "'--amount': 'zoom' is not like zoom=1.5, or zoom=1.5:0-3 in some layers"),
        ((*GENERATE, "--alpha", "=1"), "'--alpha': '=1' is not like zoom=1.5, or zoom=1.5:0-3 in some layers"),
        ((*GENERATE, "--amount", "zoom=1:2:3"), "'--amount': 'zoom=1:2:3' is not like zoom=1.5, or"),
        ((*GENERATE, "--amount", "zoom=1:top"), "'--amount': 'top' is neither a number nor a range like 5-8"),
        ((*GENERATE, "--mix", "3"), "'--mix': '3' is not like 8:0-3, or 8/2:0-3 with the class of seed 8"),
        ((*GENERATE, "--noise", "x"), "'--noise': 'x' is neither weights, none, nor a seed"),
        ((*GENERATE, "--noise-layers", "x"), "'--noise-layers': 'x' is neither a number nor a range like 5-8"),
        ((*GENERATE, "--truncation", "5"), "'--truncation': '5' should be less than or equal to 2"),
        (
            (*WALK, "--amount", "0.5"),
            "'--amount': '0.5' is not like zoom=0.5:2, from where to where, or zoom=0.5:2:",
        ),
        ((*WALK, "--alpha", "zoom=1"), "'--alpha': 'zoom=1' is not like zoom=0.5:2, from where to where, or"),
        ((*WALK, "--amount", "zoom=1:2:3:4"), "'--amount': 'zoom=1:2:3:4' is not like zoom=0.5:2, from where to where"),
        ((*WALK, "--alpha", "zoom=0:1"), "DIRECTION: zoom is also in --amount or --alpha, which suffices: leave this"),
        (("walk", "digits", "--out", "x.gif"), "DIRECTION: name one, e.g. zoom, or say how far: --amount zoom=0.5:2"),
        ((*WALK, "--frames", "x"), "'--frames': 'x' should be a valid integer"),
        ((*WALK, "--easing", "up"), "'--easing': 'up' is not one of 'linear', 'in', 'out', 'in_out'"),
        ((*EDIT, "--edit", "zoom:1"), "'--edit': 'zoom:1' is neither like zoom nor like zoom:0.5:2"),
        ((*EDIT, "--edit", "zoom", "--class", "a"), "'--class': 'a' is neither a class number nor 'each'"),
        (("train", "boundary", "digits", "x", "--classifier", "a"), "'--classifier': 'a' is not like digits:3"),
        (("directions", "figure", "digits", "x", "--out", "x.png", "--alpha", "2"), "'--alpha': '2' is not like -2:2"),
        (
            ("directions", "figure", "digits", "x", "--out", "x.png", "--classes", "x"),
            "'--class' / '--classes': 'x'",
        ),
        (("directions", "pick", "digits", "x", "--slider", "3=a:b"), "'--slider': '3=a:b' is not like 3=smile,"),
        (("store", "delete", "direction", "digits/zoom", "new"), "'VERSIONS': 'new' is neither a number nor a range"),
    ],
    ids=lambda value: " ".join(value[-2:]) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_read_is_told_with_its_option_its_value_and_an_example(words: tuple[str, ...], told: str):
    assert refused(*words).startswith(f"Invalid value for {told}")
