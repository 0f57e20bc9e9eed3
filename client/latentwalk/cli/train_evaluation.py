"""`latentwalk train evaluation`: asks the trainer how good a generator is."""

from typing import Annotated, Literal, Unpack

import typer

from latentwalk.cli.making import EveryModelJob, makes_job
from latentwalk.cli.models import Name
from latentwalk.cli.parsing import PsiOfLayers, SliderName, parse_data, parse_slider, parse_truncation
from latentwalk.cli.train_gans import Pictures
from latentwalk.client import Client, JobHandle

Distance = Annotated[
    Literal["lpips", "features", "pixels"] | None,
    typer.Option(help="what paths are measured by; default: lpips, or what there is without its weights"),
]


@makes_job
def evaluation(
    client: Client,
    model: Name,
    classifier: Annotated[
        str, typer.Option(help="whose classes are to be separated, and in whose features pictures are compared")
    ] = "",
    distance: Distance = None,
    samples: Annotated[int | None, typer.Option(min=1, help="latents for each measure; default: 10000")] = None,
    dataset: Annotated[str | None, typer.Option(help="real pictures to compare drawn ones with, e.g. MNIST")] = None,
    folder: Pictures = None,
    inception: Annotated[
        bool,
        typer.Option(
            "--inception",
            help="also measure FID, KID, precision and recall by Inception v3; the trainer needs its weights",
        ),
    ] = False,
    direction: Annotated[
        list[SliderName] | None,
        typer.Option(parser=parse_slider, metavar="DIRECTION[:SLIDER]", help="whose limits to measure; repeatable"),
    ] = None,
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="publish these directions with the amounts that they really achieve")
    ] = False,
    truncation: Annotated[
        list[PsiOfLayers] | None,
        typer.Option(
            parser=parse_truncation, metavar="PSI[:LAYERS]", help="of a StyleGAN: how real it looks so; repeatable"
        ),
    ] = None,
    threshold: Annotated[
        list[float] | None,
        typer.Option(help="of a BigGAN or DCGAN: how real it looks with z cut off at +- this; repeatable"),
    ] = None,
    **options: Unpack[EveryModelJob],
) -> JobHandle:
    """Measures a model: how entangled its latents are, how real it looks, how far it can be steered."""
    return client.train_evaluation(
        model,
        classifier=classifier,
        distance=distance,
        samples=samples,
        data=parse_data(dataset, folder) if dataset or folder else None,
        inception=inception,
        directions=direction or (),
        calibrate=calibrate,
        truncations=truncation or (),
        thresholds=threshold or (),
        **options,
    )
