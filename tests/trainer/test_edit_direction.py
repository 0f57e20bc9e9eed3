"""Directions supervised by edits: what they learn, from what, and how they are measured."""

import pytest
import torch

from latentwalk.gan.edits import EDITS, masked_squared_error
from latentwalk.gan.latents import z_from_seeds
from latentwalk.trainer import seeds
from latentwalk.trainer.checkpoint import Checkpoints
from latentwalk.trainer.loop import train
from latentwalk.trainer.methods.edit_direction import EditDirection
from latentwalk.trainer.specs import EditTarget

BRIGHTNESS = EditTarget("brightness", -0.25, 0.25)
ZOOM = EditTarget("zoom", 0.5, 4.0)


def trained(spec, generator, folder):
    method = EditDirection(spec, generator)
    train(method, Checkpoints(folder), 1000, report=lambda _: None, pause=lambda: None)
    return method


def test_a_trained_slider_does_better_than_nothing_on_held_out_latents(make_spec, generator, tmp_path):
    method = trained(make_spec(steps=150, batch_size=16, learning_rate=0.3), generator, tmp_path)
    [evaluation] = method.evaluate(lambda: None)
    assert evaluation.slider == "brightness"
    assert evaluation.error < 0.92 * evaluation.baseline


def test_the_baseline_is_the_error_of_the_untouched_pictures(make_spec, generator):
    [evaluation] = EditDirection(make_spec(), generator).evaluate(lambda: None)
    assert evaluation.error == evaluation.baseline
    edit = EDITS["brightness"]
    pictures = generator(z_from_seeds(range(40), 8))
    amounts = edit.draw(40, -0.25, 0.25, seeds.held_out_generator("brightness"))
    expected = masked_squared_error(pictures, *edit(pictures, amounts)).mean().item()
    assert evaluation.baseline == pytest.approx(expected, rel=1e-5)


def test_the_losses_add_up_to_the_mean_masked_error_of_the_batch(make_spec, generator):
    method = EditDirection(make_spec(edits=(BRIGHTNESS,)), generator)
    [(name, loss)] = method.losses(4).items()
    z = z_from_seeds(seeds.training_seeds(7, 4, 6), 8)
    amounts = EDITS["brightness"].draw(6, -0.25, 0.25, seeds.draw_generator(7, 4))
    pictures = generator(z)
    assert name == "brightness"
    assert loss.item() == pytest.approx(
        masked_squared_error(pictures, *EDITS["brightness"](pictures, amounts)).mean().item(), rel=1e-5
    )


def test_every_slider_gets_its_share_of_the_rows_even_of_batches_of_one(make_spec, generator):
    method = EditDirection(make_spec(edits=(ZOOM, BRIGHTNESS), batch_size=1), generator)
    assert [list(method.losses(step)) for step in range(4)] == [["zoom"], ["brightness"], ["zoom"], ["brightness"]]


def test_alpha_one_is_the_far_end_of_the_trained_range(make_spec, generator):
    zoom, brightness = EditDirection(make_spec(edits=(ZOOM, BRIGHTNESS)), generator).direction().sliders
    assert zoom.amount_of(1.0) == pytest.approx(4.0)
    assert zoom.trained == pytest.approx((-0.5, 1.0))
    assert (brightness.amount_of(1.0), brightness.trained) == (0.25, (-1.0, 1.0))
    assert (zoom.unit, brightness.unit) == ("x", "fraction")


def test_a_slider_may_be_walked_three_times_as_far_but_never_out_of_its_edit(make_spec, generator):
    edits = (BRIGHTNESS, EditTarget("zoom", 1 / 32, 2.0), EditTarget("rotate", 5.0, 90.0))
    sliders = EditDirection(make_spec(edits=edits), generator).direction().sliders
    ends = [tuple(slider.amount_of(alpha) for alpha in slider.limit) for slider in sliders]
    assert ends == [pytest.approx((-0.75, 0.75)), pytest.approx((1 / 64, 8.0)), pytest.approx((0.0, 180.0))]


def test_latents_of_training_are_never_those_of_the_measurement():
    trained_on = {seed for step in range(50) for seed in seeds.training_seeds(0, step, 32)}
    assert len(trained_on) == 50 * 32
    assert min(trained_on) > max(seeds.held_out_seeds(65_536))


def test_steps_and_jobs_draw_different_latents_and_repeat_their_own():
    assert seeds.training_seeds(1, 2, 4) == seeds.training_seeds(1, 2, 4)
    assert seeds.training_seeds(1, 2, 4) != seeds.training_seeds(1, 3, 4)
    assert seeds.training_seeds(1, 2, 4) != seeds.training_seeds(2, 2, 4)
    assert seeds.training_seeds(2**64 - 1, 0, 2) != seeds.training_seeds(2**63 - 1, 0, 2)


def test_a_generator_with_classes_is_trained_and_measured_over_its_classes(make_spec, make_generator, tmp_path):
    method = trained(make_spec(steps=60, batch_size=16), make_generator(classes=10), tmp_path)
    [evaluation] = method.evaluate(lambda: None)
    assert evaluation.error < evaluation.baseline


def test_the_direction_belongs_to_its_generator(make_spec, generator):
    direction = EditDirection(make_spec(), generator).direction()
    assert (direction.name, direction.generator_digest) == ("bright", generator.digest)
    assert torch.equal(direction.vectors, torch.zeros(1, 8))
