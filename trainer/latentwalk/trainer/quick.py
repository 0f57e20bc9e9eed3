"""A frozen generator in the form in which it trains a walk the fastest."""

import copy
from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor

from latentwalk.gan.generator import Generator
from latentwalk.gan.processor import has_bf16

Draw: TypeAlias = Callable[[Tensor, Tensor | None], Tensor]
"""Codes [N, ...] and a condition [N, K] or None -> pictures [N, C, H, W], both float32."""

DrawWith: TypeAlias = Callable[[Generator, Tensor, Tensor | None], Tensor]
"""The same with some generator, of its own dtype."""


def quick_form(generator: Generator, draw_with: DrawWith) -> Draw:
    """The generator in bf16 with channels last where its device multiplies in bf16, else as it is.

    Gradients flow to the codes. What it brings is measured by benchmarks.training_speed.
    """
    if not has_bf16(generator.device):
        return lambda code, condition: draw_with(generator, code, condition)
    form = copy.deepcopy(generator).bfloat16().to(memory_format=torch.channels_last)

    def draw(code: Tensor, condition: Tensor | None) -> Tensor:
        return draw_with(form, code.bfloat16(), None if condition is None else condition.bfloat16()).float()

    return draw
