"""Invert over the wire: the latent of a picture is found, told as it comes on, and of use to the other rpcs."""

import asyncio
import io
import struct
import subprocess
import sys
import threading
import zlib

import grpc
import numpy as np
import pytest
from PIL import Image

from latentwalk.gan.latents import one_hot, z_from_seeds
from latentwalk.server.searching import SearchOrder
from latentwalk.v1 import generation_service_pb2 as pb
from latentwalk.v1 import image_pb2, latent_pb2, tensor_pb2

SIDE = 16


def seeds(*values, class_id=None):
    latents = [latent_pb2.Latent(seed=value) for value in values]
    for latent in latents if class_id is not None else ():
        latent.condition.class_id = class_id
    return latents


def raw(pixels):
    """A picture uint8 [H, W, C] as a message."""
    height, width, channels = pixels.shape
    return image_pb2.Image(width=width, height=height, channels=channels, data=pixels.tobytes())


def encoded(pixels, kind):
    """The same as a file."""
    image, buffer = raw(pixels), io.BytesIO()
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(buffer, kind)
    image.format, image.data = image_pb2.ImageFormat.Value(f"IMAGE_FORMAT_{kind}"), buffer.getvalue()
    return image


def error_between(one, other):
    apart = (np.frombuffer(one.data, np.uint8) - np.frombuffer(other.data, np.uint8).astype(float)) / 255
    return float(np.square(apart).mean())


async def drawn(server, model, *latents):
    reply = await server.generation.Generate(pb.GenerateRequest(model=model, latents=latents))
    return list(reply.images)


async def inverted(server, picture, starts, model="faces", **fields):
    """All messages of a search."""
    request = pb.InvertRequest(model=model, picture=picture, starts=starts, **{"steps": 30} | fields)
    return [reply async for reply in server.generation.Invert(request)]


async def test_the_best_latent_so_far_comes_after_every_few_steps_and_after_the_last(server, faces):
    [target] = await drawn(server, "faces", *seeds(5))
    replies = await inverted(server, target, seeds(1, 2, 3), steps=25, report_every=10)
    assert [reply.step for reply in replies] == [0, 10, 20, 25]
    errors = [reply.error for reply in replies]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < errors[0]
    assert {(reply.model_version, reply.model_digest) for reply in replies} == {("1", faces.digest)}
    for reply in replies:
        assert reply.error == pytest.approx(error_between(reply.image, target), abs=1e-4)


async def test_the_latent_is_the_picture_that_came_with_it(server):
    [target] = await drawn(server, "digits", *seeds(5, class_id=1))
    *_, last = await inverted(server, target, seeds(1, 2, class_id=1), "digits")
    assert last.latent.condition.class_id == 1
    [again] = await drawn(server, "digits", last.latent)
    assert error_between(again, last.image) < 1 / 255**2


async def test_the_search_begins_at_the_start_that_is_the_most_like_the_picture(server):
    starts = seeds(1, 2, 3, 4)
    pictures = await drawn(server, "faces", *starts)
    [first, *_] = await inverted(server, pictures[2], starts)
    assert first.start == 2
    assert first.error < 1 / 255**2


async def test_starts_are_compared_off_the_event_loop(server, monkeypatch):
    nearest, threads = SearchOrder.nearest, []

    def watched(order, pictures):
        threads.append(threading.current_thread())
        return nearest(order, pictures)

    monkeypatch.setattr(SearchOrder, "nearest", watched)
    [target] = await drawn(server, "faces", *seeds(5))
    await inverted(server, target, seeds(1, 2), steps=1)
    assert threads
    assert threading.current_thread() not in threads


async def test_an_earlier_search_goes_on_from_its_latent(server):
    [target] = await drawn(server, "faces", *seeds(5))
    *_, earlier = await inverted(server, target, seeds(1))
    [first, *_, last] = await inverted(server, target, [earlier.latent])
    assert first.error == pytest.approx(earlier.error, abs=1e-4)
    assert last.error <= first.error


