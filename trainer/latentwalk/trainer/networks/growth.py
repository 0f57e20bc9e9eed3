"""Pictures of players that grow: small ones, and those between two sizes while new layers fade in.

Karras, Aila, Laine and Lehtinen, "Progressive growing of GANs for improved quality, stability, and variation" (ICLR
2018), section 2 and figure 2; when they grow is in specs.growth.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from latentwalk.trainer.specs.growth import Stage


def halved(pictures: Tensor) -> Tensor:
    """[N, C, H, W] -> [N, C, H / 2, W / 2], each pixel the mean of four."""
    return F.avg_pool2d(pictures, 2)


def blended(coarse: Tensor, fine: Tensor, share: float) -> Tensor:
    """That share of fine pictures [N, C, 2 H, 2 W], and of coarse ones [N, C, H, W], pixels repeated, the rest."""
    return torch.lerp(F.interpolate(coarse, scale_factor=2), fine, share)


def shown_at(stage: Stage, pictures: Tensor) -> Tensor:
    """Real pictures [N, C, H, W] as small as those of a stage, and as coarse while finer ones fade in."""
    size = pictures.shape[-1]
    fitted = pictures if size == stage.resolution else F.avg_pool2d(pictures, size // stage.resolution)
    return fitted if stage.share == 1 else blended(halved(fitted), fitted, stage.share)
