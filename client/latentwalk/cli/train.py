"""`latentwalk train edit|boundary|sefa|pca`: asks the trainer for new directions."""

from typing import Annotated, Any, Literal, Unpack

import typer

from latentwalk.cli.labels import SeedScores, read_labels
from latentwalk.cli.making import EveryModelJob, makes_job
from latentwalk.cli.models import Name
from latentwalk.cli.parsing import (
    ClassName,
    Numbers,
    PsiOfLayers,
    SliderName,
    parse_class,
    parse_class_choice,
    parse_edit,
    parse_numbers,
    parse_slider,
    parse_truncation,
)
from latentwalk.client import Client, EditTarget, JobHandle

Form = Literal["linear", "nonlinear"]
Loss = Literal["l2", "lpips"]
Direction = Annotated[str, typer.Argument(metavar="DIRECTION", help="the name of the new direction")]
Directions = Annotated[int, typer.Option(min=1, help="how many")]
Samples = Annotated[int | None, typer.Option(min=1, help="latents to look at; default: 20000")]
Layers = Annotated[
    Numbers | None,
    typer.Option(parser=parse_numbers, metavar="LAYERS", help="of a model with styles only these, e.g. 0-3"),
]
OnlyClasses = Annotated[
    Numbers | None,
    typer.Option(parser=parse_numbers, metavar="CLASSES", help="of a conditional model only these, e.g. 3,5-7"),
]
Space = Annotated[str, typer.Option(help="z or w; default: z")]
EvaluationSize = Annotated[int | None, typer.Option(min=1, help="held-out latents to measure on; default: 1024")]
Edits = Annotated[
    list[EditTarget],
    typer.Option(
        "--edit",
        parser=parse_edit,
        metavar="EDIT",
        help="what to imitate: zoom, or zoom:0.5:2 with a range, or shear.json:-2:2, one of your own; repeatable",
    ),
]


@makes_job
def edit(
    client: Client,
    model: Name,
    direction: Direction,
    edits: Edits,
    steps: Annotated[int | None, typer.Option(min=1, help="of the optimiser; default: 250")] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="fresh latents for each step; default: 16")] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="of the optimiser; default: 0.4, or 0.003 for a nonlinear walk")
    ] = None,
    evaluation_size: EvaluationSize = None,
    form: Annotated[Form, typer.Option(help="linear, or a small network that is applied step by step")] = "linear",
    walk_steps: Annotated[
        int | None, typer.Option(min=1, help="of a nonlinear walk to its far end; default: 5")
    ] = None,
    loss: Annotated[Loss, typer.Option(help="what walked and edited pictures are compared by")] = "l2",
    space: Annotated[str, typer.Option(help="z, w or w+; default: z")] = "",
    layers: Annotated[
        Numbers | None, typer.Option(parser=parse_numbers, metavar="LAYERS", help="of w+ move only these, e.g. 0-3")
    ] = None,
    classes: Annotated[
        Any,
        typer.Option(
            "--class", parser=parse_class_choice, metavar="CLASS", help="one class, or 'each' for one walk a class"
        ),
    ] = None,
    truncation: Annotated[
        PsiOfLayers | None,
        typer.Option(parser=parse_truncation, metavar="PSI[:LAYERS]", help="of a StyleGAN: train on latents pulled so"),
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(help="of a BigGAN or DCGAN: train on latents whose numbers lie within +- this")
    ] = None,
    together: Annotated[bool, typer.Option("--together", help="move all colours at once, as the paper")] = False,
    **options: Unpack[EveryModelJob],
) -> JobHandle:
    """Trains a direction that imitates edits."""
    return client.train_edit(
        model,
        direction,
        edits=edits,
        steps=steps,
        batch_size=batch_size,
        learning_rate=learning_rate,
        evaluation_size=evaluation_size,
        form=form,
        walk_steps=walk_steps,
        loss=loss,
        space=space,
        layers=layers or (),
        classes=classes,
        truncation=truncation,
        threshold=threshold,
        together=together,
        **options,
    )


@makes_job
def sefa(
    client: Client,
    model: Name,
    direction: Direction,
    directions: Directions = 8,
    layers: Layers = None,
    **options: Unpack[EveryModelJob],
) -> JobHandle:
    """Finds the directions that change the first features most, in closed form."""
    return client.train_sefa(model, direction, directions=directions, layers=layers or (), **options)


@makes_job
def pca(
    client: Client,
    model: Name,
    direction: Direction,
    directions: Directions = 8,
    samples: Samples = None,
    layers: Layers = None,
    classes: OnlyClasses = None,
    **options: Unpack[EveryModelJob],
) -> JobHandle:
    """Finds the principal components of the first features, or of w."""
    return client.train_pca(
        model,
        direction,
        directions=directions,
        samples=samples,
        layers=layers or (),
        classes=classes or (),
        **options,
    )


@makes_job
def boundary(
    client: Client,
    model: Name,
    direction: Direction,
    attribute: Annotated[
        str | None,
        typer.Option(
            help="luminance, contrast, saturation, red, green or blue, or of what stands out: centre_x, centre_y, "
            "spread (its size) or slant"
        ),
    ] = None,
    classifier: Annotated[
        ClassName | None,
        typer.Option(parser=parse_class, metavar="NAME:CLASS", help="or the probability of a class"),
    ] = None,
    labels: Annotated[
        SeedScores | None,
        typer.Option(
            parser=read_labels,
            metavar="FILE",
            help="or scores of your own: a CSV file of seed,score, 1 and 0 for yes and no, or any numbers; - for stdin",
        ),
    ] = None,
    condition: Annotated[
        list[SliderName] | None,
        typer.Option(parser=parse_slider, metavar="DIRECTION[:SLIDER]", help="that must not move with it; repeatable"),
    ] = None,
    samples: Samples = None,
    fraction: Annotated[
        float | None, typer.Option(help="which part of them, at either end, is told apart; default: 0.02")
    ] = None,
    space: Space = "",
    classes: OnlyClasses = None,
    **options: Unpack[EveryModelJob],
) -> JobHandle:
    """Finds the boundary between latents with a high and a low score."""
    return client.train_boundary(
        model,
        direction,
        attribute=attribute,
        classifier=classifier,
        labels=labels,
        conditions=condition or (),
        samples=samples,
        fraction=fraction,
        space=space,
        classes=classes or (),
        **options,
    )
