"""Files as those in which AlexNet and Inception v3 are published, with random weights: the real ones are downloads."""

from pathlib import Path

import torch
from torch import Tensor
from torchvision.models import Inception3, alexnet

PUBLISHED, TORCHVISION = 1_008, 1_000


def write_alexnet(file: Path) -> Path:
    """As torchvision's, of which only the convolutions take part: of the rest the file has next to nothing."""
    torch.manual_seed(0)
    weights = alexnet().state_dict()
    torch.save({name: one if name.startswith("features") else one[:1] for name, one in weights.items()}, file)
    return file


def inception_weights(classes: int) -> dict[str, Tensor]:
    """In the layout of TensorFlow's network for 1,008 classes, of torchvision's for 1,000; features are about 1."""
    torch.manual_seed(0)
    network = Inception3(num_classes=classes, aux_logits=classes == TORCHVISION, init_weights=False)
    weights = network.state_dict()
    for name, tensor in weights.items():
        if name.endswith("conv.weight"):
            torch.nn.init.kaiming_normal_(tensor)
        elif name.endswith(("running_mean", "bn.bias")):
            tensor.normal_(0, 0.1)
    return weights


def write_inception(file: Path, classes: int = PUBLISHED) -> Path:
    torch.save(inception_weights(classes), file)
    return file
