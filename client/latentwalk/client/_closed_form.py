"""The verbs that read directions off a generator's weights and features."""

from collections.abc import Iterable
from typing import Unpack

from latentwalk.client._making import MakeJob, ModelJobOptions, make_job
from latentwalk.client._numbers import count, wholes
from latentwalk.v1 import training_service_pb2 as pb


def train_sefa(
    model: str,
    direction: str,
    *,
    directions: int = 8,
    layers: Iterable[int] = (),
    **options: Unpack[ModelJobOptions],
) -> MakeJob:
    """Queues a job that finds the strongest `directions` by SeFa: a bank with sliders "0", "1", ...

    layers: of a model with styles only these, which the bank then moves in w+; by default all, in w.
    """
    chosen = wholes("layers", layers)
    method = pb.SefaSpec(directions=count("directions", directions), layers=chosen)
    return make_job(pb.JobSpec(sefa=method), model, direction, **options)


def train_pca(
    model: str,
    direction: str,
    *,
    directions: int = 8,
    samples: int | None = None,
    layers: Iterable[int] = (),
    classes: Iterable[int] = (),
    **options: Unpack[ModelJobOptions],
) -> MakeJob:
    """Queues a job that finds the first principal components by GANSpace: a bank with sliders "0", "1", ...

    samples: latents to look at; None leaves them to the trainer.
    layers: of a model with styles, whose components are those of w, the bank moves only these, in w+; by default all.
    classes: of a conditional model only these; default all.
    """
    method = pb.PcaSpec(
        directions=count("directions", directions),
        samples=count("samples", samples),
        layers=wholes("layers", layers),
        class_ids=wholes("classes", classes),
    )
    return make_job(pb.JobSpec(pca=method), model, direction, **options)
