"""Sliders of directions that a trainer has, as they are named."""

import pytest

from latentwalk.client._errors import InvalidRequest
from latentwalk.client._references import slider_messages
from latentwalk.v1 import training_service_pb2 as pb


@pytest.mark.parametrize("reference", ["bank@2:3", ("bank@2", "3")], ids=str)
def test_a_slider_is_named_with_its_direction(reference):
    assert slider_messages("directions", [reference]) == [pb.SliderReference(direction="bank@2", slider="3")]


def test_a_direction_alone_is_all_that_it_has():
    assert slider_messages("directions", ["zoom"]) == [pb.SliderReference(direction="zoom")]


def test_one_name_is_no_list():
    with pytest.raises(InvalidRequest, match="directions"):
        slider_messages("directions", "bank:3")
