"""Directions supervised by edits: what they learn, from what, and how they are measured."""

from dataclasses import replace

import pytest
import torch
from styled import make_styled

from latentwalk.gan.edits import EDITS, masked_squared_error
from latentwalk.gan.latents import truncate, z_from_seeds
from latentwalk.trainer import seeds
from latentwalk.trainer.checkpoint import Checkpoints
from latentwalk.trainer.loop import train
from latentwalk.trainer.methods.edits import EditDirection
from latentwalk.trainer.specs import EditTarget, WalkForm
from latentwalk.trainer.specs.edits import ClassChoice, CustomTarget, Matrix

BRIGHTNESS = EditTarget("brightness", -0.25, 0.25)
ZOOM = EditTarget("zoom", 0.5, 4.0)
# Red up and blue down.
WARM = (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -1.0)


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
    z = z_from_seeds(seeds.training_seeds(7, 4, range(6)), 8)
    amounts = EDITS["brightness"].draw(6, -0.25, 0.25, seeds.draw_generator(7, 4))
    pictures = generator(z)
    assert name == "brightness"
    assert loss.item() == pytest.approx(
        masked_squared_error(pictures, *EDITS["brightness"](pictures, amounts)).mean().item(), rel=1e-5
    )


def test_every_slider_gets_its_share_of_the_rows_even_of_batches_of_one(make_spec, generator):
    method = EditDirection(make_spec(edits=(ZOOM, BRIGHTNESS), batch_size=1), generator)
    assert [list(method.losses(step)) for step in range(4)] == [["zoom"], ["brightness"], ["zoom"], ["brightness"]]


COLOURS = tuple(EditTarget(name, -0.25, 0.25) for name in ("red", "green", "blue"))


def test_together_every_row_moves_all_sliders_and_is_edited_by_all_amounts(make_spec, generator):
    method = EditDirection(make_spec(edits=COLOURS, together=True), generator)
    with torch.no_grad():
        method.walk.get_parameter("vectors").copy_(torch.eye(3, 8))
    losses = method.losses(4)
    draw = seeds.draw_generator(7, 4)
    amounts = torch.stack([EDITS[name].draw(6, -0.25, 0.25, draw) for name in ("red", "green", "blue")], dim=1)
    z = z_from_seeds(seeds.training_seeds(7, 4, range(6)), 8)
    target = generator(z) + 2 * amounts[:, :, None, None]  # of pictures from -1 to 1
    moved = z + torch.nn.functional.pad(amounts / 0.25, (0, 5))
    error = (generator(moved) - target).square().mean().item()
    assert list(losses) == ["red", "green", "blue"]
    assert [loss.item() for loss in losses.values()] == [pytest.approx(error / 3, rel=1e-4)] * 3


def test_sliders_that_are_trained_together_do_better_than_nothing_each_by_itself(make_spec, generator, tmp_path):
    spec = make_spec(edits=COLOURS, together=True, steps=150, batch_size=16, learning_rate=0.3)
    for evaluation in trained(spec, generator, tmp_path).evaluate(lambda: None):
        assert evaluation.error < 0.99 * evaluation.baseline


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
    trained_on = {seed for step in range(50) for seed in seeds.training_seeds(0, step, range(32))}
    assert len(trained_on) == 50 * 32
    assert min(trained_on) > max(seeds.held_out_seeds(65_536))


def test_steps_and_jobs_draw_different_latents_and_repeat_their_own():
    assert seeds.training_seeds(1, 2, range(4)) == seeds.training_seeds(1, 2, range(4))
    assert seeds.training_seeds(1, 2, range(4)) != seeds.training_seeds(1, 3, range(4))
    assert seeds.training_seeds(1, 2, range(4)) != seeds.training_seeds(2, 2, range(4))
    assert seeds.training_seeds(2**64 - 1, 0, range(2)) != seeds.training_seeds(2**63 - 1, 0, range(2))


def test_a_generator_with_classes_is_trained_and_measured_over_its_classes(make_spec, make_generator, tmp_path):
    method = trained(make_spec(steps=60, batch_size=16), make_generator(classes=10), tmp_path)
    [evaluation] = method.evaluate(lambda: None)
    assert evaluation.error < evaluation.baseline


def test_the_direction_belongs_to_its_generator(make_spec, generator):
    direction = EditDirection(make_spec(), generator).direction()
    assert (direction.name, direction.generator_digest) == ("bright", generator.digest)
    assert torch.equal(direction.vectors, torch.zeros(1, 8))


# -- forms, spaces, classes, edits of one's own ------------------------------------------------------------------------


