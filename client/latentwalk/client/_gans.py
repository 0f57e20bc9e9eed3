"""The verbs that train something new: generators, alone or with their walk, and classifiers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Unpack

from latentwalk.client._choices import chosen
from latentwalk.client._data import Folder, data_message
from latentwalk.client._edits import Edits, edit_messages
from latentwalk.client._making import JobOptions, MakeJob, make_job
from latentwalk.client._numbers import count, number_or_none
from latentwalk.client._values import instance, switch, text, text_or_empty
from latentwalk.v1 import training_service_pb2 as pb

GanLoss = Literal["non_saturating", "hinge", "wgan_gp"]
"""What generator and discriminator play for."""
GanFamily = Literal["dcgan", "progan", "stylegan"]
"""What a new generator is."""
JointMode = Literal["joint", "sequential"]
"""Whether a walk is learnt together with its generator or after it."""

_LOSSES: Mapping[str, pb.GanLoss.ValueType] = {
    "non_saturating": pb.GAN_LOSS_NON_SATURATING,
    "hinge": pb.GAN_LOSS_HINGE,
    "wgan_gp": pb.GAN_LOSS_WGAN_GP,
}
_FAMILIES: Mapping[str, pb.GanFamily.ValueType] = {
    "dcgan": pb.GAN_FAMILY_DCGAN,
    "progan": pb.GAN_FAMILY_PROGAN,
    "stylegan": pb.GAN_FAMILY_STYLEGAN,
}
_MODES: Mapping[str, pb.JointMode.ValueType] = {"joint": pb.JOINT_MODE_JOINT, "sequential": pb.JOINT_MODE_SEQUENTIAL}

_SIZES = ("resolution", "latent_size", "width", "max_width", "w_size", "mapping_layers", "discriminator_width")
_GROWTH = ("progressive_from", "fade_steps", "stable_steps")
_COUNTS = (*_SIZES, *_GROWTH, "steps", "batch_size", "sample_every")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gan:
    """How a generator is trained. What is None is left to the trainer; `job.describe().spec` tells what it chose."""

    data: "str | Folder"
    """A data set of torchvision ("MNIST", "FashionMNIST", "KMNIST"), or a folder."""
    start_from: str | None = None
    """A generator of the store to train on from: "faces", or "faces@3" for its version 3. Family, sizes and classes are
    then its own, and what is said of them must agree; the discriminator begins with fresh weights."""
    conditional: bool = False
    """Whether it draws the classes of the data on request."""
    family: GanFamily | None = None
    """What it is; None for "dcgan", or as `start_from`."""
    resolution: int | None = None
    """Pixels a side, a power of two from 8 to 256."""
    latent_size: int | None = None
    width: int | None = None
    """Channels of the generator's last hidden layer."""
    max_width: int | None = None
    """Channels of coarse layers, of a progan or stylegan, at most."""
    w_size: int | None = None
    """Of what a stylegan maps its latents to."""
    mapping_layers: int | None = None
    """From z to w, of a stylegan."""
    style_mixing: float | None = None
    """The share of pictures with the styles of two latents while a stylegan is trained, 0 to 1."""
    progressive_from: int | None = None
    """Pixels a side from which a progan or stylegan grows while it is trained, such as 8; None if it does not."""
    fade_steps: int | None = None
    """In which a doubled resolution fades in, of one that grows."""
    stable_steps: int | None = None
    """At each resolution before the next fades in, of one that grows."""
    discriminator_width: int | None = None
    loss: GanLoss = "non_saturating"
    penalty: float | None = None
    """The weight of the penalty on the discriminator's gradient."""
    steps: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    discriminator_learning_rate: float | None = None
    spectral_norm: bool = False
    minibatch_deviation: bool = False
    """Whether the discriminator sees how much pictures differ, in groups of 4, of which a batch must consist."""
    ema_half_life: float | None = None
    """Pictures after which half of the published average is new; 0 for no average."""
    augmentation: Edits = ()
    """Edits by which real pictures are shown."""
    mirror: bool = False
    """Whether half of the real pictures are shown mirrored."""
    sample_every: int | None = None
    """Steps between two sheets of samples among the job's events."""

    def message(self) -> pb.GanSettings:
        """The message of these settings."""
        return pb.GanSettings(
            data=data_message(self.data),
            conditional=switch("conditional", self.conditional),
            start_from=text_or_empty("start_from", self.start_from),
            family=pb.GAN_FAMILY_UNSPECIFIED if self.family is None else chosen("family", self.family, _FAMILIES),
            style_mixing=number_or_none("style_mixing", self.style_mixing),
            loss=chosen("loss", self.loss, _LOSSES),
            penalty=number_or_none("penalty", self.penalty),
            learning_rate=number_or_none("learning_rate", self.learning_rate),
            discriminator_learning_rate=number_or_none("discriminator_learning_rate", self.discriminator_learning_rate),
            spectral_norm=switch("spectral_norm", self.spectral_norm),
            minibatch_deviation=switch("minibatch_deviation", self.minibatch_deviation),
            mirror=switch("mirror", self.mirror),
            ema_half_life=number_or_none("ema_half_life", self.ema_half_life),
            augmentation=edit_messages(self.augmentation, "augmentation"),
            **{name: count(name, getattr(self, name)) for name in _COUNTS},
        )


def train_gan(model: str, gan: Gan, **options: Unpack[JobOptions]) -> MakeJob:
    """Queues a job that trains a generator, from nothing or on from another, and publishes it as `model`."""
    return make_job(pb.JobSpec(gan=pb.GanSpec(gan=instance("gan", gan, Gan).message())), model, **options)


def train_joint(
    model: str,
    direction: str,
    gan: Gan,
    *,
    edits: Edits,
    mode: JointMode = "joint",
    edit_weight: float | None = None,
    walk_steps: int | None = None,
    evaluation_size: int | None = None,
    **options: Unpack[JobOptions],
) -> MakeJob:
    """Queues a job that trains a generator `model` and its linear walk `direction`, published together.

    edits: as for `train_edit`. mode: "joint", both at once, or "sequential", the walk after the generator.
    edit_weight: for "joint", of the edit loss against 1 for the game. walk_steps: for "sequential", of the walk.
    """
    method = pb.JointSpec(
        gan=instance("gan", gan, Gan).message(),
        edits=edit_messages(edits),
        mode=chosen("mode", mode, _MODES),
        edit_weight=number_or_none("edit_weight", edit_weight),
        walk_steps=count("walk_steps", walk_steps),
        evaluation_size=count("evaluation_size", evaluation_size),
    )
    return make_job(pb.JobSpec(joint=method), model, direction, **options)


def train_classifier(
    name: str,
    data: str | Folder,
    *,
    resolution: int | None = None,
    steps: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    **options: Unpack[JobOptions],
) -> MakeJob:
    """Queues a job that trains a classifier of pictures and publishes it as `name`, for jobs that need classes.

    data: as in Gan. resolution: it serves models of at least that, and sees their larger pictures shrunk to it.
    """
    method = pb.ClassifierSpec(
        data=data_message(data),
        resolution=count("resolution", resolution),
        steps=count("steps", steps),
        batch_size=count("batch_size", batch_size),
        learning_rate=number_or_none("learning_rate", learning_rate),
    )
    return make_job(pb.JobSpec(classifier=method), text("name", name), **options)
