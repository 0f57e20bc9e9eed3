"""Directions without labels by the command line, and the sheet that shows them."""

import json
from dataclasses import replace

import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from latentwalk.cli.commands import app
from latentwalk.cli.figure import choose_sliders, figure_legs
from latentwalk.cli.jobs import show_result
from latentwalk.client import Direction, JobResult, LoadState, Range, Slider

RANGE = Range((-1.0, 1.0), None)


def run(services, *arguments):
    done = CliRunner().invoke(app, [*services.flags, *map(str, arguments)])
    assert done.exit_code == 0, done.output
    return done.output


def test_directions_are_discovered_and_drawn_on_one_sheet(services, tmp_path):
    small = ["--steps", 2, "--batch-size", 4, "--evaluation-size", 8, "--directions", 3, "--shift-scale", 2.5]
    output = run(services, "train", "discover", "faces", "found", *small)
    assert "reconstruction_accuracy" in output
    settings = json.loads(run(services, "jobs", "list", "--json"))[0]["spec"]["settings"]
    told = {name: settings[name] for name in ("steps", "directions", "shift_scale", "shift_min", "predictor")}
    assert list(told.values()) == [2, 3, 2.5, 0.5, "lenet"]
    sheet = tmp_path / "figure.png"
    run(services, "directions", "unload", "faces", "found")
    told = json.loads(run(services, "directions", "figure", "faces", "found", "--out", sheet, "--json"))
    assert told["sliders"] == ["0", "1", "2"]
    with Image.open(sheet) as picture:
        left, head = picture.width - (13 * 66 - 2), picture.height - (3 * 66 - 2)
        assert (left > 0, head) == (True, 16)
        rows = [head + 66 * row for row in range(3)]
        middle = [picture.crop((left + 6 * 66, y, left + 6 * 66 + 64, y + 64)).tobytes() for y in rows]
        ends = [picture.crop((left, y, left + 64, y + 64)).tobytes() for y in rows]
    assert len(set(middle)) == 1
    assert len({*ends, *middle}) == 4


@pytest.mark.parametrize("deformator", ["random", "coordinate"])
def test_directions_that_are_not_trained_can_be_asked_for_to_compare_with(services, deformator):
    small = ["--steps", 2, "--batch-size", 4, "--evaluation-size", 8, "--directions", 2]
    options = ["--deformator", deformator, "--predictor-size", 32]
    assert "reconstruction_accuracy" in run(services, "train", "discover", "faces", deformator, *small, *options)
    [job] = json.loads(run(services, "jobs", "list", "--json", "--limit", 1))
    settings = job["spec"]["settings"]
    assert (settings["deformator"], settings["predictor_size"]) == (deformator, 32)


def test_the_limits_of_a_slider_are_a_table_with_an_alpha_a_column(services):
    run(services, "train", "sefa", "faces", "limited", "--directions", 2)
    small = ["--samples", 100, "--distance", "pixels", "--direction", "limited:1"]
    output = run(services, "train", "evaluation", "faces", *small)
    head, *rows = [line.split() for line in output[output.index("limited.1  ") :].splitlines()]
    assert head[1:] == [*(f"-{n}" for n in range(6, 0, -1)), *(f"+{n}" for n in range(1, 7))]
    assert {"step_distance", "luminance_shift", "spread_shift"} <= {row[0] for row in rows}
    assert {len(row) for row in rows} == {len(head)}
    assert "limits.limited" not in output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--truncation", "0.7:x"], "'0.7:x' is neither like 0.7 nor like 0.7:8"),
        (["--truncation", "0.7:8"], "spec.evaluation.data: is needed with truncations"),
        (["--threshold", "0.5", "--threshold", "2"], "spec.evaluation.data: is needed with truncations"),
    ],
)
def test_a_truncation_to_measure_is_read_and_refused_as_in_the_sdk(services, words, said):
    done = CliRunner().invoke(app, [*services.flags, "train", "evaluation", "faces", *words])
    assert done.exit_code in (1, 2)
    assert said in " ".join(done.output.replace("│", " ").split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--truncation", "0.7:x"], "'0.7:x' is neither like 0.7 nor like 0.7:8"),
        (["--truncation", "0.7:8"], "spec.edit_direction.truncation.psi: is a matter of w"),
        (["--threshold", "0"], "spec.edit_direction.truncation.threshold: 0 must be above 0"),
    ],
)
def test_a_truncation_to_train_under_is_read_and_refused_likewise(services, words, said):
    done = CliRunner().invoke(app, [*services.flags, "train", "edit", "faces", "d", "--edit", "zoom", *words])
    assert done.exit_code in (1, 2)
    assert said in " ".join(done.output.replace("│", " ").split())


