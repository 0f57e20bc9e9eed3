"""Steer: the newest position is what is drawn; nothing is queued, and nothing is left behind."""

import asyncio
import random

import grpc
import numpy as np
import pytest
import torch

from latentwalk.gan.images import to_uint8
from latentwalk.gan.latents import z_from_seeds
from latentwalk.server.steering.inbox import Inbox
from latentwalk.v1 import error_reason_pb2, image_pb2, latent_pb2
from latentwalk.v1 import generation_service_pb2 as pb
from latentwalk.v1 import model_service_pb2 as model_pb


def setup(model="faces", **fields):
    return pb.SteerRequest(setup=pb.SteerSetup(model=model, **fields))


def position(sequence, *seeds, displacements=(), condition=None, paused=False):
    latents = [latent_pb2.Latent(seed=seed, condition=condition) for seed in seeds]
    return pb.SteerRequest(
        sequence=sequence, position=pb.SteerPosition(latents=latents, displacements=displacements, paused=paused)
    )


def push(direction, alpha, slider=""):
    return pb.Displacement(direction=direction, slider=slider, extent=pb.Extent(alpha=alpha))


async def steer(server, *requests):
    """An open stream to which these were sent."""
    call = server.generation.Steer()
    for request in requests:
        await call.write(request)
    return call


async def answer(call, *requests):
    """The answer to the last of these."""
    for request in requests:
        await call.write(request)
    while (reply := await call.read()).sequence < requests[-1].sequence:
        pass
    return reply


async def ending(call):
    """The error with which the stream ends, and the answers before it."""
    replies = []
    try:
        while (reply := await call.read()) is not grpc.aio.EOF:
            replies.append(reply)
    except grpc.aio.AioRpcError as error:
        return error, replies
    pytest.fail("the stream ended well")


def assert_draws(frame, generator, z, condition=None):
    """The frame shows what the bare generator draws for z [R, Z]."""
    with torch.inference_mode():
        expected = to_uint8(generator(z, condition), generator.spec.range).numpy().astype(int)
    for image, one in zip(frame.images, expected, strict=True):
        assert np.abs(np.frombuffer(image.data, np.uint8).reshape(one.shape) - one).max() <= 1


async def test_an_answer_has_the_pictures_of_its_position_and_says_which_it_is(server, faces, model):
    call = await steer(server, setup())
    reply = await answer(call, position(7, 1, 2, displacements=[push("zoom", 0.5), push("style", 2.0, "age")]))
    assert (reply.sequence, reply.dropped) == (7, 0)
    zoom, age = (model.directions[name].direction.vectors[0] for name in ("zoom", "style"))
    assert_draws(reply.frame, faces, z_from_seeds([1, 2], 6) + 0.5 * zoom + 2 * age)
    assert [(one.direction, one.slider, one.alpha) for one in reply.frame.positions] == [
        ("zoom", "zoom", 0.5),
        ("style", "age", 2.0),
    ]
    assert reply.frame.positions[0].amount == pytest.approx(2.0)
    assert (reply.frame.model_version, reply.frame.model_digest) == ("1", faces.digest)


async def test_pictures_are_counted_and_their_delay_measured_for_each_position(server):
    call = await steer(server, setup())
    for number in (1, 2, 3):
        await answer(call, position(number, 1, 2))
    assert await server.metric("latentwalk_frames_total", model="faces", kind="steer") == 6
    assert await server.metric("latentwalk_first_frame_seconds_count", model="faces", kind="steer") == 3
    assert await server.metric("latentwalk_frame_gap_seconds_count", kind="steer") == 0


async def test_everything_may_change_from_position_to_position(server, library, digits, faces, direction_of):
    library.put_direction("digits", direction_of(digits.digest))
    await server.models.LoadDirection(model_pb.LoadDirectionRequest(model="digits", direction="zoom"))
    call = await steer(server, setup("digits", encoding=image_pb2.ImageEncoding()))
    three = latent_pb2.Condition(class_id=2)
    mix = latent_pb2.Condition(class_mix=latent_pb2.ClassMix(weights={0: 1, 1: 1}))
    first = await answer(call, position(1, 1, condition=three))
    assert_draws(first.frame, digits, z_from_seeds([1], 6), torch.eye(3)[2:])
    second = await answer(call, position(2, 5, 6, condition=mix))
    assert_draws(second.frame, digits, z_from_seeds([5, 6], 6), torch.tensor([[0.5, 0.5, 0.0]] * 2))
    moved = await answer(call, position(3, 5, condition=three, displacements=[push("zoom", -1)]))
    assert_draws(moved.frame, digits, z_from_seeds([5], 6) - 1, torch.eye(3)[2:])
    # A position is the whole state: what it does not say, it does not inherit.
    still = await answer(call, position(4, 5, condition=three))
    assert_draws(still.frame, digits, z_from_seeds([5], 6), torch.eye(3)[2:])
    assert not still.frame.positions


