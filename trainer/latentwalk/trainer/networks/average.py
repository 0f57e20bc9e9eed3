"""The moving average of what is trained."""

from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn


def moving_average(network: nn.Module, batch_size: int, half_life: float, *, learned: bool = False) -> AveragedModel:
    """A copy that follows the network at each ``update_parameters``: half of it is new after ``half_life`` pictures.

    The statistics of batch normalisation are averaged as the weights are (Karras et al. 2018, section 5, average the
    weights). A half-life of 0 makes it a plain copy. The average itself is its ``module``, in evaluation mode.

    It begins with the weights after the first step, unless those of before were ``learned``.
    """
    decay = 0.5 ** (batch_size / half_life) if half_life else 0.0
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)
    average.n_averaged.fill_(int(learned))
    return average.eval().requires_grad_(requires_grad=False)
