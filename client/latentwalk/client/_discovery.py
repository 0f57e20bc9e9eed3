"""The verbs that find directions without labels."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, Unpack

from latentwalk.client._choices import chosen
from latentwalk.client._data import Folder, data_message
from latentwalk.client._making import MakeJob, ModelJobOptions, make_job
from latentwalk.client._numbers import count, number, number_or_none, wholes
from latentwalk.client._values import switch, text
from latentwalk.v1 import training_service_pb2 as pb

Deformator = Literal["linear", "orthonormal", "projective", "mlp", "rbf", "random", "coordinate"]
"""The map from a shift along one of K axes to a shift in latent space."""
ShiftPredictor = Literal["lenet", "resnet18"]
"""The network that tells shifts apart."""
Orthogonality = Literal["hard", "soft", "none"]
"""How global and class directions are kept apart: by construction, by a penalty, or not at all."""

_DEFORMATORS: Mapping[str, pb.Deformator.ValueType] = {
    "linear": pb.DEFORMATOR_LINEAR,
    "orthonormal": pb.DEFORMATOR_ORTHONORMAL,
    "projective": pb.DEFORMATOR_PROJECTIVE,
    "mlp": pb.DEFORMATOR_MLP,
    "rbf": pb.DEFORMATOR_RBF,
    "random": pb.DEFORMATOR_RANDOM,
    "coordinate": pb.DEFORMATOR_COORDINATE,
}
_PREDICTORS: Mapping[str, pb.ShiftPredictor.ValueType] = {
    "lenet": pb.SHIFT_PREDICTOR_LENET,
    "resnet18": pb.SHIFT_PREDICTOR_RESNET18,
}
_ORTHOGONALITIES: Mapping[str, pb.Orthogonality.ValueType] = {
    "hard": pb.ORTHOGONALITY_HARD,
    "soft": pb.ORTHOGONALITY_SOFT,
    "none": pb.ORTHOGONALITY_NONE,
}


# The fields of both messages that are counts, and those that are any number.
_COUNTS = ("directions", "steps", "batch_size", "evaluation_size", "predictor_size")
_NUMBERS = ("learning_rate", "predictor_learning_rate", "shift_scale", "shift_min", "shift_weight")


class DiscoveryOptions(ModelJobOptions, total=False):
    """What `train_discovery` and `train_class_directions` both take; what is None is left to the trainer."""

    directions: int | None
    """How many. `train_discovery`: by default as many as the space has axes. `train_class_directions`: in each bank, by
    default 8, at most half the axes."""
    predictor: ShiftPredictor
    """Default "lenet"."""
    predictor_size: int | None
    """Pixels a side to which larger pictures are shrunk for the predictor, 32 to 1,024; by default they are not."""
    steps: int | None
    batch_size: int | None
    learning_rate: float | None
    """Of the directions, if they are trained."""
    predictor_learning_rate: float | None
    """By default as that of the directions."""
    shift_scale: float | None
    """The greatest length of a shift."""
    shift_min: float | None
    """The least length of a shift."""
    shift_weight: float | None
    """Of the error in how far, against 1 for which."""
    evaluation_size: int | None
    """Held-out pairs to measure on."""
    space: str
    """The latent space to look in: "z", the default, or "w"."""


def train_discovery(
    model: str,
    direction: str,
    *,
    deformator: Deformator = "orthonormal",
    classes: Iterable[int] = (),
    dipoles: int | None = None,
    data: str | Folder | None = None,
    **options: Unpack[DiscoveryOptions],
) -> MakeJob:
    """Queues a job that finds shifts that a predictor can tell apart: sliders "0", "1", ...

    deformator: "rbf" finds curved paths, with `dipoles` of each function; "random" (orthonormal) and "coordinate" axes
        are not trained, only the predictor is: what found directions are to be compared with.
    classes: of a conditional model only these; default all.
    data: real pictures, as in Gan: the result says how much of what each direction changes there is among them.
    The rest is as in DiscoveryOptions; `job.describe().spec` tells what the trainer chose.
    """
    method = pb.DiscoverySpec(
        deformator=chosen("deformator", deformator, _DEFORMATORS),
        class_ids=wholes("classes", classes),
        dipoles=count("dipoles", dipoles),
        data=None if data is None else data_message(data),
    )
    spec = pb.JobSpec(discovery=method)
    return _make(spec, spec.discovery, model, direction, options)


def train_class_directions(
    model: str,
    direction: str,
    *,
    orthogonality: Orthogonality = "hard",
    separate_predictors: bool = False,
    classifier: str = "",
    confidence: float | None = None,
    **options: Unpack[DiscoveryOptions],
) -> MakeJob:
    """Queues a job that finds directions for all classes and for each: sliders "global.<k>" and "class<c>.<k>".

    separate_predictors: one for each bank, instead of one with a head for each.
    classifier, confidence: for an unconditional model, who says the class of a picture, and how sure it must be.
    The rest is as in DiscoveryOptions; `job.describe().spec` tells what the trainer chose.
    """
    method = pb.ClassDirectionsSpec(
        orthogonality=chosen("orthogonality", orthogonality, _ORTHOGONALITIES),
        separate_predictors=switch("separate_predictors", separate_predictors),
        classifier=text("classifier", classifier),
        confidence=number_or_none("confidence", confidence),
    )
    spec = pb.JobSpec(class_directions=method)
    return _make(spec, spec.class_directions, model, direction, options)


def _make(
    spec: pb.JobSpec,
    method: pb.DiscoverySpec | pb.ClassDirectionsSpec,
    model: str,
    direction: str,
    options: DiscoveryOptions,
) -> MakeJob:
    """Queues the job of a spec, whose `method` lacks what both have."""
    every_job: dict[str, Any] = dict(options)
    method.predictor = chosen("predictor", every_job.pop("predictor", "lenet"), _PREDICTORS)
    method.space = text("space", every_job.pop("space", ""))
    for name in _COUNTS:
        if (given := every_job.pop(name, None)) is not None:
            setattr(method, name, count(name, given))
    for name in _NUMBERS:
        if (given := every_job.pop(name, None)) is not None:
            setattr(method, name, number(name, given))
    return make_job(spec, model, direction, **every_job)
