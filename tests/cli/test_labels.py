"""Scores of one's own by the command line: read from a file or from stdin, told of line by line, and learnt from."""

import json

import pytest
from typer.testing import CliRunner

from latentwalk.cli.commands import app
from latentwalk.cli.labels import read_labels

BOUNDARY = ("train", "boundary", "faces", "smile", "--labels")


def refused(file) -> str:
    done = CliRunner().invoke(app, ["--server", "127.0.0.1:1", *BOUNDARY, str(file)], env={"COLUMNS": "500"})
    assert (done.exit_code, done.stdout) == (2, "")
    return done.stderr


@pytest.mark.parametrize(
    "text",
    ["7,1\n8,0.5\n", "seed,score\n7,1\n\n8,0.5", "\ufeffSeed, Score\r\n7 , 1\r\n8,5e-1\r\n", "8,0.5\n7,1.0"],
)
def test_a_seed_and_its_score_a_line_are_read(tmp_path, text):
    (file := tmp_path / "smile.csv").write_text(text, encoding="utf-8")
    assert read_labels(str(file)) == {7: 1, 8: 0.5}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("7,1\n8;0\n", "line 2: '8;0' is not a seed and its score, like 7,1"),
        ("7,1\nseed,score\n", "line 2: 'seed,score' is not a seed and its score"),
        ("7,yes\n", "line 1: '7,yes' is not a seed and its score"),
        ("7,1,2\n", "line 1: '7,1,2' is not a seed and its score"),
        ("1.5,1\n", "line 1: '1.5,1' is not a seed and its score"),
        ("-7,1\n", "line 1: seed -7 is not from 0 to 18446744073709551615"),
        ("7,nan\n", "line 1: the score of seed 7, nan, must be finite"),
        ("7,1\n\n7,0\n", "line 3: seed 7 is also on line 1; give it one score"),
        ("seed,score\n", "has no labels: write a seed and its score a line, like 7,1"),
    ],
)
def test_what_is_no_label_is_told_of_by_its_line(tmp_path, text, told):
    (file := tmp_path / "smile.csv").write_text(text)
    assert told in refused(file)


def test_every_wrong_line_is_told_of_up_to_ten(tmp_path):
    (file := tmp_path / "smile.csv").write_text("x\n" * 13)
    told = refused(file)
    assert [number for number in range(1, 14) if f"line {number}: 'x' is" in told] == list(range(1, 11))
    assert "and 3 lines more" in told


def test_a_file_that_is_none_is_told_of(tmp_path):
    assert "cannot be read: No such file" in refused(tmp_path / "gone.csv")
    (file := tmp_path / "smile.png").write_bytes(b"\x89PNG\xff")
    assert "is no text" in refused(file)


def test_labels_from_stdin_become_a_direction(services):
    words = [*services.flags, *BOUNDARY, "-", "--fraction", "0.25"]
    lines = "\n".join(f"{seed},{seed * 37 % 101}" for seed in range(80))
    done = CliRunner().invoke(app, words, input=lines)
    assert done.exit_code == 0, done.output
    assert "validation_accuracy" in done.output
    shown = CliRunner().invoke(app, [*services.flags, "jobs", "list", "--json", "--limit", "1"]).stdout
    [job] = json.loads(shown)
    labels = job["spec"]["settings"]["score"]["labels"]
    assert labels == {"seeds": list(range(80)), "scores": [float(seed * 37 % 101) for seed in range(80)]}
    table = CliRunner().invoke(app, [*services.flags, "jobs", "show", job["id"]]).stdout
    assert "18, 19, ... 80 in all" in table
    assert "smile" in CliRunner().invoke(app, [*services.flags, "directions", "list", "faces"]).stdout