def test_what_a_slider_reaches_stands_beside_how_real_pictures_vary(capsys):
    what = {"deviation": 0.1, "reach": 0.25, "correlation": -0.5}
    measures = {f"limits.d.zoom.spread.{name}": value for name, value in what.items()}
    show_result(JobResult((), "", (), measures | {"limits.d.zoom.step_distance.+2": 0.75}, {}))
    table, of_real = capsys.readouterr().out.split("d.zoom, and real pictures")
    assert table.split() == ["d.zoom", "+2", "step_distance", "0.75"]
    assert of_real.split() == [*what, "spread", "0.1", "0.25", "-0.5"]


def test_what_is_measured_under_a_truncation_stands_below_what_is_measured_without(capsys):
    measures = {"fid": 4.0, "path_length.z.end": 1.0, "truncation.psi=0.5.fid": 6.0, "truncation.psi=0.7.fid": 5.0}
    show_result(JobResult((), "", (), measures, {}))
    plain, table = capsys.readouterr().out.split("truncation")
    assert plain.split() == ["measure", "value", "fid", "4", "path_length.z.end", "1"]
    assert table.split() == ["fid", "none", "4", "psi=0.5", "6", "psi=0.7", "5"]


def test_quality_and_variety_stand_beside_each_other_by_truncation(capsys):
    measures = {"precision": 0.5, "recall": 0.25, "precision.ceiling": 0.75}
    measures |= {"truncation.psi=0.5.precision": 0.625, "truncation.psi=0.5.recall": 0.125}
    show_result(JobResult((), "", (), measures, {}))
    plain, table = capsys.readouterr().out.split("truncation")
    assert plain.split() == ["measure", "value", "precision", "0.5", "recall", "0.25", "precision.ceiling", "0.75"]
    assert table.split() == ["precision", "recall", "none", "0.5", "0.25", "psi=0.5", "0.625", "0.125"]


def test_data_that_the_trainer_has_not_are_refused_by_its_field(services):
    arguments = ["train", "discover", "faces", "found", "--folder", "nowhere"]
    done = CliRunner().invoke(app, [*services.flags, *arguments])
    assert done.exit_code == 1
    assert "spec.discovery.data" in done.output
    assert "no folder 'nowhere'" in done.output


def test_class_directions_are_refused_for_a_model_without_classes_and_classifier(services):
    done = CliRunner().invoke(app, [*services.flags, "train", "class-directions", "faces", "banks"])
    assert done.exit_code == 1
    assert "a classifier must tell them" in done.output


def banks():
    sliders = [("global.0", None), ("class1.0", 1), ("class1.1", 1), ("class2.0", 2)]
    listed = tuple(Slider(name, "", "", RANGE, RANGE, class_id) for name, class_id in sliders)
    return Direction("digits", "banks", "1", LoadState.READY, "sha256:0", "z", listed, "linear", (), ("1",))


@pytest.mark.parametrize(
    ("class_id", "patterns", "names"),
    [
        (1, [], ["class1.0", "class1.1"]),
        (None, [], ["global.0"]),
        (3, [], ["global.0"]),
        (1, ["global.*"], ["global.0"]),
        (None, ["*.0"], ["global.0", "class1.0", "class2.0"]),
    ],
)
def test_a_sheet_shows_the_sliders_of_its_class_unless_others_are_named(class_id, patterns, names):
    assert [one.name for one in choose_sliders(banks(), class_id, patterns)] == names


@pytest.mark.parametrize(("class_id", "said"), [(None, "no --class is given"), (3, "none of them is for class 3")])
def test_a_direction_whose_sliders_are_of_one_class_each_wants_to_know_which(class_id, said):
    direction = replace(banks(), sliders=banks().sliders[1:])
    told = rf"each slider of banks is for one class, and {said}: .* --class 1, or --slider, e.g. --slider 'class1\.0'"
    with pytest.raises(typer.BadParameter, match=told):
        choose_sliders(direction, class_id, [])


@pytest.mark.parametrize(
    ("trained", "columns", "alpha", "ends"),
    [
        ((-1.0, 0.5), 5, None, [(-1.0, 0, 3), (0.25, 0.5, 2)]),
        ((-6.0, 6.0), 3, None, [(-6.0, 0, 2), (6.0, 6.0, 1)]),
        ((-1.0, 0.5), 4, None, [(-1.0, 0.5, 4)]),
        ((0.0, 1.0), 5, None, [(0.0, 1.0, 5)]),
        ((-1.0, 0.5), 5, (-2.0, 3.0), [(-2.0, 3.0, 5)]),
    ],
)
def test_zero_is_in_the_middle_of_what_was_trained(trained, columns, alpha, ends):
    slider = Slider("zoom", "zoom", "x", Range(trained, None), RANGE, None)
    legs = figure_legs("zoom", slider, columns, alpha)
    assert [(*leg.stretches.alpha, leg.frames) for leg in legs] == ends


def test_a_pattern_that_matches_nothing_is_answered_with_what_there_is():
    with pytest.raises(typer.BadParameter, match=r"no slider of banks matches local; there are: global\.0, class1\.0"):
        choose_sliders(banks(), None, ["local"])
