"""What jobs do that train a generator."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from latentwalk.trainer.specs.bounds import count, maybe, number
from latentwalk.trainer.specs.data import Data
from latentwalk.trainer.specs.edits import EditTarget
from latentwalk.trainer.specs.growth import Growth
from latentwalk.trainer.specs.job import MethodSettings

DEVIATION_GROUP = 4
"""Pictures that the discriminator compares with one another, as in the code of Karras et al. 2018."""


class GanLoss(StrEnum):
    """The game; see networks.games."""

    NON_SATURATING = "non_saturating"
    HINGE = "hinge"
    WGAN_GP = "wgan_gp"


class GanFamily(StrEnum):
    """What is trained; see methods.players."""

    DCGAN = "dcgan"
    PROGAN = "progan"
    STYLEGAN = "stylegan"


class JointMode(StrEnum):
    """How a generator and its walk are trained."""

    JOINT = "joint"
    SEQUENTIAL = "sequential"


@dataclass(frozen=True, slots=True)
class GanSettings:
    """A generator, trained from nothing, or on from another, whose sizes it then has."""

    data: Data = field(default_factory=Data)
    conditional: bool = False
    """Whether both players are told the classes."""
    start_from: str = ""
    """The generator, a Reference, with whose weights it begins; empty for fresh ones."""
    family: GanFamily | None = None
    """Completed with DCGAN."""
    resolution: int = count(0, most=256, least=8)
    """Completed with 32."""
    latent_size: int = count(0, most=1_024)
    """Completed with 100."""
    width: int = count(0, most=512)
    """Channels of the generator's last hidden layer; completed with 32."""
    discriminator_width: int = count(0, most=512)
    """Channels of the discriminator's first layer; completed with the generator's."""
    max_width: int = count(0, most=1_024)
    """Of progan and stylegan: channels of coarse layers at most; completed with 512, or the width if that is more."""
    w_size: int = count(0, most=1_024)
    """Of stylegan; completed with the latent size."""
    mapping_layers: int = count(0, most=32)
    """Of stylegan; completed with 8."""
    style_mixing: float | None = maybe(0, 1)
    """Of stylegan: the share of rows with styles of two latents; completed with 0.9."""
    progressive_from: int = count(0, most=128, least=4)
    """Of progan and stylegan: pixels a side of the pictures from which it grows; 0 if it does not."""
    fade_steps: int = count(0, most=10_000_000)
    """In which a doubled resolution fades in; completed with stable_steps, or so that it grows in half of all steps."""
    stable_steps: int = count(0, most=10_000_000)
    """At a resolution before the next fades in; completed likewise."""
    loss: GanLoss = GanLoss.NON_SATURATING
    penalty: float | None = maybe(0, 1e6)
    """The weight of the penalty on the gradient; completed with the game's own."""
    steps: int = count(5_000, most=10_000_000)
    batch_size: int = count(64, most=1_024)
    learning_rate: float | None = maybe(0, 1, above=True)
    """Adam's step size for the generator, for the first half of the steps; then it falls to nothing. Completed with
    0.0002, for progan and stylegan 0.001."""
    discriminator_learning_rate: float | None = maybe(0, 1, above=True)
    """Completed with the generator's."""
    spectral_norm: bool = False
    minibatch_deviation: bool = False
    """Whether the discriminator sees how much the pictures of a group differ; see networks.discriminator."""
    ema_half_life: float = number(10_000, 0, 1e9)
    """Pictures after which half of the published average is new; 0 for no average."""
    augmentation: tuple[EditTarget, ...] = ()
    """What real pictures are edited by."""
    mirror: bool = False
    """Whether half of them are shown mirrored."""
    sample_every: int = count(500, most=10_000_000)
    """Steps between two sheets of samples."""

    @property
    def growth(self) -> Growth:
        """When the players grow."""
        return Growth(self.progressive_from or self.resolution, self.resolution, self.fade_steps, self.stable_steps)

    @property
    def group(self) -> int:
        """Rows of a batch that the discriminator looks at together."""
        return DEVIATION_GROUP if self.minibatch_deviation else 1


@dataclass(frozen=True, slots=True)
class GameSpec(MethodSettings):
    """Trains a generator, in a game."""

    reads_generator: ClassVar[bool] = False

    gan: GanSettings = field(default_factory=GanSettings)

    @property
    def steps(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride] - read only
        """Those of the game."""
        return self.gan.steps

    @property
    def batch_size(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride] - read only
        """That of the game."""
        return self.gan.batch_size

    @property
    def group(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride] - read only
        """That of the game."""
        return self.gan.group


@dataclass(frozen=True, slots=True)
class GanSpec(GameSpec):
    """Trains a generator alone."""

    makes_direction: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class JointSpec(GameSpec):
    """Trains a generator and a linear walk for it."""

    edits: tuple[EditTarget, ...] = ()
    mode: JointMode = JointMode.JOINT
    edit_weight: float | None = maybe(0, 1e6, above=True)
    """Of the edit loss, against 1 for the game; completed with 1 for JOINT."""
    walk_steps: int = count(0, most=1_000_000)
    """Steps of the walk after those of the generator; completed with 1,000 for SEQUENTIAL."""
    evaluation_size: int = count(1_024, most=65_536)
    """Held-out latents on which the walk is measured."""

    @property
    def steps(self) -> int:
        """Those of the game, and those of a walk that comes after it."""
        return self.gan.steps + (self.walk_steps if self.mode is JointMode.SEQUENTIAL else 0)


@dataclass(frozen=True, slots=True)
class ClassifierSpec(MethodSettings):
    """Trains a classifier of pictures."""

    reads_generator: ClassVar[bool] = False
    makes_direction: ClassVar[bool] = False

    data: Data = field(default_factory=Data)
    resolution: int = count(32, most=256, least=8)
    steps: int = count(2_000, most=10_000_000)
    batch_size: int = count(64, most=1_024)
    learning_rate: float = number(0.002, 0, 1, above=True)
    """Adam's greatest step size."""
