"""Errors on their way from the device's process."""

import pytest

from latentwalk.gan.errors import CorruptArtifact
from latentwalk.server.device.messages import choice_of, failure, pictures_of
from latentwalk.server.engine import NonFinitePicture, NoSuchDevice
from latentwalk.server.scheduler import DeviceOutOfMemory


@pytest.mark.parametrize("kind", [DeviceOutOfMemory, NonFinitePicture, NoSuchDevice])
def test_errors_that_are_told_apart_arrive_as_what_they_are(kind):
    with pytest.raises(kind, match=r"^the words$"):
        pictures_of(failure(kind("the words")))


def test_other_errors_arrive_in_words():
    with pytest.raises(RuntimeError, match=r"^CorruptArtifact: .*torn"):
        choice_of(failure(CorruptArtifact("generators/faces/1", "torn")))
