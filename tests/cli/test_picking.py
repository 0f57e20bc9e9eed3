"""From a bank that was found to the few sliders that are good, on the command line."""

import json

import pytest
from typer.testing import CliRunner

from latentwalk.cli.commands import app


@pytest.fixture(scope="module")
def bank(services) -> str:
    """A direction `bank` of four sliders, found by a job."""
    made = CliRunner().invoke(app, [*services.flags, "train", "sefa", "faces", "bank", "--directions", "4"])
    assert made.exit_code == 0, made.output
    return "bank"


def test_sliders_are_picked_and_named_and_walked(latentwalk, bank, tmp_path):
    asked = ["--slider", "3=smile", "--slider", "1=-age:-2:3", "--slider", f"{bank}:0=pose", "--as", "expressions"]
    done = latentwalk("directions", "pick", "faces", bank, *asked)
    assert done.stdout == "faces/expressions version 1 can be walked: smile, age, pose\n"
    shown = latentwalk("directions", "show", "faces", "expressions").stdout.splitlines()
    _, form, origin, columns, smile, age, _ = map(str.rstrip, shown)
    assert (form.split(",")[0], origin.split(",")[0]) == ("linear", "found by pick")
    assert columns.split()[-3:] == ["eigenvalue", "picked", "from"]
    told = json.loads(latentwalk("directions", "show", "faces", bank, "--json").stdout)
    job = told["provenance"]["job"]
    assert smile.endswith(f"3 of {bank} version 1 (sefa, job {job})")
    assert age.endswith(f"-1 of {bank} version 1 (sefa, job {job})")
    assert age.split()[1:8] == ["alpha", "-2", "to", "3", "-2", "to", "3"]
    assert f"{told['sliders'][3]['measures']['eigenvalue']:.4g}" in smile
    walk = ["walk", "faces", "expressions:age", "--seeds", "1", "--out", tmp_path / "age.gif"]
    assert latentwalk(*walk).exit_code == 0
    without = ["--without", f"{bank}:0", "--without", f"{bank}:2", "--slider", "1=own", "--as", "alone"]
    assert latentwalk("directions", "pick", "faces", bank, *without).exit_code == 0
    (alone,) = latentwalk("directions", "show", "faces", "alone").stdout.splitlines()[4:]
    assert alone.rstrip().endswith(f"1 of {bank} version 1 (sefa, job {job}) without {bank}@1:0, {bank}@1:2")
    again = json.loads(latentwalk("directions", "pick", "faces", "expressions", "--slider", "age", "--json").stdout)
    assert (again["version"], again["sliders"][0]["source"]["opposite"]) == ("2", True)


@pytest.mark.parametrize(
    ("slider", "words", "code"),
    [("9=smile", "'9' is none of 0, 1, 2, 3", 1), ("3=smile:low", "is not like 3=smile", 2), ("none:3", "'none'", 1)],
)
def test_what_cannot_be_picked_is_told(latentwalk, bank, slider, words, code):
    done = latentwalk("directions", "pick", "faces", bank, "--slider", slider, "--as", "never")
    assert (done.exit_code, words in done.stderr.replace("\n", " ")) == (code, True), done.stderr
    assert latentwalk("directions", "show", "faces", "never").exit_code == 1