async def test_of_a_burst_the_last_is_answered_and_the_overtaken_are_counted(slow_library, serve):
    async with serve(slow_library) as server:
        call = await steer(server, setup("slow"), *(position(number, number) for number in range(200)))
        await call.done_writing()
        replies = [reply async for reply in call]
        assert replies[-1].sequence == 199
        assert len(replies) < 100
        sequences = [reply.sequence for reply in replies]
        assert sequences == sorted(set(sequences))
        # Every position before an answered one was either answered or dropped.
        assert [reply.dropped for reply in replies] == [reply.sequence - index for index, reply in enumerate(replies)]


async def test_a_position_that_waits_for_a_busy_device_is_overtaken_and_keeps_its_place(slow_library, serve):
    async with serve(slow_library, max_batch=1, max_queue_seconds=60.0) as server:
        busy = server.generation.Generate(generate(24))
        call = await steer(server, setup("slow"))
        await server.settles("latentwalk_open_streams", 1)
        for number in range(1, 41):
            await call.write(position(number, number))
            await asyncio.sleep(0.001)
        first = await call.read()
        # Had it been settled when it was queued, the first would be answered first.
        assert first.sequence > 1
        assert first.dropped == first.sequence - 1
        assert len((await busy).images) == 24
        call.cancel()


def generate(count):
    return pb.GenerateRequest(model="slow", latents=[latent_pb2.Latent(seed=seed) for seed in range(count)])


