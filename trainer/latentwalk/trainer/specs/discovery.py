"""What jobs do that find directions without labels."""

from dataclasses import dataclass
from enum import StrEnum

from latentwalk.trainer.specs.bounds import count, maybe, number
from latentwalk.trainer.specs.data import Data
from latentwalk.trainer.specs.job import MethodSettings


class DeformatorKind(StrEnum):
    """Which Deformator, the map from a shift along an axis to one in latent space; see networks.deformators."""

    LINEAR = "linear"
    ORTHONORMAL = "orthonormal"
    PROJECTIVE = "projective"
    MLP = "mlp"
    RBF = "rbf"
    RANDOM = "random"
    COORDINATE = "coordinate"


class PredictorKind(StrEnum):
    """By which network a ShiftPredictor tells shifts; see networks.shift_predictors."""

    LENET = "lenet"
    RESNET18 = "resnet18"


class Orthogonality(StrEnum):
    """How global and class directions are kept apart; see networks.banks."""

    HARD = "hard"
    SOFT = "soft"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class TellingSettings(MethodSettings):
    """Directions that a predictor can tell apart: what all of their kinds have in common; see methods.telling."""

    directions: int = count(0, most=4_096)
    """K; completed."""
    predictor: PredictorKind = PredictorKind.LENET
    steps: int = count(10_000, most=10_000_000)
    batch_size: int = count(32, most=1_024)
    """Latents in each step."""
    learning_rate: float = number(0.002, 0, 1, above=True)
    """Adam's greatest step size for the directions; the default was measured, see methods.discovery."""
    predictor_learning_rate: float | None = maybe(0, 1, above=True)
    """Completed with that of the directions."""
    shift_scale: float | None = maybe(0, 1_000, above=True)
    """Completed with 6, for RBF with 0.45."""
    shift_min: float | None = maybe(0, 1_000)
    """Completed with 0.5, for RBF with 0.25, or with the scale if that is less."""
    shift_weight: float = number(0.25, 0, 1e6)
    """Of the error in how far, against 1 for which direction."""
    evaluation_size: int = count(3_200, most=1_000_000)
    """Held-out latents on which the result is measured."""
    space: str = "z"
    """In which directions are looked for: "z" or "w"."""
    predictor_size: int = count(0, most=1_024, least=32)
    """Pixels a side to which larger pictures are shrunk for the predictor; 0 for none."""


@dataclass(frozen=True, slots=True)
class DiscoverySpec(TellingSettings):
    """K directions, as many as the space has axes unless told otherwise."""

    batch_size: int = count(32, most=1_024, least=2)
    """Pairs of pictures in each step; normalisation wants at least two."""
    deformator: DeformatorKind = DeformatorKind.ORTHONORMAL
    class_ids: tuple[int, ...] = ()
    """Of a conditional generator, only these; empty for all."""
    dipoles: int = count(0, most=1_024)
    """Of each function of RBF; completed with 32."""
    data: Data | None = None
    """Real pictures among which to look for what the directions change; None to leave that out."""


@dataclass(frozen=True, slots=True)
class ClassDirectionsSpec(TellingSettings):
    """N + 1 banks of K directions, 8 unless told otherwise, or half the axes of the space if that is less.

    Each latent of a step is shown with a global and with a class shift.
    """

    orthogonality: Orthogonality = Orthogonality.HARD
    separate_predictors: bool = False
    """A predictor for each bank instead of a head for each."""
    classifier: str = ""
    """For an unconditional generator: its name in the artifact store."""
    confidence: float | None = maybe(0, 1)
    """How sure the classifier must be of a latent's class; completed with 0."""
