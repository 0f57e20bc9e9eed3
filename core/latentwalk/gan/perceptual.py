"""How different two pictures look: LPIPS (Zhang et al. 2018, "The unreasonable effectiveness of deep features as a
perceptual metric", arXiv:1801.03924), by the package of its authors.

The package carries its own calibration, not the backbone, an AlexNet trained on ImageNet; that is a file of
torchvision's, which is read by our own reader and never downloaded.
"""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from latentwalk.gan.backbones import Backbone
from latentwalk.gan.checkpoints import find_state_dict, read_checkpoint
from latentwalk.gan.errors import GanError

BACKBONE_FILE = "alexnet-owt-7be5be79.pth"
"""As torchvision names its AlexNet_Weights.IMAGENET1K_V1."""

ALEXNET = Backbone(
    "torchvision's AlexNet_Weights.IMAGENET1K_V1",
    (BACKBONE_FILE,),
    f"https://download.pytorch.org/models/{BACKBONE_FILE}",
    ("lpips", "torchvision"),
    "lpips_backbone",
)

LEAST_RESOLUTION = 31
"""A smaller picture has nothing left after the strides of AlexNet."""

COMPARED_PIXELS = 256
"""A side to which larger pictures are shrunk that are compared as a whole: the code of Karras et al. 2019, 2020."""

# Of torchvision's AlexNet those that take part: [outputs, inputs, height, width].
_CONVOLUTIONS = {0: (64, 3, 11, 11), 3: (192, 64, 5, 5), 6: (384, 192, 3, 3), 8: (256, 384, 3, 3), 10: (256, 256, 3, 3)}


def check_pictures(resolution: int, channels: int) -> None:
    """Raises GanError for pictures that LPIPS cannot compare."""
    if resolution < LEAST_RESOLUTION:
        raise GanError(f"pictures have {resolution} px: LPIPS needs at least {LEAST_RESOLUTION}")
    if channels not in (1, 3):
        raise GanError(f"pictures have {channels} channels: LPIPS needs 1 (grey) or 3 (colour)")


def shrunk(pictures: Tensor) -> Tensor:
    """Pictures [N, C, H, W] of at most COMPARED_PIXELS a side."""
    return pictures if pictures.shape[-1] <= COMPARED_PIXELS else F.adaptive_avg_pool2d(pictures, COMPARED_PIXELS)


class PerceptualError:
    """LPIPS with AlexNet, version 0.1: frozen, on the CPU until it is moved.

    Raises CheckpointRefused or GanError for a file that is no AlexNet of torchvision's.
    """

    def __init__(self, backbone: Path) -> None:
        self._network = _load(backbone)

    def to(self, device: torch.device) -> "PerceptualError":
        """Moves it, and returns it."""
        self._network.to(device)
        return self

    def __call__(self, pictures: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        """The loss of Jahanian et al. 2020, row by row: LPIPS of both pictures multiplied by the mask.

        pictures, target: [N, C, H, W] in (-1, 1), C 1 or 3, H and W at least LEAST_RESOLUTION; mask: [N, 1, H, W]
        of 0 and 1. Returns [N]; gradients reach the pictures. Raises GanError.
        """
        check_pictures(min(pictures.shape[2:]), pictures.shape[1])
        shape = (-1, 3, -1, -1)
        return self._network((mask * pictures).expand(shape), (mask * target).expand(shape)).flatten()


def read_alexnet(backbone: Path) -> Mapping[str, Tensor]:
    """The weights of torchvision's AlexNet in a file. Raises CheckpointRefused, GanError for a file without."""
    weights = find_state_dict(read_checkpoint(backbone))
    for place, shape in _CONVOLUTIONS.items():
        for name, wanted in ((f"features.{place}.weight", shape), (f"features.{place}.bias", shape[:1])):
            found = tuple(weights[name].shape) if name in weights else "missing"
            if found != wanted:
                raise GanError(f"{backbone} holds no AlexNet of torchvision's: {name} is {found}, expected {wanted}")
    return weights


def _load(backbone: Path) -> Any:
    import lpips

    weights = read_alexnet(backbone)
    # The package draws random weights first, and says so in words that torchvision no longer likes.
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = lpips.LPIPS(net="alex", version="0.1", pnet_rand=True, verbose=False)
    # "slice2.3.weight" is features.3.weight of torchvision.
    names = {name: f"features.{name.partition('.')[2]}" for name in network.net.state_dict()}
    network.net.load_state_dict({name: weights[given] for name, given in names.items()})
    return network.eval().requires_grad_(requires_grad=False)
