"""The verbs that find directions without labels."""

from collections.abc import Iterable, Mapping
from typing import Literal, Unpack

from latentwalk.client._choices import chosen
from latentwalk.client._data import Folder, data_message
from latentwalk.client._making import MakeJob, ModelJobOptions, make_job
from latentwalk.client._numbers import count, whole
from latentwalk.v1 import training_service_pb2 as pb

Deformator = Literal["linear", "orthonormal", "projective", "mlp", "rbf"]
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


def train_discovery(
    model: str,
    direction: str,
    *,
    directions: int | None = None,
    deformator: Deformator = "orthonormal",
    predictor: ShiftPredictor = "lenet",
    classes: Iterable[int] = (),
    steps: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    predictor_learning_rate: float | None = None,
    shift_scale: float | None = None,
    shift_min: float | None = None,
    shift_weight: float | None = None,
    dipoles: int | None = None,
    data: str | Folder | None = None,
    evaluation_size: int | None = None,
    **options: Unpack[ModelJobOptions],
) -> MakeJob:
    """Queues a job that finds `directions` shifts that a predictor can tell apart: sliders "0", "1", ...

    directions: None for as many as the latent has numbers. deformator: "rbf" finds curved paths.
    classes: of a conditional model only these; default all.
    shift_scale, shift_min: the greatest and the least length of a shift. shift_weight: of the error in how far, against
    1 for which. dipoles: of each function, for "rbf" only. evaluation_size: held-out pairs to measure on.
    data: real pictures, as in Gan: the result says how much of what each direction changes there is among them.
    What is None is left to the trainer; `job.describe().spec` tells what it chose.
    """
    method = pb.DiscoverySpec(
        directions=count("directions", directions),
        deformator=chosen("deformator", deformator, _DEFORMATORS),
        predictor=chosen("predictor", predictor, _PREDICTORS),
        class_ids=[whole("classes", class_id) for class_id in classes],
        steps=count("steps", steps),
        batch_size=count("batch_size", batch_size),
        learning_rate=learning_rate,
        predictor_learning_rate=predictor_learning_rate,
        shift_scale=shift_scale,
        shift_min=shift_min,
        shift_weight=shift_weight,
        dipoles=count("dipoles", dipoles),
        data=None if data is None else data_message(data),
        evaluation_size=count("evaluation_size", evaluation_size),
    )
    return make_job(pb.JobSpec(model=model, direction=direction, discovery=method), **options)


def train_class_directions(
    model: str,
    direction: str,
    *,
    directions: int | None = None,
    orthogonality: Orthogonality = "hard",
    separate_predictors: bool = False,
    predictor: ShiftPredictor = "lenet",
    classifier: str = "",
    confidence: float | None = None,
    steps: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    predictor_learning_rate: float | None = None,
    shift_scale: float | None = None,
    shift_min: float | None = None,
    shift_weight: float | None = None,
    evaluation_size: int | None = None,
    **options: Unpack[ModelJobOptions],
) -> MakeJob:
    """Queues a job that finds directions for all classes and for each: sliders "global.<k>" and "class<c>.<k>".

    directions: of each bank; at most half the latent size.
    separate_predictors: one for each bank, instead of one with a head for each.
    classifier, confidence: for an unconditional model, who says the class of a picture, and how sure it must be.
    The rest is as for `train_discovery`.
    """
    method = pb.ClassDirectionsSpec(
        directions=count("directions", directions),
        orthogonality=chosen("orthogonality", orthogonality, _ORTHOGONALITIES),
        separate_predictors=separate_predictors,
        predictor=chosen("predictor", predictor, _PREDICTORS),
        classifier=classifier,
        confidence=confidence,
        steps=count("steps", steps),
        batch_size=count("batch_size", batch_size),
        learning_rate=learning_rate,
        predictor_learning_rate=predictor_learning_rate,
        shift_scale=shift_scale,
        shift_min=shift_min,
        shift_weight=shift_weight,
        evaluation_size=count("evaluation_size", evaluation_size),
    )
    return make_job(pb.JobSpec(model=model, direction=direction, class_directions=method), **options)
