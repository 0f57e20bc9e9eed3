"""Sliders that are taken out of the directions in which they were found."""

from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass

from latentwalk.client._numbers import number
from latentwalk.client._values import one_or_several, pair, switch, text
from latentwalk.v1 import model_service_pb2 as pb


@dataclass(frozen=True, slots=True)
class SliderPick:
    """A slider of a loaded direction, and what is to become of it in another."""

    direction: str
    """The direction that has it."""
    _: KW_ONLY
    slider: str = ""
    """Which slider; may be empty for a direction with only one."""
    name: str = ""
    """Its name from now on: 1 to 63 letters, digits, "_", ".", "+", "-"; empty for the name that it has."""
    opposite: bool = False
    """Whether its alpha becomes the opposite of what it was; the amounts of an edit stay what they were."""
    alpha: tuple[float, float] | None = None
    """The least and greatest alpha, as it is from now on, that may be asked for; 0 is between. None for all that could
    be before."""
    without: str | Iterable[str] = ()
    """Sliders that are not to move with it, "direction" or "direction:slider" each: its vector is projected off theirs,
    as InterFaceGAN does, and keeps its length. All must be linear, in the same space and layers."""

    def __post_init__(self) -> None:
        # An iterator would be at its end after the first message.
        object.__setattr__(self, "without", tuple(one_or_several("without", self.without, str)))

    def message(self, field: str) -> pb.SliderPick:
        """The message of this pick, which stands in `field`."""
        message = pb.SliderPick(
            direction=text(f"{field}.direction", self.direction),
            slider=text(f"{field}.slider", self.slider),
            name=text(f"{field}.name", self.name),
            opposite=switch(f"{field}.opposite", self.opposite),
        )
        for index, other in enumerate(self.without):
            direction, _, slider = text(f"{field}.without[{index}]", other).partition(":")
            message.without.add(direction=direction, slider=slider)
        if self.alpha is not None:
            low, high = pair(f"{field}.alpha", self.alpha, "the least and the greatest")
            message.alpha_low, message.alpha_high = number(f"{field}.alpha", low), number(f"{field}.alpha", high)
        return message
