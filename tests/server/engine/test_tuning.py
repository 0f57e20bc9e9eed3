"""The choice is measured once, and remembered."""

import copy
import logging
import resource

import pytest
import torch

from latentwalk.server.engine import Choice, Tuning

CPU = torch.device("cpu")


@pytest.fixture
def tuned(tmp_path):
    """A function that makes an engine, with a cache folder unless told otherwise."""

    def make(generator, **changes):
        options = {"max_batch": 4, "seconds": 0.05, "tolerance": 0.5, "cache": str(tmp_path / "engine")} | changes
        return Tuning((CPU,), **options).make_engine(generator)

    return make


def files(tmp_path):
    return sorted((tmp_path / "engine").iterdir())


def test_a_choice_survives_as_json():
    choice = Choice({1: "fp32", 2: "bf16"}, {1: 0.25, 2: 0.375}, 0.125, 3)
    assert Choice.from_json(choice.to_json() | {"variants": {"1": "fp32", "2": "bf16"}}) == choice


def test_the_second_start_measures_nothing(faces, tuned):
    first, second, anew = tuned(faces), tuned(faces), tuned(faces, cache="")
    # What is measured twice differs in the last digits.
    assert first.choice == second.choice
    assert first.choice.seconds != anew.choice.seconds


@pytest.mark.parametrize("change", [{"tolerance": 0.25}, {"max_batch": 8}, {"seconds": 200.0}], ids=str)
def test_other_circumstances_are_measured_anew(faces, tuned, tmp_path, change, monkeypatch):
    monkeypatch.setattr("latentwalk.server.engine.trial.worth_trying", lambda seconds: ["fp32"])
    tuned(faces)
    tuned(faces, **change)
    assert len(files(tmp_path)) == 2


def test_another_generator_is_measured_anew(faces, other, tuned, tmp_path):
    tuned(faces)
    tuned(other)
    assert len(files(tmp_path)) == 2


@pytest.mark.parametrize(
    "damage",
    [
        "",
        "not json",
        "[]",
        '{"choice": {}}',
        '{"choice": {"variants": {}, "seconds": {}, "mean_error": 0, "max_error": 0}}',
        '{"choice": {"variants": {"1": "fp32"}, "seconds": {"1": -1}, "mean_error": 0, "max_error": 0}}',
    ],
)
def test_a_damaged_file_is_ignored_and_replaced(faces, tuned, tmp_path, damage, caplog):
    first = tuned(faces)
    (file,) = files(tmp_path)
    file.write_text(damage)
    with caplog.at_level(logging.WARNING):
        second = tuned(faces)
    assert "is ignored" in caplog.text
    assert set(second.variants) == set(first.variants)
    assert tuned(faces).choice == second.choice


def test_a_form_that_no_longer_exists_is_measured_anew(faces, tuned, tmp_path):
    tuned(faces)
    (file,) = files(tmp_path)
    file.write_text('{"choice": {"variants": {"1": "x"}, "seconds": {"1": 1}, "mean_error": 0, "max_error": 0}}')
    assert "x" not in tuned(faces).variants.values()


def test_a_folder_that_cannot_be_written_to_costs_only_the_memory(faces, tuned, tmp_path, caplog):
    (tmp_path / "engine").write_text("a file")
    with caplog.at_level(logging.WARNING):
        assert tuned(faces).seconds
    assert f"engine_cache {tmp_path / 'engine'} cannot be written to (File exists)" in caplog.text


def test_a_disk_that_fills_up_leaves_no_half_of_a_choice_behind(faces, tuned, tmp_path, caplog):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        assert tuned(faces).seconds
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "cannot be written to (File too large)" in caplog.text
    assert files(tmp_path) == []


def test_what_was_chosen_without_memory_for_all_sizes_is_not_remembered(faces, tuned, tmp_path, monkeypatch):
    # Other forms have layers of their own, and do not ask for what the forward of this one asks for.
    monkeypatch.setattr("latentwalk.server.engine.trial.worth_trying", lambda seconds: ["fp32"])
    greedy = copy.copy(faces)
    greedy.forward = lambda z, condition: faces(z, condition) if len(z) < 4 else torch.empty(1 << 50)
    engine = tuned(greedy)
    assert max(engine.variants) == 2
    assert not (tmp_path / "engine").exists()


def test_without_seconds_it_is_plain_fp32_and_nothing_is_written(faces, tuned, tmp_path):
    engine = tuned(faces, seconds=0.0)
    assert engine.variants == {1: "fp32", 2: "fp32", 4: "fp32"}
    assert engine.seconds == {}
    assert not (tmp_path / "engine").exists()
