"""Batch normalisation over a batch whose rows are in several processes.

As torch's SyncBatchNorm, which asks for a GPU.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from latentwalk.trainer.team import Team


class SharedNorm(nn.Module):
    """Takes the place of a batch normalisation: the same parameters, buffers and names, the statistics of all rows."""

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(self, norm: nn.BatchNorm1d | nn.BatchNorm2d, team: Team) -> None:
        super().__init__()
        self.weight, self.bias = norm.weight, norm.bias
        for name, buffer in norm.named_buffers():
            self.register_buffer(name, buffer)
        self._eps, self._momentum = norm.eps, norm.momentum or 0.0
        self._team = team
        self.train(norm.training)

    def forward(self, features: Tensor) -> Tensor:
        """Features [N, C, ...] of this process's own rows, normalised."""
        if not self.training:
            known = self.running_mean, self.running_var
            return F.batch_norm(features, *known, self.weight, self.bias, training=False, eps=self._eps)
        numbers = features.float()
        own_variance, own_mean = torch.var_mean(numbers, [0, *range(2, features.ndim)], correction=0)
        mean = _average(own_mean, self._team)
        variance = _average(own_variance + (own_mean - mean).square(), self._team)
        self._follow(mean, variance, self._team.seat.batch_rows(features.numel() // len(mean)))
        scale = self.weight * (variance + self._eps).rsqrt()
        shift = self.bias - mean * scale
        shape = (-1, *[1] * (features.ndim - 2))
        return torch.addcmul(shift.view(shape), numbers, scale.view(shape)).to(features.dtype)

    @torch.no_grad()
    def _follow(self, mean: Tensor, variance: Tensor, count: int) -> None:
        self.running_mean.lerp_(mean, self._momentum)
        self.running_var.lerp_(variance * count / (count - 1), self._momentum)
        self.num_batches_tracked.add_(1)


def share_norms(network: nn.Module, team: Team) -> None:
    """Has every batch normalisation in a network look at the rows of all processes."""
    for name, layer in list(network.named_children()):
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            setattr(network, name, SharedNorm(layer, team))
        else:
            share_norms(layer, team)


class _Average(torch.autograd.Function):
    """The mean over all processes. Each minimises the mean of their losses: so the gradients are averaged, too."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor, team: Team) -> Tensor:
        ctx.team = team
        return team.averages([tensor])[0]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return ctx.team.averages(gradients)[0], None


def _average(tensor: Tensor, team: Team) -> Tensor:
    average: Tensor = _Average.apply(tensor, team)  # pyright: ignore[reportAssignmentType]
    return average
