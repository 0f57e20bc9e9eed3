"""What comes out of a job: what it has published, and what it has measured."""

from collections.abc import Mapping
from dataclasses import dataclass

from latentwalk.client._artifacts import ARTIFACT_KINDS, ArtifactKind
from latentwalk.client._limits import SliderLimits, limits_in
from latentwalk.client._measures import in_order
from latentwalk.client._truncations import truncations_in
from latentwalk.v1 import training_service_pb2 as pb


@dataclass(frozen=True, slots=True)
class SliderEvaluation:
    """How well one slider does on latents that it was never trained on."""

    slider: str
    error: float
    """Masked mean squared error of the walked picture against the edited one, in the picture's own range."""
    baseline: float
    """The same error of the untouched picture: what doing nothing costs."""

    @property
    def gain(self) -> float:
        """By which fraction walking beats doing nothing: 0.7 means 70 % less error; below 0 it is worse."""
        return 1 - self.error / self.baseline if self.baseline else 0.0


@dataclass(frozen=True, slots=True)
class PublishedArtifact:
    """One thing that a job has published."""

    kind: ArtifactKind
    name: str
    """That of a direction without its generator's."""
    version: str
    loaded: bool
    """Whether the trainer's generation server has loaded it."""
    load_error: str
    """Why the server has not loaded it; empty if it has, or if the trainer has no server."""

    @classmethod
    def from_message(cls, published: pb.PublishedArtifact) -> "PublishedArtifact":
        """The artifact in a message."""
        kind = ARTIFACT_KINDS.get(published.kind, ArtifactKind.UNKNOWN)
        return cls(kind, published.name, published.version, published.loaded, published.load_error)


@dataclass(frozen=True, slots=True)
class JobResult:
    """What a job has published."""

    artifacts: tuple[PublishedArtifact, ...]
    """In the order in which they were published."""
    generator_digest: str
    """Of the generator that was published or measured, or that the direction belongs to; empty if there is none."""
    evaluations: tuple[SliderEvaluation, ...]
    """One for each slider that imitates an edit."""
    measures: Mapping[str, float]
    """What else was measured, by name."""
    data_digests: Mapping[str, str]
    """The sha256 of the pictures that it read, by their part: "train", "test"; empty for a job without data."""

    @classmethod
    def from_message(cls, result: pb.JobResult) -> "JobResult":
        """The result in a message."""
        return cls(
            artifacts=tuple(PublishedArtifact.from_message(one) for one in result.artifacts),
            generator_digest=result.generator_digest,
            evaluations=tuple(SliderEvaluation(e.slider, e.error, e.baseline) for e in result.evaluations),
            measures=in_order(result.measures),
            data_digests=dict(result.data_digests),
        )

    @property
    def limits(self) -> Mapping[str, SliderLimits]:
        """How far sliders can go, by "<direction>.<slider>": the measures "limits..." of an evaluation."""
        return limits_in(self.measures)

    @property
    def truncations(self) -> Mapping[str, Mapping[str, float]]:
        """How real pictures look, by measure, under each truncation of an evaluation, the least first.

        Those are "psi=0.7", "psi=0.7,layers=8", "threshold=0.5".
        """
        return truncations_in(self.measures)

    @property
    def load_error(self) -> str:
        """Why the server has not loaded all of it; empty if it has, or if the trainer has no server."""
        return "; ".join(one.load_error for one in self.artifacts if one.load_error)