@pytest.mark.parametrize("form", list(WalkForm))
def test_a_direction_walks_as_its_training_did(make_spec, generator, tmp_path, form):
    spec = make_spec(edits=(BRIGHTNESS, ZOOM), form=form, steps=12, learning_rate=0.05, walk_steps=3)
    method = trained(spec, generator, tmp_path)
    code, alphas = z_from_seeds(range(5), 8), torch.tensor([-0.9, -0.25, 0.0, 0.5, 1.0])
    with torch.no_grad():
        expected = method.trained(code, 1, alphas)
    assert torch.allclose(method.direction().walk(code, 1, alphas), expected, atol=1e-6)
    assert not torch.allclose(expected, code, atol=1e-3)


def test_a_nonlinear_walk_does_better_than_nothing_and_keeps_the_length_of_z(make_spec, generator, tmp_path):
    spec = make_spec(form=WalkForm.NONLINEAR, steps=150, batch_size=16, learning_rate=0.01)
    method = trained(spec, generator, tmp_path)
    [evaluation] = method.evaluate(lambda: None)
    assert evaluation.error < 0.97 * evaluation.baseline
    code = z_from_seeds(range(4), 8)
    assert torch.allclose(method.direction().walk(code, 0, 1.0).norm(dim=1), code.norm(dim=1), rtol=1e-4)


def test_a_nonlinear_walk_begins_where_the_seed_of_its_job_says(make_spec, generator):
    def first_weights(seed: int) -> torch.Tensor:
        spec = replace(make_spec(form=WalkForm.NONLINEAR), seed=seed)
        return EditDirection(spec, generator).walk.get_parameter("inner")

    assert torch.equal(first_weights(2**64 - 1), first_weights(2**64 - 1))
    assert not torch.equal(first_weights(1), first_weights(2))


@pytest.mark.parametrize(("space", "layers", "size"), [("z", (), 6), ("w", (), 5), ("w+", (), 20), ("w+", (1, 3), 10)])
@pytest.mark.parametrize("form", list(WalkForm))
def test_walks_are_learnt_in_every_space(make_spec, tmp_path, space, layers, size, form):
    generator = make_styled()
    rate = {WalkForm.LINEAR: 0.1, WalkForm.NONLINEAR: 0.01}[form]
    spec = make_spec(space=space, layers=layers, form=form, steps=60, batch_size=8, learning_rate=rate)
    method = trained(spec, generator, tmp_path)
    [evaluation] = method.evaluate(lambda: None)
    assert evaluation.error < evaluation.baseline
    direction = method.direction()
    direction.check_spec(generator.spec)
    assert (direction.space, direction.layers, direction.size) == (space, layers, size)
    if form is WalkForm.NONLINEAR and space != "z":
        assert torch.equal(direction.centre, generator.mean_w.repeat(size // 5))


def test_one_walk_for_each_class_is_bound_to_it(make_spec, make_generator):
    spec = make_spec(edits=(BRIGHTNESS, ZOOM), classes=ClassChoice(each=True))
    method = EditDirection(spec, make_generator(classes=3))
    sliders = method.direction().sliders
    assert [slider.name for slider in sliders] == [f"{edit}.{k}" for edit in ("brightness", "zoom") for k in range(3)]
    assert [slider.class_id for slider in sliders] == [0, 1, 2, 0, 1, 2]


def test_a_walk_for_one_class_is_trained_and_measured_on_it(make_spec, make_generator, tmp_path):
    generator = make_generator(classes=3)
    method = trained(make_spec(steps=40, classes=ClassChoice(class_id=2)), generator, tmp_path)
    [evaluation] = method.evaluate(lambda: None)
    pictures = generator(z_from_seeds(range(40), 8), torch.eye(3)[2].expand(40, -1))
    amounts = EDITS["brightness"].draw(40, -0.25, 0.25, seeds.held_out_generator("brightness"))
    expected = masked_squared_error(pictures, *EDITS["brightness"](pictures, amounts)).mean().item()
    assert evaluation.baseline == pytest.approx(expected, rel=1e-5)
    assert method.direction().sliders[0].class_id == 2


def test_an_edit_of_ones_own_is_learnt_and_goes_with_its_slider(make_spec, generator, tmp_path):
    target = EditTarget(amount_low=-0.5, amount_high=0.5, custom=CustomTarget("warm", "", colour=Matrix(WARM)))
    method = trained(make_spec(edits=(target,), steps=80, batch_size=16), generator, tmp_path)
    [evaluation] = method.evaluate(lambda: None)
    assert evaluation.error < evaluation.baseline
    [slider] = method.direction().sliders
    assert (slider.name, slider.amount_of(1.0), slider.custom.kind) == ("warm", 0.5, "colour")


def test_truncated_latents_stay_within_their_bound():
    z = truncate(z_from_seeds(range(300), 16), 0.7)
    assert z.abs().max() <= 0.7
    low, high = (torch.special.ndtr(torch.tensor(end)) for end in (-0.7, 0.7))
    uniform = (torch.special.ndtr(z) - low) / (high - low)
    assert uniform.mean().item() == pytest.approx(0.5, abs=0.02)
    assert uniform.std().item() == pytest.approx(12**-0.5, abs=0.02)
