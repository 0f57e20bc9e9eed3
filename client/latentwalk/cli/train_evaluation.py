"""`latentwalk train evaluation`: asks the trainer how good a generator is."""

from typing import Annotated, Literal, Unpack

import typer

from latentwalk.cli.making import EveryModelJob, makes_job
from latentwalk.cli.models import Name
from latentwalk.client import Client, JobHandle

Distance = Annotated[
    Literal["lpips", "features", "pixels"] | None,
    typer.Option(help="what paths are measured by; default: lpips, or what there is without its weights"),
]


@makes_job
def evaluation(
    client: Client,
    model: Name,
    classifier: Annotated[str, typer.Option(help="a classifier whose classes are to be separated")] = "",
    distance: Distance = None,
    samples: Annotated[int | None, typer.Option(min=1, help="latents for each measure; default: 10000")] = None,
    **options: Unpack[EveryModelJob],
) -> JobHandle:
    """Measures how entangled the latent spaces of a model are; publishes nothing."""
    return client.train_evaluation(model, classifier=classifier, distance=distance, samples=samples, **options)
