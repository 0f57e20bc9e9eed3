"""The verb that measures a generator."""

from collections.abc import Mapping
from typing import Literal, Unpack

from latentwalk.client._choices import chosen
from latentwalk.client._making import MakeJob, ModelJobOptions, make_job
from latentwalk.client._numbers import count
from latentwalk.v1 import training_service_pb2 as pb

Distance = Literal["lpips", "features", "pixels"]
"""By how much two pictures differ."""

_DISTANCES: Mapping[str, pb.Distance.ValueType] = {
    "lpips": pb.DISTANCE_LPIPS,
    "features": pb.DISTANCE_FEATURES,
    "pixels": pb.DISTANCE_PIXELS,
}


def train_evaluation(
    model: str,
    *,
    classifier: str = "",
    distance: Distance | None = None,
    samples: int | None = None,
    **options: Unpack[ModelJobOptions],
) -> MakeJob:
    """Queues a job that measures how entangled the latent spaces of `model` are; it publishes nothing.

    `result().measures` has "path_length.w.full" and its like, the perceptual path lengths in z and w, and, with a
    classifier, "separability.w" and its like (Karras et al. 2019): the less, the less entangled.

    classifier: the name of one whose classes are to be separated.
    distance: what paths are measured by; None: LPIPS if the trainer has the weights of AlexNet, or else the
    classifier's features, or else pixels; `job.describe().spec` tells which. Only like is compared with like.
    samples: latents for each measure; None leaves them to the trainer.
    """
    method = pb.EvaluationSpec(
        samples=count("samples", samples),
        distance=pb.DISTANCE_UNSPECIFIED if distance is None else chosen("distance", distance, _DISTANCES),
        classifier=classifier,
    )
    return make_job(pb.JobSpec(model=model, evaluation=method), **options)
