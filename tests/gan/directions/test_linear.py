import dataclasses
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from latentwalk.gan.directions import LinearDirection, Slider
from latentwalk.gan.edits import EDITS
from latentwalk.gan.errors import (
    GanError,
    GeneratorMismatch,
    InvalidLatent,
    OutOfRange,
    UnknownEdit,
    UnknownSlider,
)
from latentwalk.gan.generator import Generator


@pytest.mark.parametrize("edit", ["", *EDITS])
@given(scale=st.floats(0.01, 8), alpha=st.floats(-0.1, 0.1))
@settings(deadline=None, max_examples=20)
def test_amount_and_alpha_are_inverse_to_one_another(edit: str, scale: float, alpha: float) -> None:
    slider = Slider("s", edit, "", scale, (-1, 1), (-3, 3))
    assert slider.alpha_of(slider.amount_of(alpha)) == pytest.approx(alpha, abs=1e-9)


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_alpha_0_is_the_neutral_amount(edit) -> None:
    slider = Slider("s", edit.name, edit.unit, 0.5, (-1, 1), (-3, 3))
    assert slider.amount_of(0.0) == edit.neutral
    assert slider.alpha_of(edit.neutral) == 0


def test_alpha_is_straight_in_the_logarithm_of_zoom_and_in_pixels_of_shift() -> None:
    zoom = Slider("zoom", "zoom", "x", math.log(4), (-1, 1), (-3, 3))
    assert [zoom.amount_of(alpha) for alpha in (-1, -0.5, 0, 0.5, 1)] == pytest.approx([1 / 4, 1 / 2, 1, 2, 4])
    shift = Slider("shift", "shift_x", "px", 16.0, (-1, 1), (-3, 3))
    assert [shift.amount_of(alpha) for alpha in (-1, 0, 0.5)] == [-16, 0, 8]


@pytest.mark.parametrize("amount", [0, -2, 1000, math.nan, math.inf])
def test_an_amount_outside_the_domain_of_the_edit_is_out_of_range(amount: float) -> None:
    with pytest.raises(OutOfRange, match="amount of zoom"):
        Slider("zoom", "zoom", "x", 1.0, (-1, 1), (-3, 3)).alpha_of(amount)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"scale": 0.0}, "scale"),
        ({"scale": math.nan}, "scale"),
        ({"trained": (1.0, -1.0)}, "trained range"),
        ({"limit": (-math.inf, 1.0)}, "limit range"),
        ({"limit": (math.nan, 1.0)}, "limit range"),
    ],
)
def test_a_slider_that_cannot_be_is_refused(change: dict, reason: str) -> None:
    slider = Slider("s", "zoom", "x", 1.0, (-1, 1), (-3, 3))
    with pytest.raises(GanError, match=reason):
        dataclasses.replace(slider, **change)


def test_a_slider_of_an_unknown_edit_is_refused() -> None:
    with pytest.raises(UnknownEdit, match="blur"):
        Slider("s", "blur", "px", 1.0, (-1, 1), (-3, 3))


def test_moving_adds_alpha_times_each_vector(direction: LinearDirection) -> None:
    z = torch.randn(3, 6)
    alphas = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.5, -2.0]])
    torch.testing.assert_close(direction.move(z, alphas), z + alphas @ direction.vectors)
    assert torch.equal(direction.move(z, alphas)[0], z[0])


def test_a_row_moves_to_the_same_bits_alone_and_in_any_batch(direction: LinearDirection) -> None:
    generator = torch.Generator().manual_seed(0)
    z, alphas = torch.randn(300, 6, generator=generator), torch.randn(300, 2, generator=generator)
    together = direction.move(z, alphas)
    alone = torch.cat([direction.move(z[row, None], alphas[row, None]) for row in range(300)])
    assert torch.equal(together, alone)


def test_moving_lets_gradients_through(direction: LinearDirection) -> None:
    alphas = torch.zeros(1, 2, requires_grad=True)
    direction.move(torch.zeros(1, 6), alphas).sum().backward()
    torch.testing.assert_close(alphas.grad, direction.vectors.sum(dim=1)[None])


def test_moving_needs_one_alpha_for_each_slider(direction: LinearDirection) -> None:
    with pytest.raises(ValueError, match=r"shorter|longer"):
        direction.move(torch.zeros(1, 6), torch.zeros(1, 3))


def test_a_slider_is_found_by_name_and_the_first_without_one(direction: LinearDirection) -> None:
    assert [direction.slider_index(name) for name in ("zoom", "age", "")] == [0, 1, 0]
    with pytest.raises(UnknownSlider, match="'pose'") as caught:
        direction.slider_index("pose")
    assert caught.value.existing == ("zoom", "age")


def test_a_direction_belongs_to_one_generator(direction: LinearDirection, generator: Generator) -> None:
    direction.check_generator(generator.digest)
    with pytest.raises(GeneratorMismatch) as caught:
        direction.check_generator("sha256:other")
    assert (caught.value.expected, caught.value.actual) == (generator.digest, "sha256:other")
    assert generator.digest in str(caught.value)
    assert "sha256:other" in str(caught.value)


@pytest.mark.parametrize(
    ("vectors", "reason"),
    [
        (torch.zeros(6), "shape"),
        (torch.zeros(3, 6), "shape"),
        (torch.zeros(2, 6, 1), "shape"),
        (torch.zeros(2, 6, dtype=torch.float64), "type"),
        (torch.full((2, 6), math.nan), "NaN"),
        (torch.full((2, 6), math.inf), "infinity"),
    ],
)
def test_vectors_that_cannot_be_are_refused(direction: LinearDirection, vectors, reason: str) -> None:
    with pytest.raises(InvalidLatent, match=reason):
        dataclasses.replace(direction, vectors=vectors)


def test_a_direction_without_sliders_or_with_two_of_one_name_is_refused(direction: LinearDirection) -> None:
    with pytest.raises(GanError, match="no sliders"):
        dataclasses.replace(direction, sliders=(), vectors=torch.zeros(0, 6))
    with pytest.raises(GanError, match="share a name"):
        dataclasses.replace(direction, sliders=(direction.sliders[0],) * 2)
