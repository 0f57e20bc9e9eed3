"""Frames that are ready at the same time come together, if their caller takes them so; all else is as one by one."""

import grpc
import pytest
import torch
from styled_requests import seeds, tensor

from latentwalk.v1 import generation_service_pb2 as pb
from latentwalk.v1 import image_pb2, latent_pb2
from latentwalk.v1 import model_service_pb2 as model_pb

FRAMES = 60


def walk(model="faces", rows=1, format=image_pb2.IMAGE_FORMAT_RAW, **delivery):
    ends = {"from": pb.Extent(alpha=-1), "to": pb.Extent(alpha=1)}
    return pb.WalkRequest(
        model=model,
        starts=seeds(*range(rows)),
        legs=[pb.Leg(stretches=[pb.Stretch(direction="zoom", **ends)], frames=FRAMES)],
        encoding=image_pb2.ImageEncoding(format=format),
        delivery=pb.Delivery(determinism=pb.DETERMINISM_STRICT, **delivery),
    )


async def messages(call):
    """The frames of each message after the header."""
    async for reply in call:
        if reply.HasField("bundle"):
            assert len(reply.bundle.frames) > 1, "one frame alone is no bundle"
            yield list(reply.bundle.frames)
        elif reply.HasField("frame"):
            yield [reply.frame]


async def read(call):
    """The frames of a stream, and how many came with each message."""
    came = [frames async for frames in messages(call)]
    return [frame for frames in came for frame in frames], [len(frames) for frames in came]


async def test_they_are_the_frames_that_come_one_by_one(library, serve):
    async with serve(library, frame_cache_mib=0) as server:
        single, ones = await read(server.generation.Walk(walk()))
        assert ones == [1] * FRAMES
        together, sizes = await read(server.generation.Walk(walk(frames_per_message=4)))
        assert together == single
        assert 1 < max(sizes) <= 4


async def test_frames_of_many_rows_stay_whole(server):
    frames, sizes = await read(server.generation.Walk(walk(rows=3, frames_per_message=64)))
    assert [frame.index for frame in frames] == list(range(FRAMES))
    assert {len(frame.images) for frame in frames} == {3}
    assert len(sizes) < FRAMES


async def test_an_interpolation_comes_so_too_and_goes_on_from_any_frame(server):
    request = pb.InterpolateRequest(
        model="faces",
        keyframes=seeds(1, 2),
        frames_per_leg=FRAMES,
        delivery=pb.Delivery(first_frame=7, frames_per_message=64),
    )
    frames, sizes = await read(server.generation.Interpolate(request))
    assert [frame.index for frame in frames] == list(range(7, FRAMES + 1))
    assert len(sizes) < len(frames)


async def test_encoded_pictures_come_one_by_one(server):
    _, sizes = await read(server.generation.Walk(walk(format=image_pb2.IMAGE_FORMAT_PNG, frames_per_message=64)))
    assert sizes == [1] * FRAMES


async def test_frames_before_one_that_cannot_be_drawn_arrive(server, library, wild):
    library.put_generator("wild", wild)
    await server.models.LoadModel(model_pb.LoadModelRequest(model="wild"))
    request = pb.InterpolateRequest(
        model="wild",
        keyframes=[*seeds(1, 2), latent_pb2.Latent(z=tensor(torch.full((6,), 1e20)))],
        frames_per_leg=30,
        delivery=pb.Delivery(frames_per_message=64),
    )
    came = []

    async def collect():
        async for frames in messages(server.generation.Interpolate(request)):
            came.extend(frame.index for frame in frames)

    with pytest.raises(grpc.aio.AioRpcError, match="frame 31 is no picture"):
        await collect()
    assert came == list(range(31))


async def test_more_than_64_are_refused(server, refusal):
    refused = await refusal(server.generation.Walk(walk(frames_per_message=65)))
    assert (refused.status, refused.fields) == ("INVALID_ARGUMENT", ["delivery.frames_per_message"])


async def test_their_times_are_counted_one_by_one(library, serve):
    async with serve(library) as server:
        await read(server.generation.Walk(walk(frames_per_message=64)))
        labels = {"model": "faces", "kind": "walk"}
        await server.settles("latentwalk_frame_gap_seconds_count", FRAMES - 1, **labels)
        await server.settles("latentwalk_first_frame_seconds_count", 1, **labels)
        await server.settles("latentwalk_frames_total", FRAMES, **labels)
