"""What the inner layers raise is told to callers in their words."""

import grpc

from latentwalk.server.scheduler import DeviceOutOfMemory
from latentwalk.server.translation import translate


def test_a_device_without_memory_for_one_picture_is_no_fault_and_says_what_to_do():
    error = translate(DeviceOutOfMemory("can't allocate memory: you tried to allocate 1 bytes"))
    assert error.status is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "unload another model" in error.message
    assert "you tried to allocate" in error.message
