"""`latentwalk train discover|class-directions`: asks the trainer for directions without labels."""

from typing import Annotated, Literal, Unpack

import typer

from latentwalk.cli.making import EveryModelJob, makes_job
from latentwalk.cli.models import Name
from latentwalk.cli.parsing import parse_data
from latentwalk.cli.train import Direction, OnlyClasses, Space
from latentwalk.cli.train_gans import Pictures
from latentwalk.client import Client, JobHandle


class Discovery(EveryModelJob, total=False):
    """The SDK's DiscoveryOptions, as options of the command line."""

    directions: Annotated[
        int | None,
        typer.Option(min=1, help="how many; default: the latent size, and of class-directions 8 in each bank"),
    ]
    predictor: Annotated[
        Literal["lenet", "resnet18"], typer.Option(help="the network that tells shifts apart; default: lenet")
    ]
    predictor_size: Annotated[
        int | None, typer.Option(min=32, help="shrink larger pictures to so many pixels a side for it; default: never")
    ]
    steps: Annotated[int | None, typer.Option(min=1, help="default: 10000")]
    batch_size: Annotated[int | None, typer.Option(min=1, help="latents in each step; default: 32")]
    learning_rate: Annotated[float | None, typer.Option(help="of the directions; default: 0.002")]
    predictor_learning_rate: Annotated[float | None, typer.Option(help="default: as the directions'")]
    shift_scale: Annotated[float | None, typer.Option(help="the greatest length of a shift; default: 6, of rbf 0.45")]
    shift_min: Annotated[float | None, typer.Option(help="the least length of a shift; default: 0.5, of rbf 0.25")]
    shift_weight: Annotated[
        float | None, typer.Option(help="of the error in how far, against 1 for which; default: 0.25")
    ]
    evaluation_size: Annotated[int | None, typer.Option(min=1, help="held-out latents to measure on; default: 3200")]
    space: Space


@makes_job
def discover(
    client: Client,
    model: Name,
    direction: Direction,
    deformator: Annotated[
        Literal["linear", "orthonormal", "projective", "mlp", "rbf", "random", "coordinate"],
        typer.Option(help="rbf finds curved paths; random and coordinate are not trained, to compare with"),
    ] = "orthonormal",
    dipoles: Annotated[int | None, typer.Option(min=1, help="of rbf: so many for each path; default: 32")] = None,
    classes: OnlyClasses = None,
    dataset: Annotated[
        str | None, typer.Option(help="real pictures among which to look for what the directions change, e.g. MNIST")
    ] = None,
    folder: Pictures = None,
    **options: Unpack[Discovery],
) -> JobHandle:
    """Finds directions that a predictor can tell apart."""
    return client.train_discovery(
        model,
        direction,
        deformator=deformator,
        dipoles=dipoles,
        classes=classes or (),
        data=parse_data(dataset, folder) if dataset or folder else None,
        **options,
    )


@makes_job
def class_directions(
    client: Client,
    model: Name,
    direction: Direction,
    orthogonality: Annotated[
        Literal["hard", "soft", "none"], typer.Option(help="how global and class directions are kept apart")
    ] = "hard",
    separate_predictors: Annotated[
        bool, typer.Option("--separate-predictors", help="one for each bank, as in the paper")
    ] = False,
    classifier: Annotated[str, typer.Option(help="for an unconditional model: says the class of a picture")] = "",
    confidence: Annotated[float | None, typer.Option(help="how sure it must be, 0 to 1; default: 0")] = None,
    **options: Unpack[Discovery],
) -> JobHandle:
    """Finds directions for all classes and for each class."""
    return client.train_class_directions(
        model,
        direction,
        orthogonality=orthogonality,
        separate_predictors=separate_predictors,
        classifier=classifier,
        confidence=confidence,
        **options,
    )
