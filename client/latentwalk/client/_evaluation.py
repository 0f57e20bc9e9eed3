"""The verb that measures a generator."""

from collections.abc import Iterable, Mapping
from typing import Literal, Unpack

from latentwalk.client._choices import chosen
from latentwalk.client._data import Folder, data_message
from latentwalk.client._making import MakeJob, ModelJobOptions, make_job
from latentwalk.client._numbers import count
from latentwalk.client._references import slider_messages
from latentwalk.client._truncations import truncation_messages
from latentwalk.client._values import switch, text
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
    data: str | Folder | None = None,
    inception: bool = False,
    directions: Iterable[str | tuple[str, str]] = (),
    calibrate: bool = False,
    truncations: Iterable[float | tuple[float, int | None]] = (),
    thresholds: Iterable[float] = (),
    **options: Unpack[ModelJobOptions],
) -> MakeJob:
    """Queues a job that measures `model`; the numbers are in `result().measures`, and it publishes nothing else.

    How entangled its latent spaces are (Karras et al. 2019): "path_length.w.full" and its like, and, with a classifier,
    "separability.w" and its like; the less, the less entangled. How real its pictures look: with data, and a
    classifier, "frechet_distance" and "kernel_distance" to real ones, and what a perfect model would have, the "floor".
    Quality apart from variety (Kynkäänniemi et al. 2019): with the same, "precision", the share of its pictures that
    could be real, and "recall", the share of real ones that it could draw; what a perfect model would have, "ceiling".
    How far it can be steered: `result().limits`, of every slider of `directions`.

    classifier: the name of one whose classes are to be separated, and in whose features pictures are compared.
    distance: what paths are measured by; None: LPIPS if the trainer has the weights of AlexNet, or else the
    classifier's features, or else pixels; `job.describe().spec` tells which. Only like is compared with like.
    samples: latents for each measure; None leaves them to the trainer.
    data: real pictures, as in Gan; their test part is what counts.
    inception: also measure "fid" and "kid", as papers do, between the samples and all of the train part of the data,
    and "precision.inception" and "recall.inception"; the trainer must have the weights of Inception v3.
    directions: names, or sliders ("bank:3" or ("bank", "3")), whose limits are measured, each in a pass over the
    samples.
    calibrate: publish these directions once more, with the amounts that the sliders which imitate an edit were measured
    to achieve: from then on, an `amount` is what comes of it, and more than can be achieved is refused.
    truncations: of a model with a mapping network: psis, or pairs (psi, layers) of which only the first so many layers
    are truncated, as `truncation` and `truncated_layers` of Style. How real pictures look is measured once more under
    each, of the same seeds, in a pass over the samples: `result().truncations`. It needs data.
    thresholds: the same of a model that draws z itself, as `threshold` of Style.
    """
    method = pb.EvaluationSpec(
        samples=count("samples", samples),
        distance=pb.DISTANCE_UNSPECIFIED if distance is None else chosen("distance", distance, _DISTANCES),
        classifier=text("classifier", classifier),
        data=None if data is None else data_message(data),
        inception=switch("inception", inception),
        sliders=slider_messages("directions", directions),
        calibrate=switch("calibrate", calibrate),
        truncations=truncation_messages(truncations, thresholds),
    )
    return make_job(pb.JobSpec(evaluation=method), model, **options)
