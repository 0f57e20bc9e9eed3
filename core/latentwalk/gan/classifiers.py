"""Classifiers: functions from a picture to its class."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from torch import Tensor, nn
from torch.nn import functional as F

from latentwalk.gan.errors import GanError, OutOfRange, UnknownFamily
from latentwalk.gan.spec import LIMITS, JsonObject, JsonScalar

MAX_WIDTH = 1_024
_LIMITS = {"classes": (2, LIMITS["classes"][1]), "resolution": LIMITS["resolution"], "channels": LIMITS["channels"]}


@dataclass(frozen=True, slots=True)
class ClassifierSpec:
    """The shape of a classifier: enough, together with the weights, to build it again.

    Raises OutOfRange for a number outside its limits.
    """

    family: str
    """A name in FAMILIES."""
    classes: int
    """K."""
    resolution: int
    """H and W of the pictures, in pixels; larger ones are shrunk to it."""
    channels: int
    """C: 1 for grey, 3 for colour."""
    config: Mapping[str, JsonScalar] = field(hash=False)
    """What only the family understands, such as {"width": 32}."""

    def __post_init__(self) -> None:
        for name, (low, high) in _LIMITS.items():
            value = getattr(self, name)
            if type(value) is not int or not low <= value <= high:
                raise OutOfRange(f"{name} of the classifier", value, low, high)

    def check_pictures(self, resolution: int, channels: int) -> None:
        """Raises GanError for pictures that it cannot see: of other channels, or smaller than its own."""
        if channels != self.channels:
            raise GanError(
                f"the classifier sees pictures of {self.channels} channels, and these have {channels}: take one that "
                "was trained on such pictures"
            )
        if resolution < self.resolution:
            raise GanError(
                f"the classifier sees pictures of {self.resolution} px, and larger ones shrunk to that, but these have "
                f"{resolution} px: take one that was trained at {resolution} px or less"
            )

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, the inverse of from_json."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: JsonObject) -> "ClassifierSpec":
        """Builds the spec that to_json wrote. Raises GanError for anything else."""
        try:
            return cls(**document)
        except TypeError as failure:
            raise GanError(f"a classifier spec cannot be {document!r}: {failure}") from failure


class Classifier(nn.Module, ABC):
    """A function from pictures [N, C, H, W] in (-1, 1) to one logit a class.

    H and W are its resolution or more: it sees larger pictures shrunk to that, as the classifiers of Karras et al. 2019
    do (linear separability, in their code). Not by the mean, as there, but bilinear and without aliases: as a data set
    is that it learns from, so that what is drawn looks to it like what is real, and for any two sizes.
    """

    def __init__(self, spec: ClassifierSpec) -> None:
        super().__init__()
        self.spec = spec

    @property
    @abstractmethod
    def feature_size(self) -> int:
        """F: how many features it tells classes by."""

    def features(self, pictures: Tensor) -> Tensor:
        """What the classes are told by [N, F]: a measure of likeness between sets of pictures.

        Gradients reach the pictures. Raises GanError for pictures that it cannot see.
        """
        side = self.spec.resolution
        self.spec.check_pictures(min(pictures.shape[2:]), pictures.shape[1])
        if pictures.shape[2:] == (side, side):
            return self._features(pictures)
        return self._features(F.interpolate(pictures, (side, side), mode="bilinear", antialias=True))

    @abstractmethod
    def _features(self, pictures: Tensor) -> Tensor:
        """As features, of pictures of its own resolution."""

    @abstractmethod
    def logits(self, features: Tensor) -> Tensor:
        """What features [N, F] say of the classes: [N, K]."""

    def forward(self, pictures: Tensor) -> Tensor:
        """Logits [N, K]."""
        return self.logits(self.features(pictures))

    def freeze(self) -> Self:
        """Makes it ready to be used, not trained: evaluation mode, no gradients to the weights."""
        self.eval().requires_grad_(requires_grad=False)
        return self


class ConvolutionalClassifier(Classifier):
    """Convolutions that halve the side down to at most 8 px, then the mean over all places, then one layer.

    config: {"width": channels of the first layers, 1 to 1024}; they double with each halving. Every convolution is
    followed by batch normalisation and a rectifier; two of them a size, of which the second halves (Springenberg et
    al. 2015, "all convolutional").
    """

    def __init__(self, spec: ClassifierSpec) -> None:
        super().__init__(spec)
        width = spec.config.get("width")
        if type(width) is not int or len(spec.config) != 1 or not 1 <= width <= MAX_WIDTH:
            raise GanError(
                f'config of a convolutional classifier is {dict(spec.config)}: it must be {{"width": 1 to {MAX_WIDTH}}}'
            )
        layers: list[nn.Module] = []
        inputs, side = spec.channels, spec.resolution
        while side >= 8:
            layers += [*_block(inputs, width, stride=1), *_block(width, width, stride=2)]
            inputs, width, side = width, 2 * width, side // 2
        self.body = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = nn.Linear(inputs, spec.classes)

    @property
    def feature_size(self) -> int:
        """The channels of the last convolution."""
        return self.head.in_features

    def _features(self, pictures: Tensor) -> Tensor:
        """The last layer's inputs, not negative."""
        return self.body(pictures)

    def logits(self, features: Tensor) -> Tensor:
        """Those of the last layer."""
        return self.head(features)


def _block(inputs: int, outputs: int, *, stride: int) -> list[nn.Module]:
    return [
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    ]


FAMILIES: dict[str, type[Classifier]] = {"convolutional": ConvolutionalClassifier}
"""The classifier families, by name."""


def build_classifier(spec: ClassifierSpec) -> Classifier:
    """A classifier with fresh random weights. Raises UnknownFamily, or GanError if the spec does not fit."""
    if spec.family not in FAMILIES:
        raise UnknownFamily(spec.family, tuple(FAMILIES))
    return FAMILIES[spec.family](spec)
