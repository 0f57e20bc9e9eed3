"""`latentwalk train gan|joint|classifier`: asks the trainer for something new."""

from typing import Annotated, Literal, Unpack

import typer

from latentwalk.cli.making import makes_job
from latentwalk.cli.models import Name
from latentwalk.cli.parsing import parse_data, parse_edit
from latentwalk.cli.train import Direction
from latentwalk.client import Client, Gan, JobHandle, JobOptions

Dataset = Annotated[str | None, typer.Option(help="a data set of torchvision: MNIST, FashionMNIST or KMNIST")]
Pictures = Annotated[str | None, typer.Option("--folder", help="or a folder of pictures in the trainer's data folder")]
Conditional = Annotated[bool, typer.Option("--conditional", help="draw the classes of the data on request")]
Resolution = Annotated[int | None, typer.Option(min=8, help="pixels a side; default: 32")]
LatentSize = Annotated[int | None, typer.Option(min=1, help="numbers in a latent; default: 100")]
Width = Annotated[int | None, typer.Option(min=1, help="channels of the generator's last hidden layer; default: 32")]
Loss = Annotated[
    Literal["non_saturating", "hinge", "wgan_gp"], typer.Option(help="what generator and discriminator play for")
]
Penalty = Annotated[float | None, typer.Option(min=0, help="weight of the penalty on the discriminator's gradient")]
Spectral = Annotated[bool, typer.Option("--spectral-norm", help="normalise the discriminator's layers")]
Augmentation = Annotated[list[str] | None, typer.Option("--augment", help="edit real pictures, as --edit; repeatable")]
Steps = Annotated[int | None, typer.Option(min=1, help="default: the trainer's own")]
BatchSize = Annotated[int | None, typer.Option(min=1, help="default: 64")]
LearningRate = Annotated[float | None, typer.Option(help="of the optimiser; default: the trainer's own")]
Edits = Annotated[list[str], typer.Option("--edit", help="what to imitate: rotate, or rotate:-20:20; repeatable")]


@makes_job
def gan(
    client: Client,
    model: Name,
    dataset: Dataset = None,
    folder: Pictures = None,
    conditional: Conditional = False,
    resolution: Resolution = None,
    latent_size: LatentSize = None,
    width: Width = None,
    loss: Loss = "non_saturating",
    penalty: Penalty = None,
    spectral_norm: Spectral = False,
    augment: Augmentation = None,
    steps: Steps = None,
    batch_size: BatchSize = None,
    learning_rate: LearningRate = None,
    **options: Unpack[JobOptions],
) -> JobHandle:
    """Trains a generator from nothing."""
    settings = Gan(
        data=parse_data(dataset, folder),
        conditional=conditional,
        resolution=resolution,
        latent_size=latent_size,
        width=width,
        loss=loss,
        penalty=penalty,
        spectral_norm=spectral_norm,
        augmentation=[parse_edit(text) for text in augment or ()],
        steps=steps,
        batch_size=batch_size,
        learning_rate=learning_rate,
    )
    return client.train_gan(model, settings, **options)


@makes_job
def joint(
    client: Client,
    model: Name,
    direction: Direction,
    edits: Edits,
    dataset: Dataset = None,
    folder: Pictures = None,
    sequential: Annotated[bool, typer.Option("--sequential", help="the walk after the generator")] = False,
    edit_weight: Annotated[float | None, typer.Option(help="of the edit loss against 1 for the game")] = None,
    walk_steps: Annotated[int | None, typer.Option(min=1, help="of a walk that comes after")] = None,
    conditional: Conditional = False,
    resolution: Resolution = None,
    width: Width = None,
    augment: Augmentation = None,
    steps: Steps = None,
    batch_size: BatchSize = None,
    **options: Unpack[JobOptions],
) -> JobHandle:
    """Trains a generator together with a linear walk."""
    settings = Gan(
        data=parse_data(dataset, folder),
        conditional=conditional,
        resolution=resolution,
        width=width,
        augmentation=[parse_edit(text) for text in augment or ()],
        steps=steps,
        batch_size=batch_size,
    )
    return client.train_joint(
        model,
        direction,
        settings,
        edits=[parse_edit(text) for text in edits],
        mode="sequential" if sequential else "joint",
        edit_weight=edit_weight,
        walk_steps=walk_steps,
        **options,
    )


@makes_job
def classifier(
    client: Client,
    name: Annotated[str, typer.Argument(metavar="NAME", help="the name of the new classifier")],
    dataset: Dataset = None,
    folder: Pictures = None,
    resolution: Resolution = None,
    steps: Steps = None,
    batch_size: BatchSize = None,
    learning_rate: LearningRate = None,
    **options: Unpack[JobOptions],
) -> JobHandle:
    """Trains a classifier of pictures, from which other jobs take classes."""
    return client.train_classifier(
        name,
        parse_data(dataset, folder),
        resolution=resolution,
        steps=steps,
        batch_size=batch_size,
        learning_rate=learning_rate,
        **options,
    )
