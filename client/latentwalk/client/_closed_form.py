"""The verbs that read directions off a generator's weights and features."""

from typing import Unpack

from latentwalk.client._making import MakeJob, ModelJobOptions, make_job
from latentwalk.client._numbers import count
from latentwalk.v1 import training_service_pb2 as pb


def train_sefa(model: str, direction: str, *, directions: int = 8, **options: Unpack[ModelJobOptions]) -> MakeJob:
    """Queues a job that finds the strongest `directions` by SeFa: a bank with sliders "0", "1", ..."""
    method = pb.SefaSpec(directions=count("directions", directions))
    return make_job(pb.JobSpec(model=model, direction=direction, sefa=method), **options)


def train_pca(
    model: str,
    direction: str,
    *,
    directions: int = 8,
    samples: int | None = None,
    **options: Unpack[ModelJobOptions],
) -> MakeJob:
    """Queues a job that finds the first principal components by GANSpace: a bank with sliders "0", "1", ...

    samples: latents to look at; None leaves them to the trainer.
    """
    method = pb.PcaSpec(directions=count("directions", directions), samples=count("samples", samples))
    return make_job(pb.JobSpec(model=model, direction=direction, pca=method), **options)
