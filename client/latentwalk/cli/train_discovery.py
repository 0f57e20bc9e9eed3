"""`latentwalk train discover|class-directions`: asks the trainer for directions without labels."""

from typing import Annotated, Literal, Unpack

import typer

from latentwalk.cli.making import makes_job
from latentwalk.cli.models import Name
from latentwalk.cli.parsing import parse_data, parse_seeds
from latentwalk.cli.train import Direction
from latentwalk.cli.train_gans import Pictures
from latentwalk.client import Client, JobHandle, ModelJobOptions

Count = Annotated[int | None, typer.Option("--directions", min=1, help="how many; default: the trainer's own")]
Predictor = Annotated[Literal["lenet", "resnet18"], typer.Option(help="the network that tells shifts apart")]
Steps = Annotated[int | None, typer.Option(min=1, help="default: the trainer's own")]
BatchSize = Annotated[int | None, typer.Option(min=1, help="latents in each step")]
LearningRate = Annotated[float | None, typer.Option(help="of the directions; default: the trainer's own")]
PredictorRate = Annotated[float | None, typer.Option("--predictor-learning-rate", help="default: as the directions'")]
ShiftScale = Annotated[float | None, typer.Option(help="the greatest length of a shift")]
EvaluationSize = Annotated[int | None, typer.Option(min=1, help="held-out latents to measure the result on")]
ShiftMin = Annotated[float | None, typer.Option(help="the least length of a shift")]


@makes_job
def discover(
    client: Client,
    model: Name,
    direction: Direction,
    directions: Count = None,
    deformator: Annotated[
        Literal["linear", "orthonormal", "projective", "mlp", "rbf"], typer.Option(help="rbf finds curved paths")
    ] = "orthonormal",
    predictor: Predictor = "lenet",
    classes: Annotated[str | None, typer.Option(help="of a conditional model only these, e.g. 3,5-7")] = None,
    steps: Steps = None,
    batch_size: BatchSize = None,
    learning_rate: LearningRate = None,
    predictor_learning_rate: PredictorRate = None,
    shift_scale: ShiftScale = None,
    shift_min: ShiftMin = None,
    evaluation_size: EvaluationSize = None,
    dataset: Annotated[
        str | None, typer.Option(help="real pictures among which to look for what the directions change, e.g. MNIST")
    ] = None,
    folder: Pictures = None,
    **options: Unpack[ModelJobOptions],
) -> JobHandle:
    """Finds directions that a predictor can tell apart."""
    return client.train_discovery(
        model,
        direction,
        directions=directions,
        deformator=deformator,
        predictor=predictor,
        classes=parse_seeds(classes) if classes else (),
        steps=steps,
        batch_size=batch_size,
        learning_rate=learning_rate,
        predictor_learning_rate=predictor_learning_rate,
        shift_scale=shift_scale,
        shift_min=shift_min,
        evaluation_size=evaluation_size,
        data=parse_data(dataset, folder) if dataset or folder else None,
        **options,
    )


@makes_job
def class_directions(
    client: Client,
    model: Name,
    direction: Direction,
    directions: Count = None,
    orthogonality: Annotated[
        Literal["hard", "soft", "none"], typer.Option(help="how global and class directions are kept apart")
    ] = "hard",
    separate_predictors: Annotated[
        bool, typer.Option("--separate-predictors", help="one for each bank, as in the paper")
    ] = False,
    predictor: Predictor = "lenet",
    classifier: Annotated[str, typer.Option(help="for an unconditional model: says the class of a picture")] = "",
    confidence: Annotated[float | None, typer.Option(help="how sure the classifier must be, 0 to 1")] = None,
    steps: Steps = None,
    batch_size: BatchSize = None,
    learning_rate: LearningRate = None,
    predictor_learning_rate: PredictorRate = None,
    shift_scale: ShiftScale = None,
    shift_min: ShiftMin = None,
    evaluation_size: EvaluationSize = None,
    **options: Unpack[ModelJobOptions],
) -> JobHandle:
    """Finds directions for all classes and for each class."""
    return client.train_class_directions(
        model,
        direction,
        directions=directions,
        orthogonality=orthogonality,
        separate_predictors=separate_predictors,
        predictor=predictor,
        classifier=classifier,
        confidence=confidence,
        steps=steps,
        batch_size=batch_size,
        learning_rate=learning_rate,
        predictor_learning_rate=predictor_learning_rate,
        shift_scale=shift_scale,
        shift_min=shift_min,
        evaluation_size=evaluation_size,
        **options,
    )
