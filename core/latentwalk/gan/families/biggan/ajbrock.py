"""The layout of ajbrock's BigGAN-PyTorch (G_ema.pth, G.pth), brought into our own."""

import re
from collections.abc import Mapping

from torch import Tensor

from latentwalk.gan.families.biggan.spectral import fold_iterated

# Of the spectral norms, as the published weights were trained; the code's own default is 1e-12. It makes a difference
# only to weights whose first singular value is as small.
_EPSILON = 1e-6
_STATISTICS = {
    "stored_mean": "stored_mean",
    "stored_var": "stored_var",
    "running_mean": "stored_mean",
    "running_var": "stored_var",
}
_COUNTS = ("accumulation_counter", "num_batches_tracked")


def from_ajbrock(checkpoint: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights as they act, statistics as they are used, in our own names; what is so already stays as it is.

    Raises GanError naming a tensor of a spectral norm that is missing or does not fit.
    """
    weights = {_own_name(name): tensor for name, tensor in _used(fold_iterated(checkpoint, _EPSILON)).items()}
    shared = weights.get("shared.weight")
    if shared is not None and shared.ndim == 2:  # its rows are looked up there; here a condition weighs them
        del weights["shared.weight"]
        weights["embedding.weight"] = shared.T
    return {name: tensor.reshape(1) if _is_gamma(name, tensor) else tensor for name, tensor in weights.items()}


def _used(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The statistics in one place, however the batch was normalised in training; of their sums, the means.

    With --mybn or --cross_replica they lie one level below, in "bn", and with the latter they have torch's names. With
    the former they may be standing statistics, summed over so many batches as a counter says.
    """
    used: dict[str, Tensor] = {}
    for name, tensor in weights.items():
        level, _, last = name.rpartition(".bn.")
        if level and last in _STATISTICS:
            used[f"{level}.{_STATISTICS[last]}"] = tensor / _summed(weights.get(f"{level}.bn.accumulation_counter"))
        elif not (level and last in _COUNTS):
            used[name] = tensor
    return used


def _summed(counter: Tensor | None) -> float:
    """Over how many batches statistics were summed; 1 if they were not."""
    return max(1.0, counter.item()) if counter is not None and counter.numel() == 1 else 1.0


def _own_name(published: str) -> str:
    name = re.sub(r"^(blocks\.\d+)\.0\.", r"\1.", published)
    return re.sub(r"^(blocks\.\d+)\.1\.", r"\1.attention.", name)


def _is_gamma(name: str, tensor: Tensor) -> bool:
    return name.endswith(".attention.gamma") and tensor.ndim == 0
