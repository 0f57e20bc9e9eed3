"""The games: their values against the formulas, and their penalties against gradients known by hand."""

import math

import pytest
import torch
from torch.nn import functional as F

from latentwalk.trainer.networks.games import GAMES, gradient_penalty, r1
from latentwalk.trainer.seat import Dice

REAL, DRAWN = torch.tensor([2.0, -0.5]), torch.tensor([-3.0, 0.5])


@pytest.mark.parametrize(
    ("game", "discriminator", "generator"),
    [
        (
            "non_saturating",
            -(REAL.sigmoid().log().mean() + (1 - DRAWN.sigmoid()).log().mean()),
            -DRAWN.sigmoid().log().mean(),
        ),
        ("hinge", torch.tensor((0 + 1.5) / 2 + (0 + 1.5) / 2), torch.tensor(1.25)),
        ("wgan_gp", torch.tensor(-1.25 - 0.75), torch.tensor(1.25)),
    ],
)
def test_losses_are_those_of_the_papers(game: str, discriminator: torch.Tensor, generator: torch.Tensor) -> None:
    assert torch.allclose(GAMES[game].discriminator(REAL, DRAWN), discriminator, atol=1e-5)
    assert torch.allclose(GAMES[game].generator(DRAWN), generator, atol=1e-5)


@pytest.mark.parametrize("game", GAMES)
def test_each_wants_real_scores_high_and_the_generator_wants_its_own_high(game: str) -> None:
    real, drawn = torch.zeros(3, requires_grad=True), torch.zeros(3, requires_grad=True)
    GAMES[game].discriminator(real, drawn).backward()
    assert (real.grad < 0).all()
    assert (drawn.grad > 0).all()
    drawn.grad = None
    GAMES[game].generator(drawn).backward()
    assert (drawn.grad < 0).all()


def test_penalties_of_a_linear_score_are_known() -> None:
    weight = torch.tensor([3.0, 4.0], requires_grad=True)

    def score(pictures: torch.Tensor) -> torch.Tensor:
        return pictures.flatten(1) @ weight

    real, drawn = torch.randn(5, 1, 1, 2), torch.randn(5, 1, 1, 2)
    dice = Dice(torch.Generator().manual_seed(0))
    assert math.isclose(r1(score, real, drawn, dice).item(), 25 / 2, rel_tol=1e-5)
    assert math.isclose(gradient_penalty(score, real, drawn, dice).item(), (5 - 1) ** 2, rel_tol=1e-5)
    r1(score, real, drawn, dice).backward()
    assert torch.allclose(weight.grad, weight.detach())


def test_the_gradient_penalty_looks_between_the_pictures_where_its_random_numbers_say() -> None:
    seen = []

    def score(pictures: torch.Tensor) -> torch.Tensor:
        seen.append(pictures.detach())
        return F.softplus(pictures).flatten(1).sum(dim=1)

    real, drawn = torch.zeros(64, 1, 2, 2), torch.ones(64, 1, 2, 2)
    for seed in (0, 0, 1):
        gradient_penalty(score, real, drawn, Dice(torch.Generator().manual_seed(seed)))
    assert torch.equal(seen[0], seen[1])
    assert not torch.equal(seen[0], seen[2])
    assert (seen[0] == seen[0][:, :1, :1, :1]).all()  # one share a picture
    assert 0 < seen[0].min() < 0.2
    assert 0.8 < seen[0].max() < 1
