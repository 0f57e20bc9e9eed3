"""Walks in some layers of w+ only: what is named is moved as ever, and the rest not by a bit."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from forms import deformed, iterated, linear, rbf
from hypothesis import given, settings
from hypothesis import strategies as st
from styled import SPEC, make_styled
from torch import Tensor

from latentwalk.gan.directions import Direction
from latentwalk.gan.errors import InvalidLayers
from latentwalk.gan.latents import one_hot, z_from_seeds
from latentwalk.gan.steps import Steps, finish
from latentwalk.gan.styles import map_rows
from latentwalk.gan.walks import Leg, Stretch, Track, Walk

STYLED, CONDITION = make_styled(), one_hot([0, 1, 1], 2)
Z, LAYERS, W = z_from_seeds(range(3), 6), SPEC.layers, SPEC.w_size
IN_W = {
    "linear": linear(W, space="w"),
    "iterated": iterated(W, space="w", centre=STYLED.mean_w),
    "deformed": deformed(W, space="w"),
    "rbf": rbf(W, space="w"),
}
IN_W_PLUS = {
    "linear": linear(LAYERS * W, space="w+"),
    "iterated": iterated(2 * W, space="w+", layers=(1, 3), centre=torch.zeros(2 * W)),
    "deformed": deformed(3 * W, space="w+", layers=(0, 1, 3)),
    "rbf": rbf(LAYERS * W, space="w+"),
}
every_form = pytest.mark.parametrize(
    "direction",
    [*IN_W.values(), *IN_W_PLUS.values()],
    ids=[*map("{} in w".format, IN_W), *map("{} in w+".format, IN_W_PLUS)],
)
subsets = st.sets(st.integers(0, LAYERS - 1), min_size=1).map(lambda layers: tuple(sorted(layers)))


class MapAnew:
    """To the w+ of three rows, or of the first ones; nothing is kept."""

    def __call__(self, z: Tensor) -> Tensor:
        return torch.stack(map_rows(STYLED, z, CONDITION[: len(z)]))

    def in_steps(self, z: Tensor) -> Steps[Tensor]:
        yield
        return self(z)


lift = MapAnew()


def walk(*stretches: Stretch, frames: int = 3, start: Tensor = Z) -> Walk:
    return Walk(start, (Leg(stretches, frames),), lift=lift)


def own(direction: Direction) -> tuple[int, ...]:
    return direction.layers or tuple(range(LAYERS))


@every_form
@given(data=st.data(), alpha=st.floats(-3, 3))
@settings(deadline=None, max_examples=12)
def test_named_layers_move_as_ever_and_others_by_no_bit(direction: Direction, data: Any, alpha: float) -> None:
    layers = data.draw(subsets.filter(lambda layers: set(layers) <= set(own(direction))))
    moved = walk(Stretch(direction, 0, 0.0, alpha, layers)).code_at(2)
    whole = walk(Stretch(direction, 0, 0.0, alpha)).code_at(2)
    still = lift(Z)
    for layer in range(LAYERS):
        assert torch.equal(moved[:, layer], (whole if layer in layers else still)[:, layer])


@every_form
def test_all_its_layers_one_by_one_are_the_whole(direction: Direction) -> None:
    parts = [Stretch(direction, 1, -1.0, 1.7, (layer,)) for layer in own(direction)]
    together, whole = walk(*parts), walk(Stretch(direction, 1, -1.0, 1.7))
    for frame in range(3):
        assert torch.equal(together.code_at(frame), whole.code_at(frame))


@every_form
def test_a_row_walks_the_same_bits_alone_and_with_others(direction: Direction) -> None:
    stretch = Stretch(direction, 0, -1.0, 2.0, (1,))
    assert torch.equal(walk(stretch, start=Z[:1]).code_at(1)[0], walk(stretch).code_at(1)[0])


@pytest.mark.parametrize("direction", [IN_W["linear"], IN_W_PLUS["linear"]], ids=["w", "w+"])
def test_one_slider_in_several_choices_of_layers_adds_up_where_they_meet(direction: Direction) -> None:
    some, others = Stretch(direction, 0, 0.0, 1.0, (0, 1)), Stretch(direction, 0, 0.0, 0.5, (1, 2))
    both = walk(some, others)
    assert both.alphas_at(2) == {Track(direction, 0, (0, 1)): 1.0, Track(direction, 0, (1, 2)): 0.5}
    once = walk(Stretch(direction, 0, 0.0, 1.5)).code_at(2) - lift(Z)
    share = torch.tensor([1.0, 1.5, 0.5, 0.0])[:, None] / 1.5
    torch.testing.assert_close(both.code_at(2), lift(Z) + share * once)
    twice = walk(some, some)
    assert twice.alphas_at(2) == {Track(direction, 0, (0, 1)): 2.0}


def test_other_layers_stay_where_an_earlier_leg_left_them() -> None:
    direction = IN_W["linear"]
    legs = tuple(Leg((Stretch(direction, 0, 0.0, 1.0, layers),), 2) for layers in ((0, 1), (2, 3)))
    journey = Walk(Z, legs, lift=lift)
    assert journey.alphas_at(2) == {Track(direction, 0, (0, 1)): 1.0, Track(direction, 0, (2, 3)): 0.0}
    assert torch.equal(journey.code_at(3), walk(Stretch(direction, 0, 0.0, 1.0)).code_at(2))


@pytest.mark.parametrize("make", [iterated, rbf])
def test_the_steps_of_a_path_are_taken_once_for_all_choices_of_layers(make: Callable[..., Direction]) -> None:
    centre = {"centre": STYLED.mean_w} if make is iterated else {}
    direction = make(W, space="w", **centre)
    both = walk(Stretch(direction, 0, 1.0, 2.0, (0,)), Stretch(direction, 0, -1.0, 1.0, (3,)))
    both.code_at(2)
    assert list(both.paths) == [(direction, 0)]
    later = walk(Stretch(direction, 0, 1.5, 1.5, (1, 2)))
    finish(later.in_steps(2, both))
    assert later.paths == both.paths


def test_layers_are_chosen_among_those_that_the_direction_moves() -> None:
    everywhere, confined = IN_W["linear"], IN_W_PLUS["deformed"]
    assert everywhere.chosen_layers([3, 1], SPEC) == (1, 3)
    assert confined.chosen_layers([3, 0], SPEC) == (0, 3)
    assert linear(6).chosen_layers([], SPEC) == ()
    # All of them are what a walk moves anyhow: two words for one thing must not be two things that add up.
    assert everywhere.chosen_layers(range(LAYERS), SPEC) == confined.chosen_layers([0, 1, 3], SPEC) == ()


@pytest.mark.parametrize(
    ("direction", "layers", "reason"),
    [
        (linear(6), [0], "direction 'd' moves z, which has no layers; leave them out"),
        (IN_W["rbf"], [0, 4], "4 must be from 0 to 3"),
        (IN_W["rbf"], [-1], "-1 must be from 0 to 3"),
        (IN_W["rbf"], [2, 2], "2 is named twice"),
        (IN_W_PLUS["iterated"], [1, 2], "direction 'd' moves only layers 1, 3, not 2"),
    ],
)
def test_layers_that_it_does_not_move_are_refused(direction: Direction, layers: list[int], reason: str) -> None:
    with pytest.raises(InvalidLayers, match=reason):
        direction.chosen_layers(layers, SPEC)


def test_layers_of_a_generator_without_them_are_refused() -> None:
    plain = replace(SPEC, spaces=("z",), layers=0, w_size=0)
    with pytest.raises(InvalidLayers, match="has no layers"):
        linear(6).chosen_layers([0], plain)