@pytest.mark.parametrize("space", ["z", "w", "w+"])
async def test_a_generator_with_a_mapping_is_searched_in_each_of_its_spaces(empty_library, styled, serve, space):
    empty_library.put_generator("styled", styled)
    async with serve(empty_library) as server:
        [target] = await drawn(server, "styled", *seeds(5, class_id=2))
        [first, *_, last] = await inverted(server, target, seeds(10, 11, class_id=2), "styled", space=space)
        field = {"z": "z", "w": "w", "w+": "w_plus"}[space]
        assert last.latent.WhichOneof("code") == field
        assert list(getattr(last.latent, field).shape) == {"z": [6], "w": [5], "w+": [6, 5]}[space]
        assert last.error < first.error / 2
        [again] = await drawn(server, "styled", last.latent)
        assert error_between(again, last.image) < 1 / 255**2


async def test_w_plus_is_searched_by_default_and_begins_with_truncation_and_styles(empty_library, styled, serve):
    empty_library.put_generator("styled", styled)
    [start] = seeds(1, class_id=2)
    start.truncation.psi = 0.5
    start.styles.add(latent=seeds(4, class_id=0)[0], layers=[0, 1])
    async with serve(empty_library) as server:
        [target] = await drawn(server, "styled", start)
        [first, *_] = await inverted(server, target, [start], "styled")
        assert first.latent.WhichOneof("code") == "w_plus"
        assert first.error < 1 / 255**2


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "JPEG"])
async def test_pictures_may_be_files(server, kind):
    pixels = np.full((SIDE, SIDE, 3), (200, 100, 50), np.uint8)
    as_pixels = await inverted(server, raw(pixels), seeds(1), steps=1)
    as_file = await inverted(server, encoded(pixels, kind), seeds(1), steps=1)
    assert as_file[-1].error == pytest.approx(as_pixels[-1].error, rel=0.02)


async def test_grey_files_of_16_bits_are_as_bright_as_those_of_8(server):
    grey = np.arange(SIDE * SIDE, dtype=np.uint16).reshape(SIDE, SIDE, 1)
    deep = encoded(np.repeat(grey.astype(np.uint8), 3, axis=2), "PNG")
    buffer = io.BytesIO()
    Image.fromarray(grey[:, :, 0] * 257).save(buffer, "PNG")
    of_8 = await inverted(server, deep, seeds(1), steps=1)
    of_16 = await inverted(server, altered(deep, data=buffer.getvalue()), seeds(1), steps=1)
    assert of_16[0].error == of_8[0].error


def test_a_large_file_is_refused_without_a_word_on_standard_error():
    """Pillow warns of it, each time in other words, which Python would keep for good."""
    script = """if True:
        from latentwalk.rpc.errors import InvalidRequest
        from latentwalk.server.engine import PictureSize
        from latentwalk.server.validation.pictures import read_picture
        from tests.server.test_invert import LARGE, SIDE

        try:
            read_picture("picture", LARGE, PictureSize(SIDE, SIDE, 3))
        except InvalidRequest as refused:
            print(refused)
    """
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    assert "10,000 x 10,000" in ended.stdout
    assert ended.stderr == ""


async def test_strict_searches_end_with_the_same_bits_in_company(server):
    [target, other] = await drawn(server, "faces", *seeds(5, 6))
    strict = pb.Delivery(determinism=pb.DETERMINISM_STRICT)
    alone = await inverted(server, target, seeds(1), delivery=strict)
    together = await asyncio.gather(
        inverted(server, target, seeds(1), delivery=strict),
        inverted(server, other, seeds(2), delivery=strict),
        inverted(server, other, seeds(3)),
    )
    assert together[0][-1].latent == alone[-1].latent


async def test_searches_go_on_beside_pictures_and_leave_nothing_behind(server):
    [target] = await drawn(server, "faces", *seeds(5))
    search = asyncio.create_task(inverted(server, target, seeds(1), steps=60))
    for seed in range(20):
        await drawn(server, "faces", *seeds(100 + seed))
    replies = await search
    assert replies[-1].step == 60
    await server.settles("latentwalk_open_streams", 0)
    assert await server.metric("latentwalk_frames_total", model="faces", kind="invert") == len(replies)


async def test_a_caller_who_leaves_ends_the_search(slow_library, serve):
    async with serve(slow_library) as server:
        [target] = await drawn(server, "slow", *seeds(5))
        call = server.generation.Invert(pb.InvertRequest(model="slow", picture=target, starts=seeds(1), steps=10_000))
        assert (await call.read()).step == 0
        call.cancel()
        await server.settles("latentwalk_open_streams", 0)