REFUSED = {
    "no latents": (position(2), "INVALID_REQUEST", "latents"),
    "a latent without a code": (
        pb.SteerRequest(sequence=2, position=pb.SteerPosition(latents=[latent_pb2.Latent()])),
        "INVALID_REQUEST",
        "latents[0]",
    ),
    "a direction that is not there": (position(2, 1, displacements=[push("nope", 1)]), "UNKNOWN_DIRECTION", ""),
    "beyond the limit of the slider": (
        position(2, 1, displacements=[push("zoom", 9)]),
        "INVALID_REQUEST",
        "displacements[0].extent.alpha",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_a_position_that_cannot_be_drawn_is_refused_and_the_stream_goes_on(server, faces, case):
    request, reason, field = REFUSED[case]
    call = await steer(server, setup())
    await answer(call, position(1, 1))
    reply = await answer(call, request)
    assert reply.WhichOneof("outcome") == "refusal"
    assert reply.refusal.reason == error_reason_pb2.ErrorReason.Value(f"ERROR_REASON_{reason}")
    assert reply.refusal.code == (3 if reason == "INVALID_REQUEST" else 5)
    assert (reply.refusal.field, reply.sequence) == (field, 2)
    assert field in reply.refusal.message
    assert_draws((await answer(call, position(3, 3))).frame, faces, z_from_seeds([3], 6))


async def test_a_refusal_says_no_more_than_fits_however_much_was_asked(server, faces):
    call = await steer(server, setup())
    reply = await answer(call, position(1, 1, displacements=[push("zoom", 1, slider="\0" * 500_000)]))
    assert reply.refusal.field == "displacements[0].slider"
    assert reply.ByteSize() < 4_096
    assert_draws((await answer(call, position(2, 3))).frame, faces, z_from_seeds([3], 6))


async def test_a_picture_without_finite_pixels_is_refused_and_the_stream_goes_on(empty_library, wild, serve):
    empty_library.put_generator("wild", wild)
    async with serve(empty_library) as server:
        call = await steer(server, setup("wild"))
        far = np.full(6, 1e10, "<f4")
        tensor = {"dtype": 1, "shape": [6], "data": far.tobytes()}
        request = pb.SteerRequest(sequence=1, position=pb.SteerPosition(latents=[latent_pb2.Latent(z=tensor)]))
        assert (await answer(call, request)).refusal.field == "latents[0]"
        assert (await answer(call, position(2, 1))).frame.images


async def test_an_overloaded_server_refuses_a_position_and_not_the_stream(slow_library, serve):
    async with serve(slow_library, max_batch=1, max_queued_frames=8, stream_credit=8) as server:
        call = await steer(server, setup("slow"))
        walk = pb.WalkRequest(model="slow", starts=generate(8).latents)
        walk.legs.add(frames=1000).stretches.add(
            direction="zoom", **{"from": pb.Extent(alpha=0), "to": pb.Extent(alpha=1)}
        )
        busy = server.generation.Walk(walk)
        await busy.read()
        await busy.read()
        refused = (await answer(call, position(1, *range(8)))).refusal
        assert refused.code == grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]
        assert refused.reason == error_reason_pb2.ERROR_REASON_QUEUE_FULL
        assert await server.metric("latentwalk_rejected_total", reason="queue_full") == 1
        busy.cancel()
        await server.settles("latentwalk_open_streams", 0)
        assert (await answer(call, position(2, 1))).frame.images
        call.cancel()


ENDED = {
    "nothing at all": ((), "setup"),
    "a position first": ((position(1, 1),), "setup"),
    "a second setup": ((setup(), setup()), "setup"),
    "an empty message": ((setup(), pb.SteerRequest(sequence=1)), "position"),
    "a number that does not grow": ((setup(), position(5, 1), position(5, 2)), "sequence"),
    "a number that falls": ((setup(), position(5, 1), position(4, 2)), "sequence"),
}


@pytest.mark.parametrize("case", ENDED)
async def test_what_breaks_the_rules_of_the_stream_ends_it(server, described, case):
    requests, field = ENDED[case]
    call = await steer(server, *requests)
    if not requests:
        await call.done_writing()
    error, _ = await ending(call)
    refused = described(error)
    assert (refused.status, refused.reason, refused.fields) == ("INVALID_ARGUMENT", "INVALID_REQUEST", [field])


async def test_a_setup_of_an_unknown_model_ends_the_stream_at_once(server, described):
    error, _ = await ending(await steer(server, setup("nope")))
    assert (described(error).status, described(error).reason) == ("NOT_FOUND", "UNKNOWN_MODEL")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"encoding": {"format": 99}}, "encoding.format"),
        ({"encoding": {"quality": 50}}, "encoding.quality"),
        ({"delivery": {"priority": 99}}, "delivery.priority"),
        ({"delivery": {"determinism": 99}}, "delivery.determinism"),
    ],
)
async def test_a_setup_with_which_nothing_can_be_drawn_ends_the_stream_at_once(server, described, fields, field):
    async with asyncio.timeout(60):
        error, replies = await ending(await steer(server, setup(**fields)))
    refused = described(error)
    assert (refused.status, refused.fields, replies) == ("INVALID_ARGUMENT", [field], [])


async def test_nothing_is_drawn_while_paused_and_the_next_position_resumes(server):
    call = await steer(server, setup())
    await answer(call, position(1, 1))
    await server.settles("latentwalk_batch_size_sum", 1)
    await call.write(position(2, paused=True))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(reading := asyncio.ensure_future(call.read())), 0.2)
    assert await server.metric("latentwalk_batch_size_sum") == 1
    await call.write(position(3, 1))
    assert ((await reading).sequence, (await reading).dropped) == (3, 0)


async def test_another_version_of_the_model_is_taken_up_with_the_next_position(server, library, faces, other):
    call = await steer(server, setup())
    assert (await answer(call, position(1, 1))).frame.model_digest == faces.digest
    library.put_generator("faces", other)
    await server.models.LoadModel(model_pb.LoadModelRequest(model="faces"))
    reply = await answer(call, position(2, 1))
    assert (reply.frame.model_version, reply.frame.model_digest) == ("2", other.digest)
    assert_draws(reply.frame, other, z_from_seeds([1], 6))
    await server.models.UnloadModel(model_pb.UnloadModelRequest(model="faces"))
    assert (await answer(call, position(3, 1))).refusal.reason == error_reason_pb2.ERROR_REASON_UNKNOWN_MODEL
    await server.models.LoadModel(model_pb.LoadModelRequest(model="faces"))
    assert (await answer(call, position(4, 1))).frame.images


