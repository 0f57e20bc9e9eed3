"""How the amounts to train on are drawn: n of them between low and high, on the device of the random generator."""

import math

import torch
from torch import Tensor

from latentwalk.gan.errors import GanError


def uniform(n: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    """Any number, all alike."""
    return low + (high - low) * torch.rand(n, generator=generator, device=generator.device)


def whole(n: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    """Whole numbers strictly between low and high, not 0: the paper's randint(1, limit), either sign.

    Raises GanError if there is none.
    """
    numbers = [number for number in range(math.floor(low) + 1, math.ceil(high)) if number != 0]
    if not numbers:
        raise GanError(f"there is no whole amount but 0 strictly between {low} and {high}: widen the range")
    chosen = torch.randint(len(numbers), (n,), generator=generator, device=generator.device)
    return torch.tensor(numbers, dtype=torch.float32, device=generator.device)[chosen]


def in_or_out(n: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    """In or out by the toss of a coin, then uniform in the paper's alpha = 1 / amount: how much of the
    picture's side is seen when going in, how much wider the canvas is when going out.
    """
    if low >= 1 or high <= 1:
        return 1 / uniform(n, 1 / high, 1 / low, generator)
    going_in, going_out = uniform(n, 1 / high, 1, generator), uniform(n, 1, 1 / low, generator)
    coin = torch.rand(n, generator=generator, device=generator.device) < 0.5
    return 1 / torch.where(coin, going_in, going_out)
