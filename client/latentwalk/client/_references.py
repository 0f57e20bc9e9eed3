"""Sliders of directions that a trainer has, by name."""

from typing import Any

from latentwalk.client._values import elements, pair, text
from latentwalk.v1 import training_service_pb2 as pb


def slider_messages(field: str, references: Any) -> list[pb.SliderReference]:
    """The messages of directions, or of sliders, as "bank:3" or ("bank", "3"). InvalidRequest for anything else."""
    listed = elements(field, references, 'a list of directions, or of sliders: "bank:3", or ("bank", "3")')
    return [_slider_message(f"{field}[{index}]", one) for index, one in enumerate(listed)]


def _slider_message(field: str, reference: Any) -> pb.SliderReference:
    if isinstance(reference, str):
        name, _, slider = text(field, reference).partition(":")
        return pb.SliderReference(direction=name, slider=slider)
    direction, slider = pair(field, reference, "a direction, or a pair (direction, slider)")
    return pb.SliderReference(direction=text(f"{field}[0]", direction), slider=text(f"{field}[1]", slider))
