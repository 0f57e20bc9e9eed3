"""The games that a generator and a discriminator play: who wants which scores, and what steadies them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn import functional as F

from latentwalk.trainer.seat import Dice

Score: TypeAlias = Callable[[Tensor], Tensor]
"""Pictures [N, C, H, W] -> scores [N], each of its own picture alone, or of those of its group."""
Penalty: TypeAlias = Callable[[Score, Tensor, Tensor, Dice], Tensor]
"""(score, real, drawn, dice) -> what is to be small: a scalar with a gradient to the weights of the score."""


@dataclass(frozen=True)
class Game:
    """One rule of play; scores are [N], and each loss is the mean over its rows."""

    discriminator: Callable[[Tensor, Tensor], Tensor]
    """(scores of real, scores of drawn) -> the discriminator's loss."""
    generator: Callable[[Tensor], Tensor]
    """(scores of drawn) -> the generator's loss."""
    penalty: Penalty
    """On the discriminator; it is multiplied by a weight of the job's."""
    default_penalty: float
    """The weight by default."""
    penalty_every: int
    """Taken every so many steps only, and then so many times as much (Karras et al. 2020, StyleGAN2, section 3.1)."""


def r1(score: Score, real: Tensor, drawn: Tensor, dice: Dice) -> Tensor:
    """Half the mean squared length of the score's gradient at real pictures (Mescheder et al. 2018, equation 9)."""
    return _gradient(score, real).square().sum(dim=1).mean() / 2


def gradient_penalty(score: Score, real: Tensor, drawn: Tensor, dice: Dice) -> Tensor:
    """The mean of (|gradient| - 1)^2 between real and drawn pictures (Gulrajani et al. 2017, equation 3)."""
    share = dice.roll(len(real), lambda whole, random: torch.rand(whole, 1, 1, 1, generator=random)).to(real)
    return (_gradient(score, torch.lerp(real, drawn, share)).norm(dim=1) - 1).square().mean()


def _gradient(score: Score, pictures: Tensor) -> Tensor:
    """The score's gradient at each picture [N, C H W], itself with a gradient."""
    pictures = pictures.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(score(pictures).sum(), pictures, create_graph=True)
    return gradient.flatten(1)


GAMES: Mapping[str, Game] = {
    # Goodfellow et al. 2014, section 3: the generator maximises log D instead of minimising log (1 - D).
    "non_saturating": Game(
        lambda real, drawn: F.softplus(-real).mean() + F.softplus(drawn).mean(),
        lambda drawn: F.softplus(-drawn).mean(),
        r1,
        default_penalty=1.0,
        penalty_every=16,
    ),
    # Lim and Ye 2017, section 3.1.
    "hinge": Game(
        lambda real, drawn: F.relu(1 - real).mean() + F.relu(1 + drawn).mean(),
        lambda drawn: -drawn.mean(),
        r1,
        default_penalty=0.0,
        penalty_every=16,
    ),
    # Arjovsky et al. 2017, with the penalty of Gulrajani et al. 2017, algorithm 1.
    "wgan_gp": Game(
        lambda real, drawn: drawn.mean() - real.mean(),
        lambda drawn: -drawn.mean(),
        gradient_penalty,
        default_penalty=10.0,
        penalty_every=1,
    ),
}
"""By the name of the loss in the spec of a job."""
