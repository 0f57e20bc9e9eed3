"""The verbs that train something new: generators, alone or with their walk, and classifiers."""

from collections.abc import Iterable
from dataclasses import dataclass

from latentwalk.client._calls import UnaryCall
from latentwalk.client._jobs import EditTarget, Job
from latentwalk.client._numbers import UINT64, whole
from latentwalk.client._options import NOT_SAID, Timeout
from latentwalk.client._training import chosen, creating, edit_messages
from latentwalk.v1 import training_service_pb2 as pb

_LOSSES = {
    "non_saturating": pb.GAN_LOSS_NON_SATURATING,
    "hinge": pb.GAN_LOSS_HINGE,
    "wgan_gp": pb.GAN_LOSS_WGAN_GP,
}
_MODES = {"joint": pb.JOINT_MODE_JOINT, "sequential": pb.JOINT_MODE_SEQUENTIAL}


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of pictures on the trainer's machine, within its data folder; each sub-folder is a class."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gan:
    """How a generator is trained. What is None is left to the trainer; `job.describe().spec` tells what it chose."""

    data: "str | Folder"
    """A data set of torchvision ("MNIST", "FashionMNIST", "KMNIST"), or a folder."""
    conditional: bool = False
    """Whether it draws the classes of the data on request."""
    resolution: int | None = None
    """Pixels a side, a power of two from 8 to 256."""
    latent_size: int | None = None
    width: int | None = None
    """Channels of the generator's last hidden layer."""
    discriminator_width: int | None = None
    loss: str = "non_saturating"
    """ "non_saturating", "hinge" or "wgan_gp"."""
    penalty: float | None = None
    """The weight of the penalty on the discriminator's gradient."""
    steps: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    discriminator_learning_rate: float | None = None
    spectral_norm: bool = False
    ema_half_life: float | None = None
    """Pictures after which half of the published average is new; 0 for no average."""
    augmentation: "str | EditTarget | Iterable[str | EditTarget]" = ()
    """Edits by which real pictures are shown."""
    sample_every: int | None = None
    """Steps between two sheets of samples among the job's events."""

    def message(self) -> pb.GanSettings:
        """The message of these settings."""
        counts = ("resolution", "latent_size", "width", "discriminator_width", "steps", "batch_size", "sample_every")
        return pb.GanSettings(
            data=data_message(self.data),
            conditional=self.conditional,
            loss=chosen("loss", self.loss, _LOSSES),
            penalty=self.penalty,
            learning_rate=self.learning_rate,
            discriminator_learning_rate=self.discriminator_learning_rate,
            spectral_norm=self.spectral_norm,
            ema_half_life=self.ema_half_life,
            augmentation=edit_messages(self.augmentation),
            **{name: whole(name, getattr(self, name) or 0) for name in counts},
        )


def train_gan(
    model: str,
    gan: Gan,
    *,
    seed: int = 0,
    checkpoint_every: int | None = None,
    priority: int = 0,
    request_id: str | None = None,
    timeout: Timeout = NOT_SAID,
) -> UnaryCall[pb.CreateJobResponse, Job]:
    """Queues a job that trains a generator from nothing and publishes it as `model`.

    seed, checkpoint_every, priority, request_id: as for `train_edit`.
    """
    spec = _spec(model, seed, checkpoint_every, priority)
    spec.gan.gan.CopyFrom(gan.message())
    return creating(spec, request_id, timeout)


def train_joint(
    model: str,
    direction: str,
    gan: Gan,
    *,
    edits: str | EditTarget | Iterable[str | EditTarget],
    mode: str = "joint",
    edit_weight: float | None = None,
    walk_steps: int | None = None,
    evaluation_size: int | None = None,
    seed: int = 0,
    checkpoint_every: int | None = None,
    priority: int = 0,
    request_id: str | None = None,
    timeout: Timeout = NOT_SAID,
) -> UnaryCall[pb.CreateJobResponse, Job]:
    """Queues a job that trains a generator `model` and its linear walk `direction`, published together.

    edits: as for `train_edit`. mode: "joint", both at once, or "sequential", the walk after the generator.
    edit_weight: of the edit loss against 1 for the game. walk_steps: of a walk that comes after.
    seed, checkpoint_every, priority, request_id: as for `train_edit`.
    """
    spec = _spec(model, seed, checkpoint_every, priority)
    spec.direction = direction
    method = pb.JointSpec(
        gan=gan.message(),
        edits=edit_messages(edits),
        mode=chosen("mode", mode, _MODES),
        edit_weight=edit_weight,
        walk_steps=whole("walk_steps", walk_steps or 0),
        evaluation_size=whole("evaluation_size", evaluation_size or 0),
    )
    spec.joint.CopyFrom(method)
    return creating(spec, request_id, timeout)


def train_classifier(
    name: str,
    data: str | Folder,
    *,
    resolution: int | None = None,
    steps: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    seed: int = 0,
    checkpoint_every: int | None = None,
    priority: int = 0,
    request_id: str | None = None,
    timeout: Timeout = NOT_SAID,
) -> UnaryCall[pb.CreateJobResponse, Job]:
    """Queues a job that trains a classifier of pictures and publishes it as `name`, for jobs that need classes.

    data: as in Gan. seed, checkpoint_every, priority, request_id: as for `train_edit`.
    """
    spec = _spec(name, seed, checkpoint_every, priority)
    method = pb.ClassifierSpec(
        data=data_message(data),
        resolution=whole("resolution", resolution or 0),
        steps=whole("steps", steps or 0),
        batch_size=whole("batch_size", batch_size or 0),
        learning_rate=learning_rate,
    )
    spec.classifier.CopyFrom(method)
    return creating(spec, request_id, timeout)


def _spec(model: str, seed: int, checkpoint_every: int | None, priority: int) -> pb.JobSpec:
    return pb.JobSpec(
        model=model,
        seed=whole("seed", seed, high=UINT64),
        checkpoint_every=whole("checkpoint_every", checkpoint_every or 0),
        priority=priority,
    )


def data_message(data: str | Folder) -> pb.Data:
    """The message of a data set or a folder."""
    return pb.Data(folder=data.path) if isinstance(data, Folder) else pb.Data(dataset=data)
