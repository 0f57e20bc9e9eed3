"""How much pictures differ from given ones, where that counts.

Shapes: N pictures, C, H, W of a picture. A mask [N, 1, H, W] says how much each pixel counts, from 0 to 1; some do.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

# Pictures are halved, to be compared again, for as long as this many pixels a side are left.
_COARSEST = 4
# Less than any share that a pixel of 8 bits has in the coarsest of the largest picture.
_NOTHING = 1e-12


def squared_error(pictures: Tensor, targets: Tensor, masks: Tensor) -> Tensor:
    """The mean squared difference of a value, over the pixels that count: [N]."""
    return _mean_square(pictures - targets, masks)


def difference(pictures: Tensor, targets: Tensor, masks: Tensor) -> Tensor:
    """The same, mean over ever coarser scales: [N]. A coarse pixel is the mean of those that count, as much as they."""
    apart = pictures - targets
    errors = [_mean_square(apart, masks)]
    while apart.shape[-1] >= 2 * _COARSEST:
        shares = F.avg_pool2d(masks, 2)
        apart, masks = F.avg_pool2d(masks * apart, 2) / shares.clamp(min=_NOTHING), shares
        errors.append(_mean_square(apart, masks))
    return torch.stack(errors).mean(dim=0)


def _mean_square(apart: Tensor, masks: Tensor) -> Tensor:
    return (masks * apart.square()).flatten(1).sum(dim=1) / (apart.shape[1] * masks.flatten(1).sum(dim=1))
