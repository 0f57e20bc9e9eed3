"""Sliders that were found for one class, and the classes of the latents that they are to move."""

from torch import Tensor

from latentwalk.gan.directions import Slider
from latentwalk.gan.errors import ClassMismatch
from latentwalk.gan.latents import class_ids
from latentwalk.gan.walks import Leg, Stretch
from latentwalk.rpc.errors import InvalidRequest


def check_classes(field: str, leg: Leg, latents: str, condition: Tensor | None) -> None:
    """Raises InvalidRequest for a movement of the leg whose slider is not for the class of every latent.

    `field` and `latents` are the fields that the movements and the latents, with their conditions [N, K], came from.
    """
    if condition is None or all(_slider_of(stretch).class_id is None for stretch in leg.stretches):
        return
    first_of: dict[int | None, int] = {}
    for row, class_id in enumerate(class_ids(condition)):
        first_of.setdefault(class_id, row)
    for index, stretch in enumerate(leg.stretches):
        for class_id, row in first_of.items():
            try:
                stretch.direction.check_class(_slider_of(stretch), class_id)
            except ClassMismatch as error:
                problem = f"{error} ({latents}[{row}]); set any_class to move it all the same"
                raise InvalidRequest(f"{field}[{index}]", problem) from error


def _slider_of(stretch: Stretch) -> Slider:
    return stretch.direction.sliders[stretch.slider]
