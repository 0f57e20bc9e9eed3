"""What a stream of Steer holds: next to nothing, however much its caller sends and however little it reads."""

import ctypes
import resource
from pathlib import Path

import pytest

from latentwalk.v1 import generation_service_pb2 as pb
from latentwalk.v1 import latent_pb2

MIB = 1 << 20
# As the wire has them: 2 bytes each, of which a message makes 64 in memory and more.
LATENTS_WITHOUT_END = pb.SteerPosition(latents=[latent_pb2.Latent()]).SerializeToString() * MIB
STREAMS = 6


def setup(model):
    return pb.SteerRequest(setup=pb.SteerSetup(model=model))


def position(sequence):
    return pb.SteerRequest(sequence=sequence, position=pb.SteerPosition(latents=[latent_pb2.Latent(seed=sequence)]))


def with_much_of_a_position(request):
    """The bytes of a request, before which a position stands."""
    empty = pb.SteerRequest(position=pb.SteerPosition()).SerializeToString()[:1]
    length = len(LATENTS_WITHOUT_END)
    digits = bytes([length & 127 | 128, length >> 7 & 127 | 128, length >> 14 & 127 | 128, length >> 21])
    return empty + digits + LATENTS_WITHOUT_END + request.SerializeToString()


def resident_bytes():
    """What this process, in which are the server and its callers, cannot give back of the machine's memory."""
    ctypes.CDLL(None).malloc_trim(0)
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def steer(server):
    """A stream to which bytes are written."""
    return server.channel.stream_stream(
        "/latentwalk.v1.GenerationService/Steer",
        request_serializer=bytes,
        response_deserializer=pb.SteerResponse.FromString,
    )()


BEGINNINGS = {
    "a setup": [with_much_of_a_position(setup("faces")), position(1).SerializeToString()],
    "a position that is refused": [
        setup("faces").SerializeToString(),
        with_much_of_a_position(pb.SteerRequest(sequence=1)),
    ],
}


@pytest.mark.parametrize("case", BEGINNINGS)
async def test_of_what_was_sent_nothing_is_held_while_the_caller_is_silent(server, case):
    calls = []
    before = resident_bytes()
    for _ in range(STREAMS):
        calls.append(call := steer(server))
        for message in BEGINNINGS[case]:
            await call.write(message)
        assert (await call.read()).sequence == 1
    assert resident_bytes() - before < STREAMS * 64 * MIB / 2
    for call in calls:
        call.cancel()


async def test_a_reader_that_never_reads_costs_a_bounded_amount_of_memory(slow_library, serve):
    async with serve(slow_library) as server:
        call = server.generation.Steer()
        await call.write(setup("slow"))
        await call.write(position(1))
        assert (await call.read()).sequence == 1
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for number in range(2, 3_000):
            await call.write(position(number))
        # A window of transport at most, however many positions are sent: here, caller and server share one process.
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 48 << 10
        call.cancel()
