"""Sliders are picked from directions of every form, and move codes to the bits to which they moved them there."""

import dataclasses
from collections.abc import Callable

import pytest
import torch
from forms import SIZE, SLIDERS, deformed, iterated, linear, noise, rbf

from latentwalk.gan.artifacts import ArtifactStore, load_direction, save_direction
from latentwalk.gan.directions import Calibration, Direction, Pick, Slider, joined
from latentwalk.gan.errors import GanError, OutOfRange
from latentwalk.gan.latents import z_from_seeds

MAKERS: dict[str, Callable[..., Direction]] = {
    "linear": linear,
    "iterated": iterated,
    "deformed": deformed,
    "rbf": rbf,
}
every_form = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
ALPHAS = (-3.0, -0.7, 0.0, 0.3, 1.0, 2.9)


def picked(*picks: Pick) -> Direction:
    return joined("mine", [pick.alone() for pick in picks])


@every_form
def test_a_picked_slider_moves_a_code_to_the_same_bits_and_an_opposite_one_to_those_of_the_opposite_alpha(make) -> None:
    direction, z = make(), z_from_seeds(range(3), SIZE)
    mine = picked(Pick(direction, 1, "there", opposite=True), Pick(direction, 0))
    assert [slider.name for slider in mine.sliders] == ["there", "a"]
    again = picked(Pick(mine, 0, "back", opposite=True))
    for alpha in ALPHAS:
        assert torch.equal(mine.walk(z, 1, alpha), direction.walk(z, 0, alpha))
        assert torch.equal(mine.walk(z, 0, alpha), direction.walk(z, 1, -alpha))
        assert torch.equal(again.walk(z, 0, alpha), direction.walk(z, 1, alpha))


@every_form
def test_picks_are_kept_in_the_store(make, store: ArtifactStore) -> None:
    mine, z = picked(Pick(make(), 1, "there", opposite=True)), z_from_seeds(range(3), SIZE)
    save_direction(store, "faces", mine, provenance={}, created="2026-01-01T00:00:00Z")
    stored, _ = load_direction(store, "faces", "mine")
    assert stored.sliders == mine.sliders
    for alpha in ALPHAS:
        assert torch.equal(stored.walk(z, 0, alpha), mine.walk(z, 0, alpha))


@every_form
def test_sliders_of_several_directions_are_joined_if_nothing_but_the_sliders_differs(make) -> None:
    direction, z = make(), z_from_seeds(range(3), SIZE)
    sliders = tuple(dataclasses.replace(slider, name=f"{slider.name}2") for slider in SLIDERS)
    other = dataclasses.replace(make(), sliders=sliders)
    mine = picked(Pick(other, 1), Pick(direction, 0))
    assert [slider.name for slider in mine.sliders] == ["b2", "a"]
    assert torch.equal(mine.walk(z, 0, 1.3), other.walk(z, 1, 1.3))


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        (linear(), rbf(), "form is linear of the one, rbf of the other"),
        (linear(), dataclasses.replace(linear(), generator_digest="sha256:1"), "generator_digest is sha256:0"),
        (linear(), dataclasses.replace(linear(), space="w"), "space is z of the one, w of the other"),
        (linear(space="w+"), linear(space="w+", layers=(0,)), r"layers is \(\) of the one, \(0,\) of the other"),
        (linear(), linear(size=5), r"vectors are \[7\] of the one, \[5\] of the other"),
        (iterated(), iterated(steps=5), "config is {'steps': 4, 'truncation': 1.0} of the one"),
        (
            iterated(space="w", centre=noise(SIZE)),
            iterated(space="w", centre=noise(SIZE, seed=1)),
            "they go by networks of their own",
        ),
    ],
)
def test_directions_that_differ_in_more_than_their_sliders_are_not_joined(one, other, words: str) -> None:
    with pytest.raises(GanError, match=words):
        picked(Pick(one, 0), Pick(other, 1))