async def test_a_caller_that_closes_its_side_gets_its_last_answer_and_then_the_end(server):
    call = await steer(server, setup(), position(1, 1))
    await call.done_writing()
    replies = [reply async for reply in call]
    assert [reply.sequence for reply in replies] == [1]
    assert await call.code() is grpc.StatusCode.OK


async def test_an_idle_stream_costs_no_work_and_takes_no_place(slow_library, serve):
    async with serve(slow_library, max_streams=2) as server:
        idle = [await steer(server, setup("slow")) for _ in range(20)]
        for call in idle:
            await answer(call, position(1, 1))
        assert await server.metric("latentwalk_open_streams") == 0
        assert (await server.generation.Generate(generate(1))).images
        for call in idle:
            call.cancel()


async def test_a_drain_ends_silent_idle_and_busy_streams(slow_library, serve, described):
    async with serve(slow_library, grace_seconds=600.0) as server:
        silent, idle, busy = await steer(server), await steer(server, setup("slow")), await steer(server, setup("slow"))
        await server.settles("grpc_server_started_total", 3, grpc_method="Steer")
        await answer(idle, position(1, 1))
        await busy.write(position(1, *range(32)))
        await server.settles("latentwalk_open_streams", 1)
        drain = asyncio.create_task(server.doorway.drain())
        for call, finished in ((silent, []), (idle, []), (busy, [1])):
            error, replies = await ending(call)
            assert (described(error).status, described(error).reason) == ("UNAVAILABLE", "NOT_SERVING")
            assert [reply.sequence for reply in replies] == finished, "the picture in work is finished"
        await asyncio.wait_for(drain, 120)


async def test_a_slow_reader_stops_the_drawing_and_gets_the_newest_after_it_wakes(slow_library, serve):
    # A client that does not let its window grow with the speed of the link: so the transport buffers few pictures.
    options = [("grpc.http2.bdp_probe", 0)]
    async with serve(slow_library) as server:
        address = f"127.0.0.1:{server.doorway.port}"
        async with grpc.aio.insecure_channel(address, options=options) as channel:
            call = channel.stream_stream(
                "/latentwalk.v1.GenerationService/Steer",
                request_serializer=pb.SteerRequest.SerializeToString,
                response_deserializer=pb.SteerResponse.FromString,
            )()
            await call.write(setup("slow"))
            before, number = -1.0, 0
            async with asyncio.timeout(60):
                while before != (before := await server.metric("latentwalk_batch_size_sum")):
                    for _ in range(50):
                        number += 1
                        await call.write(position(number, number))
                        await asyncio.sleep(0.005)
            sent = number
            assert before <= 12, "48 KiB each, and a window of 64 KiB"
            stale = 0
            while (await call.read()).sequence < sent:
                stale += 1
            assert stale <= 12
            call.cancel()


async def test_callers_that_leave_at_any_moment_leave_nothing(slow_library, serve):
    """Cancels at random, so that every place at which the handler can wait is met."""
    chance = random.Random(3)
    formats = [image_pb2.IMAGE_FORMAT_RAW, image_pb2.IMAGE_FORMAT_PNG]
    async with serve(slow_library, max_batch=4) as server:

        async def come_and_go():
            encoding = image_pb2.ImageEncoding(format=chance.choice(formats))
            timeout = chance.choice([None, 0.05, 0.2])
            call = server.generation.Steer(timeout=timeout)
            try:
                await call.write(setup("slow", encoding=encoding))
                for number in range(chance.randint(0, 20)):
                    await call.write(position(number, *range(chance.randint(1, 3))))
                    await asyncio.sleep(chance.random() * 0.01)
                if chance.random() < 0.3:
                    await asyncio.wait_for(call.read(), chance.random() * 0.1)
            except (TimeoutError, asyncio.CancelledError, asyncio.InvalidStateError, grpc.aio.AioRpcError):
                pass
            call.cancel()

        for _ in range(6):
            await asyncio.gather(*(come_and_go() for _ in range(8)))
        await server.settles("latentwalk_open_streams", 0)
        assert await server.metric("latentwalk_queue_frames") == 0
        assert (await server.generation.Generate(generate(1))).images


async def test_whatever_ends_the_reading_of_positions_ends_the_stream():
    async def requests():
        yield setup()
        yield position(1, 1)
        raise BufferError("nobody foresaw this")

    async with asyncio.timeout(60):
        with Inbox(requests(), asyncio.Event()) as inbox:
            await asyncio.sleep(0)
            with pytest.raises(BufferError):
                await inbox.newest()
