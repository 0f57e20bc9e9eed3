"""The layouts of genforce (github.com/genforce), of SeFa and, with other names, of InterFaceGAN."""

import re
from collections.abc import Mapping

from torch import Tensor

from latentwalk.gan.families.progan.published import GROWTH, check_grown, dense, spread

_PARTS = {"conv.weight": "weight", "wscale.bias": "bias"}
"""The names of InterFaceGAN."""


def is_genforce(checkpoint: Mapping[str, Tensor]) -> bool:
    """Whether the names are those of one of these layouts."""
    return bool({"layer0.weight", "layer0.conv.weight"} & checkpoint.keys())


def from_genforce(checkpoint: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights in our own layout; of the layers that draw pictures, that of the full resolution only.

    A tensor that the layout does not know keeps its name, for the check of shapes to report. Raises GanError if it has
    not grown to its full resolution.
    """
    check_grown(checkpoint)
    last = max(map(int, re.findall(r"output(\d{1,2})\.\w", "\n".join(checkpoint))), default=0)
    dropped = re.compile(rf"{GROWTH}|output(?!{last}\.)\d+\..*")
    return dict(_renamed(name, tensor) for name, tensor in checkpoint.items() if not dropped.fullmatch(name))


def _renamed(name: str, tensor: Tensor) -> tuple[str, Tensor]:
    if not (found := re.fullmatch(r"(layer|output)(\d{1,2})\.(.*)", name)):
        return name, tensor
    part, index = _PARTS.get(found[3], found[3]), int(found[2])
    if found[1] == "output":
        return f"colours.{part}", tensor
    if part == "weight":
        return f"layers.{index}.source.weight", dense(tensor) if index == 0 else tensor
    return f"layers.{index}.{part}", spread(tensor, index)
