"""What a job works with, besides its spec."""

from dataclasses import dataclass
from pathlib import Path

from latentwalk.gan.artifacts import ArtifactStore, load_generator
from latentwalk.gan.generator import Generator
from latentwalk.trainer.specs import JobSpec


@dataclass(frozen=True, slots=True)
class Materials:
    """The artifacts and the data sets at hand."""

    store: ArtifactStore
    data: Path
    """The folder with the data sets, each in the layout of torchvision, and with folders of pictures."""

    def generator(self, spec: JobSpec) -> Generator:
        """The generator that the job works on, frozen. Raises UnknownArtifact, CorruptArtifact."""
        return load_generator(self.store, spec.model, spec.model_version)[0]