async def test_a_drain_ends_searches_with_the_best_so_far(slow_library, serve, described):
    async with serve(slow_library, grace_seconds=600.0) as server:
        [target] = await drawn(server, "slow", *seeds(5))
        request = pb.InvertRequest(model="slow", picture=target, starts=seeds(1), steps=10_000, report_every=10_000)
        call = server.generation.Invert(request)
        first = await call.read()
        before = await server.metric("latentwalk_batch_size_sum")
        while await server.metric("latentwalk_batch_size_sum") < before + 5:  # noqa: ASYNC110 - it is on the other side
            await asyncio.sleep(0.02)
        drain = asyncio.create_task(server.doorway.drain())
        best = await call.read()
        assert (first.step, best.step >= 5) == (0, True)
        assert best.error <= first.error
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
        told = described(caught.value)
        assert (told.status, told.reason) == ("UNAVAILABLE", "NOT_SERVING")
        assert f"after step {best.step:,} of 10,000" in told.message
        await asyncio.wait_for(drain, 120)


async def test_a_device_that_dies_costs_no_step(library, serve, device_process):
    async with serve(library) as server:
        [target] = await drawn(server, "faces", *seeds(5))
        strict = pb.Delivery(determinism=pb.DETERMINISM_STRICT)
        whole = await inverted(server, target, seeds(1), steps=200, delivery=strict)
        search = asyncio.create_task(inverted(server, target, seeds(1), steps=200, delivery=strict))
        await asyncio.sleep(0.1)
        device_process().kill()
        assert (await search)[-1].latent == whole[-1].latent


async def test_a_start_that_is_no_picture_is_told(empty_library, wild, serve, refusal):
    empty_library.put_generator("wild", wild)
    far = latent_pb2.Latent(
        z=tensor_pb2.Tensor(dtype=tensor_pb2.DATA_TYPE_FLOAT32, shape=[6], data=np.full(6, 1e30, "<f4").tobytes())
    )
    async with serve(empty_library) as server:
        request = pb.InvertRequest(
            model="wild", picture=raw(np.zeros((SIDE, SIDE, 3), np.uint8)), starts=[*seeds(1), far]
        )
        refused = await refusal(server.generation.Invert(request))
        assert (refused.status, refused.fields) == ("INVALID_ARGUMENT", ["starts[1]"])


BLACK = raw(np.zeros((SIDE, SIDE, 3), np.uint8))


def altered(image, **fields):
    other = image_pb2.Image()
    other.CopyFrom(image)
    for name, value in fields.items():
        setattr(other, name, value)
    return other


def chunk(name, data):
    """A part of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width, height, colours, parts=b""):
    """A black PNG of which the head says this, whatever there is."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colours, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(bytes(SIDE * (SIDE + 1))))
    return b"\x89PNG\r\n\x1a\n" + head + parts + pixels + chunk(b"IEND", b"")


