"""Spectral norms (Miyato et al. 2018, arXiv:1802.05957), taken out of weights that were trained with them."""

from collections.abc import Mapping

from torch import Tensor
from torch.nn import functional as F

from latentwalk.gan.errors import GanError


def fold_stored(checkpoint: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights as they act, of a checkpoint of torch.nn.utils.spectral_norm.

    That keeps NAME.weight_orig and its singular vectors NAME.weight_u and NAME.weight_v, and computes with W / (u W v),
    which is NAME.weight here. Everything else stays as it is. Raises GanError naming a tensor that is missing or does
    not fit.
    """
    weights = dict(checkpoint)
    for original in [name for name in checkpoint if name.endswith(".weight_orig")]:
        name = original.removesuffix("_orig")
        matrix = _matrix(weights, original)
        left, right = (_pop(weights, f"{name}_{side}", (size,)) for side, size in zip("uv", matrix.shape, strict=True))
        weight = weights.pop(original)
        weights[name] = (weight / (left @ matrix @ right)).to(weight.dtype)
    return weights


def fold_iterated(checkpoint: Mapping[str, Tensor], epsilon: float) -> dict[str, Tensor]:
    """The weights as they act, of a checkpoint of ajbrock's BigGAN-PyTorch.

    That keeps NAME.weight and a guess NAME.u0 [1, rows] at its first singular vector, which it betters by one step of
    the power method at each use, also when it only draws; vectors shorter than epsilon stay short. NAME.sv0, and u1 and
    so on, are for its log. Everything else stays as it is. Raises GanError naming a tensor that is missing or does not
    fit.
    """
    weights = dict(checkpoint)
    for guess in [name for name in checkpoint if name.endswith(".u0")]:
        name = guess.removesuffix("u0")
        matrix = _matrix(weights, f"{name}weight")
        right = F.normalize(_pop(weights, guess, (1, len(matrix))) @ matrix, eps=epsilon)
        left = F.normalize(right @ matrix.T, eps=epsilon)
        weight = weights[f"{name}weight"]
        weights[f"{name}weight"] = (weight / (left @ matrix @ right.T)).to(weight.dtype)
        for logged in [other for other in weights if other.removeprefix(name).strip("0123456789") in ("u", "sv")]:
            del weights[logged]
    return weights


def _matrix(weights: Mapping[str, Tensor], name: str) -> Tensor:
    """The weight as a matrix of one row an output, float64."""
    weight = weights.get(name)
    if weight is None or weight.ndim < 2:
        found = "missing" if weight is None else tuple(weight.shape)
        raise GanError(f"a spectral norm is of no matrix: {name} is {found}")
    return weight.flatten(1).double()


def _pop(weights: dict[str, Tensor], name: str, shape: tuple[int, ...]) -> Tensor:
    found = tuple(weights[name].shape) if name in weights else "missing"
    if found != shape:
        raise GanError(f"a spectral norm is incomplete: {name} is {found}, expected {shape}")
    return weights.pop(name).double()
