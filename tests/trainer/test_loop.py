"""The loop: the same end from wherever it starts, and no step that would poison what is trained."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from latentwalk.gan.edits import masked_squared_error
from latentwalk.trainer.checkpoint import CheckpointFailed, Checkpoints
from latentwalk.trainer.loop import Interrupted, NonFinite, train
from latentwalk.trainer.methods import METHODS
from latentwalk.trainer.reports import Message, Progress
from latentwalk.trainer.specs import EditDirectionSpec, EditTarget, JobSpec

STEPS = 23
EDITS = (EditTarget("zoom", 0.5, 2.0), EditTarget("brightness", -0.25, 0.25))


class Told:
    """Pauses until the n-th pause, which interrupts."""

    def __init__(self, pauses=10**9):
        self.left = pauses

    def __call__(self):
        self.left -= 1
        if self.left < 0:
            raise Interrupted


@pytest.fixture(scope="module")
def run(generator):
    """Trains in a folder; returns the method and what was reported."""

    def go(spec, folder, pause, generator=generator):
        method, reports = METHODS[spec.method](spec, generator), []
        try:
            train(method, Checkpoints(folder), spec.checkpoint_every, report=reports.append, pause=pause)
        except Interrupted:
            method = None
        return method, reports

    return go


@pytest.fixture(scope="module")
def spec():
    return JobSpec("tiny", 1, "d", 3, 5, "edit_direction", EditDirectionSpec(EDITS, STEPS, 5, 0.1, 8))


@pytest.fixture(scope="module")
def undisturbed(run, spec, tmp_path_factory):
    method, _ = run(spec, tmp_path_factory.mktemp("undisturbed"), Told())
    return method.direction().vectors


@given(interruptions=st.lists(st.integers(0, STEPS), max_size=4))
@settings(max_examples=15, deadline=None)
def test_a_run_that_is_interrupted_anywhere_ends_with_the_same_bits(
    run, spec, undisturbed, tmp_path_factory, interruptions
):
    folder = tmp_path_factory.mktemp("job")
    for pauses in interruptions:
        run(spec, folder, Told(pauses))
    method, _ = run(spec, folder, Told())
    assert torch.equal(method.direction().vectors, undisturbed)


def test_a_damaged_newest_checkpoint_costs_steps_and_not_the_result(run, spec, undisturbed, tmp_path):
    run(spec, tmp_path, Told(13))
    max(tmp_path.iterdir()).write_bytes(b"damaged")
    method, reports = run(spec, tmp_path, Told())
    assert torch.equal(method.direction().vectors, undisturbed)
    messages = [report.text for report in reports if isinstance(report, Message)]
    assert "cannot be used" in messages[0]
    assert messages[1] == "goes on from the checkpoint of step 10"


def test_the_first_and_the_last_report_say_where_the_run_begins_and_ends(run, spec, tmp_path):
    run(spec, tmp_path, Told(7))
    _, reports = run(spec, tmp_path, Told())
    progress = [report for report in reports if isinstance(report, Progress)]
    assert (progress[0].step, progress[0].steps, progress[0].remaining) == (7, STEPS, None)
    assert (progress[-1].step, progress[-1].remaining) == (STEPS, 0.0)
    assert progress[-1].elapsed > progress[0].elapsed > 0


def test_a_finished_run_does_no_step_again(run, spec, undisturbed, tmp_path):
    run(spec, tmp_path, Told())
    method, _ = run(spec, tmp_path, Told(0))
    assert torch.equal(method.direction().vectors, undisturbed)


@pytest.mark.parametrize("kept", [{"trained.sums": torch.ones(2, 8)}, {"trained.vectors": torch.ones(2, 7)}])
def test_a_checkpoint_of_a_trainer_that_kept_other_things_is_refused(run, spec, tmp_path, kept):
    Checkpoints(tmp_path).save(5, kept, {}, {})
    with pytest.raises(CheckpointFailed, match="checkpoint of step 5 is of another version of the trainer"):
        run(spec, tmp_path, Told())


def test_a_loss_that_is_not_finite_stops_before_the_step(spec, make_generator, tmp_path):
    before_each_step = []

    def loss(walked, target, mask):
        errors = masked_squared_error(walked, target, mask)
        return errors * float("nan") if len(before_each_step) == 4 else errors

    method = METHODS[spec.method](spec, make_generator(), loss)

    def pause():
        before_each_step.append(method.direction().vectors)

    with pytest.raises(NonFinite, match=r"loss of zoom is nan at step 3"):
        train(method, Checkpoints(tmp_path), 5, report=lambda _: None, pause=pause)
    assert torch.equal(method.direction().vectors, before_each_step[3])
    assert not torch.equal(before_each_step[3], before_each_step[2])


def test_a_gradient_that_is_not_finite_stops_before_the_step(spec, make_generator, tmp_path):
    method = METHODS[spec.method](spec, make_generator())
    method.trained.get_parameter("vectors").register_hook(lambda gradient: gradient * float("inf"))
    with pytest.raises(NonFinite, match=r"gradient of vectors is (nan|-?inf) at step 0"):
        train(method, Checkpoints(tmp_path), 5, report=lambda _: None, pause=Told())
    assert torch.equal(method.direction().vectors, torch.zeros(2, 8))
