"""What a job works with, besides its spec."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from latentwalk.gan.artifacts import ArtifactStore, load_classifier, load_direction, load_generator
from latentwalk.gan.classifiers import Classifier
from latentwalk.gan.directions import Direction, LinearDirection
from latentwalk.gan.errors import GanError
from latentwalk.gan.generator import Generator
from latentwalk.gan.inception import INCEPTION, Inception, check_channels, read_inception
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.gan.usual_range import in_usual_range
from latentwalk.trainer.data import Form, Kind, Library, Part, Pictures
from latentwalk.trainer.devices import CPU
from latentwalk.trainer.losses import LOSSES, Loss
from latentwalk.trainer.references import Reference
from latentwalk.trainer.seat import ONLY_SEAT, Seat
from latentwalk.trainer.specs import AnyJobSpec, Data, EditLoss, GanSettings


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the materials come from, as plain data: what a job's process is told of it."""

    store: str
    """The URL of the artifact store."""
    data: str
    """The folder with the data sets."""
    download: bool = False
    """Whether torchvision may fetch into it a data set that is not there."""
    lpips_backbone: str = ""
    """The file with the weights of AlexNet, or its folder; empty for torchvision's cache."""
    inception: str = ""
    """As for LPIPS, of Inception v3."""

    def open(self, seat: Seat = ONLY_SEAT, device: torch.device = CPU) -> "Materials":
        """The materials, for the process at this seat, which computes on that device.

        Raises GanError for a store that cannot be opened.
        """
        alexnet, inception = (Path(one) if one else None for one in (self.lpips_backbone, self.inception))
        return Materials(
            ArtifactStore(self.store),
            Path(self.data),
            self.download,
            lpips_backbone=alexnet,
            inception=inception,
            seat=seat,
            device=device,
        )


@dataclass(frozen=True, slots=True)
class Parent:
    """A published generator, with whose weights another begins."""

    name: str
    version: int
    generator: Generator
    """On the CPU, frozen."""


@dataclass(frozen=True, slots=True)
class Materials:
    """The artifacts and the data sets at hand."""

    store: ArtifactStore
    data: Path
    """The folder with the data sets, each in the layout of torchvision, and with folders of pictures."""
    download: bool = False
    """Whether torchvision may fetch into it a data set that is not there."""

    lpips_backbone: Path | None = None
    """The file with the weights of AlexNet, or its folder; None for torchvision's cache."""
    inception: Path | None = None
    """As for LPIPS, of Inception v3."""
    seat: Seat = ONLY_SEAT
    """Which part of every batch is to be worked on."""
    device: torch.device = CPU
    """Where networks and pictures are wanted. Vectors of directions stay on the CPU."""

    def generator(self, spec: AnyJobSpec) -> Generator:
        """The generator that the job works on, frozen, with pictures in (-1, 1), whatever the range of its own.

        Raises UnknownArtifact, CorruptArtifact.
        """
        return in_usual_range(load_generator(self.store, spec.model, spec.model_version)[0]).to(self.device)

    def parent(self, settings: GanSettings) -> Parent | None:
        """What a new generator is to start from, if it is. Raises UnknownArtifact, CorruptArtifact."""
        if not settings.start_from:
            return None
        reference = Reference.read(settings.start_from)
        generator, ref = load_generator(self.store, reference.name, reference.version)
        return Parent(ref.name, ref.version, generator)

    def classifier(self, text: str) -> Classifier:
        """The classifier of a Reference, frozen. Raises UnknownArtifact, CorruptArtifact."""
        reference = Reference.read(text)
        return load_classifier(self.store, reference.name, reference.version)[0].to(self.device)

    def edit_loss(self, loss: EditLoss) -> Loss:
        """The loss of that name. Raises GanError if what it needs is not at hand."""
        return LOSSES[loss].make(self.lpips_backbone, self.device)

    def check_loss(self, loss: EditLoss, spec: GeneratorSpec) -> None:
        """Raises GanError if the loss cannot be had for the pictures of such a generator."""
        LOSSES[loss].check(spec, self.lpips_backbone)

    def features(self) -> Inception:
        """The network in whose features papers compare pictures. Raises GanError if its weights are not at hand."""
        return Inception(INCEPTION.find(self.inception)).to(self.device)

    def check_features(self, spec: GeneratorSpec) -> None:
        """Raises GanError if those cannot be had for the pictures of such a generator. Reads the weights."""
        check_channels(spec.channels)
        read_inception(INCEPTION.find(self.inception))

    def direction(self, spec: AnyJobSpec, text: str) -> Direction:
        """The direction of a Reference, of the job's generator. Raises UnknownArtifact, CorruptArtifact."""
        reference = Reference.read(text)
        return load_direction(self.store, spec.model, reference.name, reference.version)[0]

    def vector(self, spec: AnyJobSpec, direction: str, slider: str) -> Tensor:
        """The vector [Z] of a slider of such a direction, which must be linear. Raises GanError if there is none."""
        found = self.direction(spec, direction)
        if not isinstance(found, LinearDirection):
            raise GanError(f"direction {direction!r} is of form {found.form}: only a linear one has a vector")
        return found.vectors[found.slider_index(slider)]

    def form(self, data: Data) -> Form:
        """Of what channels and classes the data is, or DataRefused."""
        return Library(self.data, self.download).form(*_source(data))

    def pictures(self, data: Data, part: Part, resolution: int) -> Pictures:
        """A part of the data. Raises DataRefused."""
        return replace(Library(self.data, self.download).read(*_source(data), part, resolution), device=self.device)


def _source(data: Data) -> tuple[Kind, str]:
    return ("folder", data.folder) if data.folder else ("dataset", data.dataset)
