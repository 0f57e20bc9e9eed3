"""A direction whose amounts were measured: by a job, published and loaded, and then asked for by those amounts."""

import shutil

import pytest
from typer.testing import CliRunner

from latentwalk.cli.commands import app
from latentwalk.client import Client, Displacement, InvalidRequest, SliderPick
from latentwalk.server.builtin import BUILTIN

ASKED = {"samples": 256, "distance": "pixels"}


@pytest.fixture(scope="module")
def digits(start_server, start_trainer, tmp_path_factory):
    """A client of a server and a trainer of the digits that come with the package."""
    store = tmp_path_factory.mktemp("digits") / "store"
    shutil.copytree(BUILTIN, store)
    server = start_server(store=str(store))
    trainer = start_trainer(store=str(store), server_address=(server.address,))
    with Client(server.address, trainer_address=trainer.address) as client:
        yield client


@pytest.fixture(scope="module")
def calibrating(digits: Client):
    """The job that has measured the sliders of `rotate` and `found`, and calibrated what imitates an edit."""
    before = digits.direction("digits", "rotate")
    job = digits.train_evaluation("digits", directions=["rotate", "found:0"], calibrate=True, **ASKED)
    return before, job, job.result()


@pytest.fixture
def rotate(digits: Client, calibrating):
    """The direction, calibrated and loaded."""
    return digits.load_direction("digits", "rotate", version=2)


def test_the_job_publishes_the_direction_with_what_was_measured_and_all_that_was_known(digits, calibrating, rotate):
    before, job, result = calibrating
    assert [(one.kind, one.name, one.version, one.loaded) for one in result.artifacts] == [
        ("direction", "rotate", "2", True)
    ]
    assert rotate.provenance.calibration_job == job.id
    known = before.provenance
    assert (rotate.provenance.method, rotate.provenance.job) == (known.method, known.job) != ("", "")
    (slider,), (earlier,) = rotate.sliders, before.sliders
    assert (slider.measures, slider.trained.alpha, slider.limit.alpha) == (
        earlier.measures,
        earlier.trained.alpha,
        earlier.limit.alpha,
    )
    limits = result.limits["rotate.rotate"]
    achieved = {alpha: rung["achieved"] for alpha, rung in limits.rungs.items()} | {0.0: 0.0}
    assert all(amount == pytest.approx(achieved[alpha]) for alpha, amount in slider.calibration)
    assert slider.limit.amount == pytest.approx(limits.ranges["calibrated"])
    assert earlier.limit.amount == pytest.approx((-90, 90))
    assert -90 < slider.limit.amount[0] < -10 < 10 < slider.limit.amount[1] < 90


def test_an_amount_is_what_is_achieved_and_more_is_refused_with_the_range(digits, rotate):
    (slider,) = rotate.sliders
    (low, before), (high, after) = next(
        pair for pair in zip(slider.calibration, slider.calibration[1:], strict=False) if pair[1][1] > 12
    )
    alpha = low + (high - low) * (12 - before) / (after - before)
    where = {"seeds": 7, "classes": 3}
    asked = digits.generate("digits", displacements=Displacement("rotate", amount=12), **where)
    told = digits.generate("digits", displacements=Displacement("rotate", alpha=alpha), **where)
    assert abs(asked.array.astype(int) - told.array).max() <= 1
    least, greatest = slider.limit.amount
    ends = rf"89 deg is beyond slider 'rotate', from {least:.6g} to {greatest:.6g} deg, as far as it is calibrated"
    with pytest.raises(InvalidRequest, match=ends):
        digits.generate("digits", displacements=Displacement("rotate", amount=89), **where)
    assert digits.generate("digits", displacements=Displacement("rotate", amount=greatest), **where)


def test_frames_say_what_is_achieved_as_far_as_it_is_known(digits, rotate):
    (slider,) = rotate.sliders
    frames = digits.walk("digits", "rotate", alpha=(0, 3), frames=7, seeds=7, classes=3).collect()
    positions = [frame.positions[0] for frame in frames]
    last = slider.calibration[-1]
    assert [one.amount is None for one in positions] == [one.alpha > last[0] + 1e-5 for one in positions]
    known = dict(slider.calibration)
    assert all(one.amount == pytest.approx(known[one.alpha]) for one in positions if one.alpha in known)


def test_what_is_calibrated_is_measured_as_it_was_before(digits, calibrating):
    _, _, result = calibrating
    again = digits.train_evaluation("digits", directions=["rotate@2"], **ASKED).result()
    assert not again.artifacts
    assert again.limits["rotate.rotate"] == result.limits["rotate.rotate"]


def test_a_picked_slider_keeps_its_calibration_the_other_way_round(digits, rotate):
    picks = SliderPick("rotate", name="tilt", opposite=True)
    (tilt,) = digits.pick_sliders("digits", "mine", picks).sliders
    assert tilt.calibration == tuple((-alpha, amount) for alpha, amount in reversed(rotate.sliders[0].calibration))
    where = {"seeds": 7, "classes": 3}
    here = digits.generate("digits", displacements=Displacement("mine", amount=10), **where)
    there = digits.generate("digits", displacements=Displacement("rotate", amount=10), **where)
    assert (here.array == there.array).all()


def test_the_command_line_calibrates_and_tells_it(digits, calibrating):
    options = digits.connection.options
    flags = ["--server", options.address_of("server"), "--trainer", options.address_of("trainer")]

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(app, [*flags, *arguments])
        assert done.exit_code == 0, done.output
        return done.stdout

    small = ["--samples", "256", "--distance", "pixels"]
    told = run("train", "evaluation", "digits", "--direction", "zoom", "--calibrate", *small)
    assert "published direction zoom version 2; the server has loaded it" in told
    _, _, origin, columns, zoom = run("directions", "show", "digits", "zoom").splitlines()
    assert "calibrated by job" in origin
    assert columns.split()[-1] == "calibrated"
    assert zoom.split()[-4:][0] == "alpha"
