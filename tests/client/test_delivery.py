"""What a call says of how its pictures are to come."""

import pytest

from latentwalk.client import Picture
from latentwalk.client import _generation as generation
from latentwalk.client._inversion import invert

STREAMS = [generation.walk("faces", "zoom", seeds=1), generation.interpolate("faces", seeds=[1, 2])]
STILLS = [generation.generate("faces", seeds=1), invert("faces", Picture(bytes(64), "raw", 8, 8, 1), seeds=1)]


@pytest.mark.parametrize("call", STREAMS)
def test_frames_may_come_together(call):
    assert call.request.delivery.frames_per_message == 64


@pytest.mark.parametrize("call", STILLS)
def test_nothing_is_said_of_frames_where_there_are_none(call):
    assert {field.name for field, _ in call.request.delivery.ListFields()} == {"determinism", "priority"}


def test_nothing_is_said_of_frames_where_the_newest_position_wins():
    delivery = generation.steer("faces").request.setup.delivery
    assert {field.name for field, _ in delivery.ListFields()} == {"determinism", "priority"}
