"""What a walked picture is compared with its edited one by."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import torch
from torch import Tensor

from latentwalk.gan.edits import masked_squared_error
from latentwalk.gan.perceptual import ALEXNET, PerceptualError, check_pictures
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.trainer.specs import EditLoss

Loss: TypeAlias = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Walked pictures [N, C, H, W], edited ones and the mask [N, 1, H, W] -> one loss a row [N]."""


@dataclass(frozen=True, slots=True)
class LossKind:
    """How a loss is made, from the place of the backbone that it may need; None stands for torchvision's cache."""

    check: Callable[[GeneratorSpec, Path | None], object]
    """Raises GanError if it cannot compare the generator's pictures, or what it needs is not at hand. Reads nothing."""
    make: Callable[[Path | None, torch.device], Loss]
    """For pictures on that device. Raises GanError."""


def _check_lpips(spec: GeneratorSpec, backbone: Path | None) -> None:
    check_pictures(spec.resolution, spec.channels)
    ALEXNET.find(backbone)


LOSSES: Mapping[EditLoss, LossKind] = {
    EditLoss.L2: LossKind(lambda _spec, _backbone: None, lambda _backbone, _device: masked_squared_error),
    EditLoss.LPIPS: LossKind(_check_lpips, lambda backbone, device: PerceptualError(ALEXNET.find(backbone)).to(device)),
}
