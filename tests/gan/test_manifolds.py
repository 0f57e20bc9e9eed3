"""Precision and recall: of sets where one sees them, and against the formulas of the paper written out plainly."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from latentwalk.gan.manifolds import BLOCK, Manifold, precision_and_recall


def shares(drawn: torch.Tensor, real: torch.Tensor) -> tuple[float, float]:
    return precision_and_recall(Manifold(drawn), Manifold(real))


def mode(place: float, rows: int = 20, seed: int = 0) -> torch.Tensor:
    """Features around a place of its own, no further than a few units from it."""
    return place + torch.randn(rows, 5, generator=torch.Generator().manual_seed(seed))


def plainly(drawn: np.ndarray, real: np.ndarray, neighbours: int = 3) -> tuple[float, float]:
    """Equations 1 and 2 of the paper, all distances at once."""

    def distances(some: np.ndarray, others: np.ndarray) -> np.ndarray:
        return np.square(some[:, None] - others[None]).sum(axis=2)

    def share_within(some: np.ndarray, others: np.ndarray) -> float:
        radii = np.sort(distances(others, others), axis=1)[:, min(neighbours, len(others) - 1)]
        return (distances(some, others) <= radii).any(axis=1).mean()

    return share_within(drawn, real), share_within(real, drawn)


def test_equal_sets_cover_each_other():
    assert shares(mode(0), mode(0).flip(0)) == (1, 1)


def test_sets_without_anything_in_common_cover_nothing():
    assert shares(mode(0), mode(1_000, seed=1)) == (0, 0)


def test_what_is_drawn_of_one_of_two_modes_is_real_and_half_of_what_there_is():
    real = torch.cat([mode(0), mode(1_000, seed=1)])
    assert shares(mode(0), real) == (1, 0.5)
    assert shares(torch.cat([mode(0), mode(-1_000, seed=2)]), real) == (0.5, 0.5)


def test_a_ball_reaches_to_the_third_of_the_others_and_its_border_is_within():
    """On a line: those of 0 to 4 reach 3, 2, 2, 2 and 3 to either side."""
    line = torch.arange(5.0)[:, None]
    assert Manifold(line).squared_radii.tolist() == [9, 4, 4, 4, 9]
    assert shares(torch.tensor([[-3.0], [7.0], [-3.1], [7.1]]), line) == (0.5, 1)
    assert Manifold(line, neighbours=1).squared_radii.tolist() == [1, 1, 1, 1, 1]
    assert Manifold(line[:3]).squared_radii.tolist() == [4, 1, 4], "of three, to the farthest"


def test_pictures_that_are_all_the_same_are_found_among_others_of_the_same():
    """Balls without extent: rounding must not decide, nor that features depend on the batch to the last bit."""
    one, other = mode(0, rows=2, seed=3)
    same = one.expand(BLOCK + 7, -1)
    real = torch.cat([same, other.expand(4, -1)])
    assert shares(same[:9] * (1 + 2e-7), real) == (1, (BLOCK + 7) / (BLOCK + 11))
    assert shares(same * (1 + 1e-4), real) == (0, 0)


@pytest.mark.parametrize(("rows", "others"), [(2, 3), (40, 40), (BLOCK + 1, BLOCK - 50), (2 * BLOCK, 3)])
def test_blocks_find_what_the_formulas_do(rows: int, others: int):
    drawn, real = 0.8 * mode(3, rows), mode(3.2, others, seed=1)
    assert shares(drawn, real) == pytest.approx(plainly(drawn.double().numpy(), real.double().numpy()))


small = arrays(np.int8, st.tuples(st.integers(2, 12), st.just(2)), elements=st.integers(-4, 4))


@given(small, small)
def test_sets_of_many_ties_have_the_shares_of_the_formulas_and_swapped_ones_the_swapped(drawn, real):
    one, other = (torch.from_numpy(some.astype(np.float32)) for some in (drawn, real))
    found = shares(one, other)
    assert found == pytest.approx(plainly(drawn.astype(float), real.astype(float)))
    assert shares(other, one) == found[::-1]


def test_whoever_waits_is_asked_for_every_block_and_may_stop_it():
    class Stop(Exception):
        pass

    asked: list[int] = []
    manifold = Manifold(mode(0, 3 * BLOCK), pause=lambda: asked.append(1))
    assert len(asked) == 3

    def stop() -> None:
        raise Stop

    with pytest.raises(Stop):
        precision_and_recall(manifold, manifold, pause=stop)