def test_a_deformed_slider_is_joined_with_those_of_its_own_network_only() -> None:
    direction, other = deformed(), deformed()
    with torch.no_grad():
        other.deformator.exit.bias += 1
    assert picked(Pick(direction, 0), Pick(direction, 1)).tensors["axes"].tolist() == [[1, 0], [0, 1]]
    with pytest.raises(GanError, match="they go by networks of their own"):
        picked(Pick(direction, 0), Pick(other, 1))


def test_an_opposite_slider_has_the_opposite_ranges_and_its_edit_the_same_amounts(direction: Direction) -> None:
    zoom = dataclasses.replace(direction.sliders[0], trained=(-1.0, 0.5), limit=(-2.0, 1.5))
    direction = dataclasses.replace(direction, sliders=(zoom, direction.sliders[1]))
    (turned,) = picked(Pick(direction, 0, opposite=True)).sliders
    assert (turned.trained, turned.limit) == ((-0.5, 1.0), (-1.5, 2.0))
    assert turned.alpha_of(3.0) == -zoom.alpha_of(3.0)
    assert turned.amount_of(0.7) == zoom.amount_of(-0.7)


def test_a_range_of_its_own_is_the_limit_and_what_was_trained_is_cut_to_it() -> None:
    (slider,) = picked(Pick(linear(), 0, limit=(-0.5, 2.0))).sliders
    assert (slider.trained, slider.limit) == ((-0.5, 1.0), (-0.5, 2.0))
    with pytest.raises(OutOfRange, match=r"alpha of slider 'a' is 4.0: it must lie from -3.0 to 3.0"):
        Pick(linear(), 0, limit=(-0.5, 4.0)).alone()
    with pytest.raises(GanError, match=r"range of alpha is 1 to 2: it must rise, with 0"):
        Pick(linear(), 0, limit=(1.0, 2.0)).alone()


def test_two_sliders_of_one_name_and_none_at_all_are_refused() -> None:
    with pytest.raises(GanError, match="two share a name"):
        picked(Pick(linear(), 0, "b"), Pick(linear(), 1))
    with pytest.raises(GanError, match="pick at least one"):
        picked()


def test_axes_of_another_size_than_the_network_are_refused() -> None:
    with pytest.raises(GanError, match=r"the shape is \[2, 3\], it must be \[2, 2\]"):
        deformed(axes=torch.zeros(2, 3))


def test_a_slider_is_picked_without_what_others_move_and_keeps_its_length() -> None:
    one, other = linear(), linear()
    (mine,) = picked(Pick(one, 0, without=[(other, 1), (one, 1)])).rows["vectors"]
    vector, left_alone = one.rows["vectors"]
    expected = vector - (vector @ left_alone) / (left_alone @ left_alone) * left_alone
    assert torch.allclose(mine, expected / expected.norm() * vector.norm(), atol=1e-6)
    assert abs(float(mine @ left_alone)) < 1e-5
    back = picked(Pick(one, 0, opposite=True, without=[(other, 1)]))
    assert torch.allclose(back.rows["vectors"][0], -mine, atol=1e-6)


def test_what_was_measured_of_a_slider_is_not_said_of_what_is_left_of_it() -> None:
    edit = Slider("edit", "brightness", "fraction", 0.25, (-1.0, 1.0), (-2.0, 2.0))
    calibrated = dataclasses.replace(edit, calibration=Calibration((-1.0, 0.0, 1.0), (-0.2, 0.0, 0.1)))
    direction = dataclasses.replace(linear(), sliders=(calibrated, SLIDERS[1]))
    assert picked(Pick(direction, 0)).sliders == (calibrated,)
    assert picked(Pick(direction, 0, without=[(direction, 1)])).sliders == (edit,)


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        (linear(), rbf(), "is linear, .* rbf: only linear ones are projected"),
        (rbf(), linear(), "is rbf, .* linear: only linear ones are projected"),
        (linear(), dataclasses.replace(linear(), space="w"), "space is z of the one, w of the other"),
        (linear(), linear(), "nothing is left of"),
    ],
)
def test_what_it_cannot_be_projected_off_is_refused(one: Direction, other: Direction, words: str) -> None:
    with pytest.raises(GanError, match=words):
        Pick(one, 0, without=[(other, 0)]).alone()
