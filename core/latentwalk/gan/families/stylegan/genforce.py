"""The layout of genforce (github.com/genforce), in which the original weights of StyleGAN are spread for PyTorch."""

import re
from collections.abc import Mapping

from torch import Tensor

_NAMES = {
    "const": "source.constant",
    "weight": "source.weight",
    "bias": "bias",
    "apply_noise.weight": "noise_strength",
    "apply_noise.noise": "noise",
    "style.weight": "style.weight",
    "style.bias": "style.bias",
}
# From this resolution on, the original doubles and convolves at once, with the kernel upside down.
_FUSED_FROM = 128


def is_genforce(checkpoint: Mapping[str, Tensor]) -> bool:
    """Whether the names are those of this layout."""
    return "synthesis.layer0.const" in checkpoint


def from_genforce(checkpoint: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights in our own layout; of the layers that draw pictures, that of the full resolution only.

    A tensor that the layout does not know keeps its name, for the check of shapes to report.
    """
    last = max(map(int, re.findall(r"synthesis\.output(\d{1,2})\.weight", "\n".join(checkpoint))), default=0)
    dropped = re.compile(rf"synthesis\.(lod|layer\d+\.blur\.kernel|output(?!{last}\.)\d+\..*)")
    return dict(_renamed(name, tensor) for name, tensor in checkpoint.items() if not dropped.fullmatch(name))


def turned_if_fused(kernel: Tensor, index: int) -> Tensor:
    """The kernel [outputs, inputs, 3, 3] of the layer of an index, the right way up."""
    is_fused = kernel.ndim == 4 and index % 2 == 0 and 4 << (index // 2) >= _FUSED_FROM
    return kernel.flip(2, 3) if is_fused else kernel


def _renamed(name: str, tensor: Tensor) -> tuple[str, Tensor]:
    if layer := re.fullmatch(r"synthesis\.layer(\d{1,2})\.(.*)", name):
        index, part = int(layer[1]), layer[2]
        own = turned_if_fused(tensor, index) if part == "weight" else tensor
        return f"synthesis.layers.{index}.{_NAMES.get(part, part)}", own
    if dense := re.fullmatch(r"mapping\.dense(\d{1,2})\.(weight|bias)", name):
        return f"mapping.layers.{dense[1]}.{dense[2]}", tensor
    if colours := re.fullmatch(r"synthesis\.output\d+\.(weight|bias)", name):
        return f"synthesis.colours.{colours[1]}", tensor
    return {"mapping.label_weight": "mapping.embedding", "truncation.w_avg": "mean"}.get(name, name), tensor
