"""The features of Inception v3 (Szegedy et al. 2016, arXiv:1512.00567), in which papers take FID and KID.

Theirs is the network that TensorFlow published in 2015, of which pytorch-fid and torch-fidelity give out the weights,
1,008 classes. Its graph is not quite that of torchvision: at the border, averages leave the padding out; the last block
takes the maximum in the place of an average; and pictures are resized as TensorFlow 1 did. With torchvision's own
weights, 1,000 classes, the graph is torchvision's: other features, whose distances are no FID. Either file is read by
our own reader, and never downloaded.

Shapes: N pictures, C channels, H and W pixels, F = 2,048 features.
"""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from latentwalk.gan.backbones import Backbone
from latentwalk.gan.checkpoints import find_state_dict, read_checkpoint
from latentwalk.gan.errors import GanError

FEATURES = 2_048
SIDE = 299
"""Pixels a side of what it sees, to which all pictures are resized."""
PUBLISHED_CLASSES = 1_008
"""Of TensorFlow's network of 2015."""

INCEPTION = Backbone(
    "the weights of FID's Inception v3",
    (
        "pt_inception-2015-12-05-6726825d.pth",  # as pytorch-fid names them
        "weights-inception-2015-12-05-6726825d.pth",  # as torch-fidelity does
        "inception_v3_google-0cc3c7bd.pth",  # torchvision's own
    ),
    "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth",
    ("torchvision",),
    "inception_weights",
)
"""Their file, or else torchvision's Inception_V3_Weights.IMAGENET1K_V1."""


def check_channels(channels: int) -> None:
    """Raises GanError for pictures that Inception cannot see."""
    if channels not in (1, 3):
        raise GanError(f"pictures have {channels} channels: Inception v3 needs 1 (grey) or 3 (colour)")


class Inception:
    """Inception v3 up to the features that its classes are told by: frozen, on the CPU until it is moved.

    Raises CheckpointRefused or GanError for a file that holds no Inception v3 in one of the two layouts.
    """

    def __init__(self, file: Path) -> None:
        weights = read_inception(file)
        self.is_published = len(weights["fc.bias"]) == PUBLISHED_CLASSES
        """Whether its features are those in which papers take FID and KID."""
        self._network = _network(published=self.is_published)
        # Those whose layers are not there have no say in the features.
        self._network.load_state_dict(weights, strict=False)
        self._network.eval().requires_grad_(requires_grad=False)

    def to(self, device: torch.device) -> "Inception":
        """Moves it, and returns it."""
        self._network.to(device)
        return self

    def __call__(self, pictures: Tensor) -> Tensor:
        """The features [N, F] of pictures [N, C, H, W] in (-1, 1), C 1 or 3, of any size. Raises GanError."""
        check_channels(pictures.shape[1])
        colours = pictures.float().expand(-1, 3, -1, -1)
        if not self.is_published:
            return self._network(F.interpolate(colours, (SIDE, SIDE), mode="bilinear", align_corners=False))
        # From bytes to (b - 128) / 128, as its graph does.
        return self._network((resized_as_tensorflow(colours, SIDE) * 255 - 1) / 256)


def read_inception(file: Path) -> Mapping[str, Tensor]:
    """The weights of an Inception v3 of either layout. Raises CheckpointRefused, GanError for a file without."""
    weights = find_state_dict(read_checkpoint(file))
    with torch.device("meta"):
        needed = _network(published=True).state_dict()
    shapes = {name: tensor.shape for name, tensor in needed.items() if not name.endswith("num_batches_tracked")}
    for name, shape in shapes.items():
        if name not in weights or weights[name].shape != shape:
            found = tuple(weights[name].shape) if name in weights else "missing"
            raise GanError(f"{file} holds no Inception v3: {name} is {found}, expected {tuple(shape)}")
    if weights.get("fc.bias", torch.empty(0)).shape not in ((PUBLISHED_CLASSES,), (1_000,)):
        raise GanError(
            f"{file} holds no Inception v3 of {PUBLISHED_CLASSES:,} classes (FID's) or 1,000 (torchvision's)"
        )
    return weights


def resized_as_tensorflow(pictures: Tensor, side: int) -> Tensor:
    """Pictures [N, C, H, W] -> [N, C, side, side], bilinear, as resize_bilinear of TensorFlow 1.

    The first pixel stays where it is, for all that it covers: pixel i comes from place i * H / side.
    """
    down, across = (_weights(length, side).to(pictures) for length in pictures.shape[2:])
    return down @ pictures @ across.T


def _weights(length: int, side: int) -> Tensor:
    """What share each of so many pixels has in each of ``side``: [side, length]."""
    places = torch.arange(side, dtype=torch.float64) * length / side
    first = places.long()
    share = (places - first)[:, None]
    own, next_one = (F.one_hot(index.clamp(max=length - 1), length) for index in (first, first + 1))
    return (1 - share) * own + share * next_one


def _network(*, published: bool) -> nn.Module:
    """From pictures [N, 3, SIDE, SIDE] to features, with fresh weights."""
    # Here, and not above: most that looks at pictures needs no Inception, and torchvision takes seconds to import.
    from latentwalk.gan.inception_graphs import published_graph, torchvision_graph

    return published_graph() if published else torchvision_graph()
