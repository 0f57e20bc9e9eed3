"""What is read on the event loop takes a moment; what may take longer is read elsewhere."""

import threading

import pytest

from latentwalk.server.latent_work import LatentWork
from latentwalk.server.making import Making
from latentwalk.v1 import generation_service_pb2 as pb
from latentwalk.v1 import latent_pb2


@pytest.fixture
def making():
    work = LatentWork(1, 3)
    yield Making(work)
    work.close()


def keyframes(count):
    """A request with so many, each of which is a mixture of a thousand classes."""
    mixture = latent_pb2.Condition(class_mix=latent_pb2.ClassMix(weights=dict.fromkeys(range(1_000), 1.0)))
    return pb.InterpolateRequest(keyframes=[latent_pb2.Latent(seed=1, condition=mixture)] * count)


@pytest.mark.parametrize(("count", "is_on_loop"), [(0, True), (1, True), (64, False), (900, False)])
async def test_a_large_request_is_read_off_the_event_loop(making, model, count, is_on_loop):
    """To look at each of 900,000 weights takes half a second."""
    reader = await making.order(model, lambda request: threading.current_thread(), keyframes(count))
    assert (reader is threading.current_thread()) == is_on_loop
