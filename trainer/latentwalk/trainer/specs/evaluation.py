"""What jobs do that measure a generator."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from latentwalk.gan.truncations import Truncation
from latentwalk.trainer.specs.bounds import count
from latentwalk.trainer.specs.closed_form import SAMPLES_PER_STEP, SliderReference
from latentwalk.trainer.specs.data import Data
from latentwalk.trainer.specs.job import MethodSettings


class Distance(StrEnum):
    """How different two pictures look; see distances."""

    LPIPS = "lpips"
    FEATURES = "features"
    PIXELS = "pixels"


def name_of_limits(direction: str, slider: str) -> str:
    """Under which name the limits of a slider are told, in "limits.<name>.<what>"."""
    return f"{direction}.{slider}"


@dataclass(frozen=True, slots=True)
class EvaluationSpec(MethodSettings):
    """How entangled the latent spaces of a generator are, how real its pictures look, how far its sliders can go."""

    makes_direction: ClassVar[bool] = False

    samples: int = count(10_000, least=100, most=1_000_000)
    """Latents for each measure."""
    distance: Distance | None = None
    """By which paths are measured; completed."""
    classifier: str = ""
    """Its name in the artifact store: whose classes are to be separated, and whose features are compared."""
    data: Data | None = None
    """Real pictures, with whose test part drawn ones are compared; None to leave that out."""
    inception: bool = False
    """Whether drawn pictures are also compared with those of the train part in the features of Inception v3."""
    sliders: tuple[SliderReference, ...] = ()
    """Those whose limits are measured; completed with every slider of a direction of which none is named."""
    calibrate: bool = False
    """Whether their directions are published once more, with the amounts that they achieve."""
    truncations: tuple[Truncation, ...] = ()
    """Under each of which drawn pictures are compared with real ones once more; completed."""

    @property
    def steps_of_a_pass(self) -> int:
        """So many latents at a time."""
        return -(-self.samples // SAMPLES_PER_STEP)

    @property
    def steps(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride] - it follows, nobody sets it
        """A pass for the generator, one for each truncation, and one for each slider."""
        return self.steps_of_a_pass * (1 + len(self.truncations) + len(self.sliders))
