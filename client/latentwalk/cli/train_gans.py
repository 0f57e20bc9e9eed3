"""`latentwalk train gan|joint|classifier`: asks the trainer for something new."""

from typing import Annotated, Any, Literal, Unpack

import typer

from latentwalk.cli.making import EveryJob, makes_job
from latentwalk.cli.models import Name
from latentwalk.cli.parsing import parse_data, parse_edit
from latentwalk.cli.train import Direction, Edits, EvaluationSize
from latentwalk.client import Client, EditTarget, Gan, JobHandle

Dataset = Annotated[str | None, typer.Option(help="a data set of torchvision: MNIST, FashionMNIST or KMNIST")]
Pictures = Annotated[str | None, typer.Option("--folder", help="or a folder of pictures in the trainer's data folder")]
Resolution = Annotated[int | None, typer.Option(min=8, help="pixels a side; default: 32")]
BatchSize = Annotated[int | None, typer.Option(min=1, help="default: 64")]


class GanJob(EveryJob, total=False):
    """The SDK's Gan, as options of the command line."""

    dataset: Dataset
    folder: Pictures
    start_from: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL[@VERSION]", help="train on from this generator, of whose family and sizes the new one is"
        ),
    ]
    conditional: Annotated[bool, typer.Option("--conditional", help="draw the classes of the data on request")]
    family: Annotated[Literal["dcgan", "progan", "stylegan"], typer.Option(help="what is trained; default: dcgan")]
    resolution: Resolution
    latent_size: Annotated[int | None, typer.Option(min=1, help="numbers in a latent; default: 100")]
    width: Annotated[int | None, typer.Option(min=1, help="channels of the generator's last hidden layer; default: 32")]
    max_width: Annotated[
        int | None, typer.Option(min=1, help="of a progan or stylegan: channels of coarse layers at most; default: 512")
    ]
    w_size: Annotated[int | None, typer.Option(min=1, help="of a stylegan: numbers in a w; default: as in a latent")]
    mapping_layers: Annotated[int | None, typer.Option(min=1, help="of a stylegan: from z to w; default: 8")]
    style_mixing: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="of a stylegan: share of pictures with styles of two latents; default: 0.9"),
    ]
    progressive_from: Annotated[
        int | None,
        typer.Option(
            min=4, help="of a progan or stylegan: grow from pictures of so many pixels a side; default: it does not"
        ),
    ]
    fade_steps: Annotated[
        int | None,
        typer.Option(min=1, help="in which a doubled resolution fades in; default: grown after half of the steps"),
    ]
    stable_steps: Annotated[
        int | None, typer.Option(min=1, help="at a resolution before the next fades in; default: as --fade-steps")
    ]
    discriminator_width: Annotated[
        int | None, typer.Option(min=1, help="channels of its first layer; default: as the generator's")
    ]
    loss: Annotated[
        Literal["non_saturating", "hinge", "wgan_gp"],
        typer.Option(help="what generator and discriminator play for; default: non_saturating"),
    ]
    penalty: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="weight of the penalty on the discriminator's gradient; default: 1, of hinge 0, of wgan_gp 10",
        ),
    ]
    spectral_norm: Annotated[bool, typer.Option("--spectral-norm", help="normalise the discriminator's layers")]
    minibatch_deviation: Annotated[
        bool,
        typer.Option("--minibatch-deviation", help="show the discriminator how much pictures differ, in groups of 4"),
    ]
    mirror: Annotated[bool, typer.Option("--mirror", help="mirror half of the real pictures, left to right")]
    augment: Annotated[
        list[EditTarget],
        typer.Option(parser=parse_edit, metavar="EDIT", help="edit real pictures, as --edit; repeatable"),
    ]
    steps: Annotated[int | None, typer.Option(min=1, help="default: 5000")]
    batch_size: BatchSize
    learning_rate: Annotated[
        float | None, typer.Option(help="of the generator; default: 0.0002, of a progan or stylegan 0.001")
    ]
    discriminator_learning_rate: Annotated[float | None, typer.Option(help="default: as the generator's")]
    ema_half_life: Annotated[
        float | None,
        typer.Option(help="pictures after which half of the published average is new; default: 10000; 0: no average"),
    ]
    sample_every: Annotated[int | None, typer.Option(min=1, help="steps between two sheets of samples; default: 500")]


@makes_job
def gan(client: Client, model: Name, **options: Unpack[GanJob]) -> JobHandle:
    """Trains a generator, from nothing or on from another."""
    settings, every_job = _told_apart(options)
    return client.train_gan(model, settings, **every_job)


@makes_job
def joint(
    client: Client,
    model: Name,
    direction: Direction,
    edits: Edits,
    sequential: Annotated[bool, typer.Option("--sequential", help="the walk after the generator")] = False,
    edit_weight: Annotated[float | None, typer.Option(help="of the edit loss, to 1 for the game; default: 1")] = None,
    walk_steps: Annotated[int | None, typer.Option(min=1, help="of a walk that comes after; default: 1000")] = None,
    evaluation_size: EvaluationSize = None,
    **options: Unpack[GanJob],
) -> JobHandle:
    """Trains a generator together with a linear walk."""
    settings, every_job = _told_apart(options)
    return client.train_joint(
        model,
        direction,
        settings,
        edits=edits,
        mode="sequential" if sequential else "joint",
        edit_weight=edit_weight,
        walk_steps=walk_steps,
        evaluation_size=evaluation_size,
        **every_job,
    )


@makes_job
def classifier(
    client: Client,
    name: Annotated[str, typer.Argument(metavar="NAME", help="the name of the new classifier")],
    dataset: Dataset = None,
    folder: Pictures = None,
    resolution: Resolution = None,
    steps: Annotated[int | None, typer.Option(min=1, help="default: 2000")] = None,
    batch_size: BatchSize = None,
    learning_rate: Annotated[float | None, typer.Option(help="of the optimiser; default: 0.002")] = None,
    **options: Unpack[EveryJob],
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


def _told_apart(options: GanJob) -> tuple[Gan, EveryJob]:
    """How the generator is trained, and what every job can be told."""
    given: dict[str, Any] = dict(options)
    data = parse_data(given.pop("dataset", None), given.pop("folder", None))
    augmentation = given.pop("augment", ())
    every_job = EveryJob(**{name: given.pop(name) for name in EveryJob.__annotations__.keys() & given.keys()})
    return Gan(data=data, augmentation=augmentation, **given), every_job
