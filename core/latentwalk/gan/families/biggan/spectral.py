"""Spectral norms (Miyato et al. 2018, arXiv:1802.05957), taken out of weights that were trained with them."""

from collections.abc import Mapping

from torch import Tensor

from latentwalk.gan.errors import GanError


def fold_stored(checkpoint: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights as they act, of a checkpoint of torch.nn.utils.spectral_norm.

    That keeps NAME.weight_orig and its singular vectors NAME.weight_u and NAME.weight_v, and computes with W / (u W v),
    which is NAME.weight here. Everything else stays as it is. Raises GanError naming a vector that is missing or does
    not fit.
    """
    weights = dict(checkpoint)
    for original in [name for name in checkpoint if name.endswith(".weight_orig")]:
        name = original.removesuffix("_orig")
        weight = weights.pop(original)
        if weight.ndim < 2:
            raise GanError(f"a spectral norm is of no matrix: {original} is {tuple(weight.shape)}")
        matrix = weight.flatten(1).double()
        left, right = (_vector(weights, f"{name}_{side}", size) for side, size in zip("uv", matrix.shape, strict=True))
        weights[name] = (weight / (left @ matrix @ right)).to(weight.dtype)
    return weights


def _vector(weights: dict[str, Tensor], name: str, size: int) -> Tensor:
    found = tuple(weights[name].shape) if name in weights else "missing"
    if found != (size,):
        raise GanError(f"a spectral norm is incomplete: {name} is {found}, expected ({size},)")
    return weights.pop(name).double()
