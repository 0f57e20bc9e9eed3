"""The verbs that train directions towards what is known: edits, and scores."""

from collections.abc import Iterable, Mapping
from typing import Literal, Unpack

from latentwalk.client._choices import chosen
from latentwalk.client._edits import Edits, edit_messages
from latentwalk.client._errors import InvalidRequest
from latentwalk.client._labels import Labels, SeedScores, label_message
from latentwalk.client._making import MakeJob, ModelJobOptions, make_job
from latentwalk.client._numbers import count, number_or_none, whole, wholes
from latentwalk.client._references import slider_messages
from latentwalk.client._truncations import truncation_message
from latentwalk.client._values import pair, switch, text
from latentwalk.v1 import training_service_pb2 as pb

Form = Literal["linear", "nonlinear"]
"""The form of a walk."""

Loss = Literal["l2", "lpips"]
"""What a walked picture is compared with its edited one by."""

FORMS: Mapping[str, pb.WalkForm.ValueType] = {
    "linear": pb.WALK_FORM_LINEAR,
    "nonlinear": pb.WALK_FORM_NONLINEAR,
}
LOSSES: Mapping[str, pb.EditLoss.ValueType] = {"l2": pb.EDIT_LOSS_L2, "lpips": pb.EDIT_LOSS_LPIPS}


def train_edit(
    model: str,
    direction: str,
    *,
    edits: Edits,
    steps: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    evaluation_size: int | None = None,
    form: Form = "linear",
    walk_steps: int | None = None,
    loss: Loss = "l2",
    space: str = "",
    layers: Iterable[int] = (),
    classes: int | Literal["each"] | None = None,
    truncation: float | tuple[float, int | None] | None = None,
    threshold: float | None = None,
    together: bool = False,
    **options: Unpack[ModelJobOptions],
) -> MakeJob:
    """Queues a job that trains the direction `direction` of `model` to imitate edits, one slider each.

    edits: names ("zoom"), or EditTargets with their own range.
    form: "linear", or "nonlinear": a small network that takes `walk_steps` steps to the far end of the range.
    loss: "l2", or "lpips", for which the trainer needs the weights of AlexNet.
    space: "z", "w" or "w+", of which only `layers` may be moved.
    classes: of a conditional generator one class, "each" for one walk a class, or None for all classes alike.
    truncation: of a model with a mapping network: the psi of the latents to train on, or a pair (psi, layers) to
    truncate only the first so many layers, as `truncation` and `truncated_layers` of Style.
    threshold: the same of a model that draws z itself, as `threshold` of Style.
    together: has every latent move all sliders at once: two colours or more, ["red", "green", "blue"] as in the paper.
    steps, batch_size, learning_rate, evaluation_size (held-out latents): None leaves them to the trainer;
    `job.describe().spec` tells what it chose.
    seed, checkpoint_every, priority, request_id, model_version: as in ModelJobOptions, here and in every `train_...`.
    """
    method = pb.EditDirectionSpec(
        edits=edit_messages(edits),
        steps=count("steps", steps),
        batch_size=count("batch_size", batch_size),
        learning_rate=number_or_none("learning_rate", learning_rate),
        evaluation_size=count("evaluation_size", evaluation_size),
        form=chosen("form", form, FORMS),
        loss=chosen("loss", loss, LOSSES),
        space=text("space", space),
        layers=wholes("layers", layers),
        classes=_class_choice(classes),
        truncation=truncation_message(truncation, threshold),
        walk_steps=count("walk_steps", walk_steps),
        together=switch("together", together),
    )
    return make_job(pb.JobSpec(edit_direction=method), model, direction, **options)


def train_boundary(
    model: str,
    direction: str,
    *,
    attribute: str | None = None,
    classifier: tuple[str, int] | None = None,
    labels: Labels | SeedScores | None = None,
    samples: int | None = None,
    fraction: float | None = None,
    conditions: Iterable[str | tuple[str, str]] = (),
    space: str = "",
    classes: Iterable[int] = (),
    **options: Unpack[ModelJobOptions],
) -> MakeJob:
    """Queues a job that finds the boundary of a score by InterFaceGAN: a direction with one slider.

    attribute: "luminance", "red", "green", "blue", "contrast" or "saturation", or of what stands out from the median of
    a picture "centre_x", "centre_y", "spread" (its size) or "slant". classifier: or else (name, class), the probability
    that a classifier gives to a class. labels: or else scores of your own, {seed: score}, or Labels of codes: 1 and 0
    for yes and no, at least 10 of each, or any numbers; the slider is named after the direction.
    samples: latents to score. fraction: which part of them, or of the labels, at either end, is told apart. None: the
    trainer chooses.
    conditions: directions, or sliders ("bank:3" or ("bank", "3")), that must not move with it. space: "z" or "w".
    classes: of a conditional model only these; default all. With labels of seeds or z, in w, the one that they have.
    """
    method = pb.BoundarySpec(
        score=_score(attribute, classifier, labels),
        samples=count("samples", samples),
        fraction=number_or_none("fraction", fraction),
        conditions=slider_messages("conditions", conditions),
        space=text("space", space),
        class_ids=wholes("classes", classes),
    )
    return make_job(pb.JobSpec(boundary=method), model, direction, **options)


def _score(attribute: str | None, classifier: tuple[str, int] | None, labels: Labels | SeedScores | None) -> pb.Score:
    if sum(given is not None for given in (attribute, classifier, labels)) != 1:
        raise InvalidRequest.of("attribute", "give one of attribute, classifier and labels")
    if labels is not None:
        return pb.Score(labels=label_message("labels", labels))
    if classifier is None:
        return pb.Score(attribute=text("attribute", attribute))
    name, class_id = pair("classifier", classifier, "(name, class)")
    name, class_id = text("classifier[0]", name), whole("classifier[1]", class_id)
    return pb.Score(classifier=pb.ClassifierScore(classifier=name, class_id=class_id))


def _class_choice(classes: int | str | None) -> pb.ClassChoice | None:
    if classes is None:
        return None
    if isinstance(classes, str) and classes == "each":
        return pb.ClassChoice(each=True)
    return pb.ClassChoice(class_id=whole("classes", classes))