PNG = image_pb2.IMAGE_FORMAT_PNG
FILE = encoded(np.zeros((SIDE, SIDE, 3), np.uint8), "PNG")
NO_PALETTE = altered(FILE, data=png(SIDE, SIDE, colours=3, parts=chunk(b"tRNS", b"\0")))
LARGE = altered(FILE, data=png(10_000, 10_000, colours=2))
BOMB = altered(encoded(np.zeros((2_000, 3_000, 3), np.uint8), "PNG"), width=SIDE, height=SIDE)
IN_W = latent_pb2.Latent(w=tensor_pb2.Tensor(dtype=tensor_pb2.DATA_TYPE_FLOAT32, shape=[1], data=bytes(4)))
NOISY = latent_pb2.Latent(seed=1, noise=latent_pb2.Noise(strength=0.5))


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"starts": []}, "starts", "must be from 1"),
        ({"steps": 10_001}, "steps", "1 to 10,000"),
        ({"report_every": 10_001}, "report_every", "1 to 10,000"),
        ({"prior": -1.0}, "prior", "from 0 to 100"),
        ({"prior": float("nan")}, "prior", "from 0 to 100"),
        ({"space": "w"}, "space", "none of z"),
        ({"picture": altered(BLACK, width=17)}, "picture.width", "17 must be 16"),
        ({"picture": altered(BLACK, channels=1)}, "picture.channels", "must be 3"),
        ({"picture": altered(BLACK, data=b"123")}, "picture.data", "3 bytes"),
        ({"picture": altered(BLACK, format=9)}, "picture.format", "no format"),
        ({"picture": altered(BLACK, format=PNG)}, "picture.data", "is no PNG"),
        ({"picture": altered(FILE, data=FILE.data[:50])}, "picture.data", "cannot be read as PNG"),
        ({"picture": NO_PALETTE}, "picture.data", "cannot be read as PNG"),
        ({"picture": BOMB}, "picture.data", "3,000 x 2,000"),
        ({"picture": altered(FILE, format=image_pb2.IMAGE_FORMAT_JPEG)}, "picture.data", "is no JPEG"),
        ({"starts": [NOISY]}, "starts[0].noise", "leave it out"),
        ({"starts": [IN_W]}, "starts[0].w", "it has z"),
        ({"starts": seeds(1, class_id=0)}, "starts[0].condition", "no classes"),
    ],
)
async def test_what_cannot_be_searched_is_refused_by_its_field(server, refusal, fields, field, words):
    request = pb.InvertRequest(**{"model": "faces", "picture": BLACK, "starts": seeds(1)} | fields)
    refused = await refusal(server.generation.Invert(request))
    assert (refused.status, refused.fields) == ("INVALID_ARGUMENT", [field])
    assert words in refused.message


async def test_an_overloaded_server_refuses_before_it_looks_at_the_picture(slow_library, serve, refusal):
    async with serve(slow_library, max_streams=1) as server:
        [target] = await drawn(server, "slow", *seeds(5))
        search = server.generation.Invert(pb.InvertRequest(model="slow", picture=target, starts=seeds(1), steps=10_000))
        await search.read()
        broken = pb.InvertRequest(model="slow", picture=altered(target, data=b"123"), starts=seeds(1))
        refused = await refusal(server.generation.Invert(broken))
        assert (refused.status, refused.reason) == ("RESOURCE_EXHAUSTED", "QUEUE_FULL")
        assert refused.retry_seconds > 0
        search.cancel()
        await server.settles("latentwalk_open_streams", 0)
        assert (await refusal(server.generation.Invert(broken))).fields == ["picture.data"]


async def test_a_search_in_z_takes_no_start_of_which_z_knows_nothing(empty_library, styled, serve, refusal):
    empty_library.put_generator("styled", styled)
    w = styled.map(z_from_seeds([1], 6), one_hot([0], 3))[0, 0]
    given = latent_pb2.Latent(
        w=tensor_pb2.Tensor(dtype=tensor_pb2.DATA_TYPE_FLOAT32, shape=[5], data=w.numpy().tobytes())
    )
    [cut] = seeds(1, class_id=0)
    cut.truncation.psi = 0.5
    [noisy] = seeds(1, class_id=0)
    noisy.noise.strength = 0.5
    told = [(given, "", "given in w"), (cut, "", "truncation"), (noisy, ".noise", "of the weights")]
    async with serve(empty_library) as server:
        for start, field, words in told:
            request = pb.InvertRequest(model="styled", picture=BLACK, starts=[start], space="z")
            refused = await refusal(server.generation.Invert(request))
            assert refused.fields == [f"starts[0]{field}"]
            assert words in refused.message


async def test_an_unknown_model_is_named(server, refusal):
    refused = await refusal(server.generation.Invert(pb.InvertRequest(model="nobody", picture=BLACK, starts=seeds(1))))
    assert (refused.status, refused.reason) == ("NOT_FOUND", "UNKNOWN_MODEL")
    assert "nobody" in refused.message


async def test_a_deadline_ends_a_search_and_what_came_is_good(slow_library, serve):
    async with serve(slow_library) as server:
        [target] = await drawn(server, "slow", *seeds(5))
        request = pb.InvertRequest(model="slow", picture=target, starts=seeds(1), steps=10_000, report_every=1)
        call, replies = server.generation.Invert(request, timeout=5), []

        async def read():
            async for reply in call:
                replies.append(reply)

        with pytest.raises(grpc.aio.AioRpcError):
            await read()
        assert await call.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert replies
        assert all(reply.error < 1 for reply in replies)
