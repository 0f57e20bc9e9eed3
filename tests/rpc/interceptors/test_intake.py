"""What is read of a request, and when; and what is left of one that was refused: nothing."""

import gc
import weakref

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue

from latentwalk.rpc.errors import InvalidRequest
from latentwalk.rpc.tokens import sha256_of

GARBAGE = b"\x0a\xff\xff\xff\xff"


async def failure(call):
    """The error with which a call ends."""

    async def end():
        return [reply async for reply in call] if hasattr(call, "__aiter__") else await call

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await end()
    return caught.value


def send_garbage(run, kind):
    """A call of that kind, whose one request is bytes that are no message."""
    name, request = {"unary_unary": ("Unary", GARBAGE), "stream_stream": ("BidiStream", iter([GARBAGE]))}[kind]
    return getattr(run.channel, kind)(f"/test.Echo/{name}", bytes, StringValue.FromString)(request)


# -- size ------------------------------------------------------------------------------------------------------------


async def test_an_oversized_request_is_refused_with_its_size_and_the_limit(running):
    async with running(max_request_mib=1) as run:
        error = await failure(run.unary("x" * 1_500_000))
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert "request: has 1,500,004 bytes" in error.details()
        assert "1,048,576" in error.details()
        assert (await run.unary("x" * 1_000_000)).value == "x" * 1_000_000


async def test_a_request_far_beyond_the_limit_is_refused_before_it_has_come(running):
    async with running(max_request_mib=1) as run:
        assert (await failure(run.unary("x" * 2_500_000))).code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert (await run.unary()).value == "hello"


async def test_a_reply_may_be_larger_than_a_request(running):
    async def enlarge(request, context):
        return StringValue(value="x" * 2_500_000)

    async with running(max_request_mib=1, max_reply_mib=4) as run:
        run.echo.behaviour = enlarge
        assert len((await run.unary()).value) == 2_500_000


async def test_an_oversized_message_within_a_stream_is_refused(running):
    async with running(max_request_mib=1) as run:
        error = await failure(run.bidi_stream(["a", "x" * 1_500_000]))
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_compressed_request_is_unfolded_no_further_than_a_request_may_be(running):
    async with running(max_request_mib=1) as run:
        assert (await run.unary("x" * 1_000_000, compression=grpc.Compression.Gzip)).value == "x" * 1_000_000
        error = await failure(run.unary("x" * 50_000_000, compression=grpc.Compression.Gzip))
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        # In these words it is said by the versions of gRPC that stop there; others measure what they have unfolded.
        assert "Decompressed message larger than max" in error.details()


async def test_metadata_without_end_is_refused(running):
    async with running() as run:
        error = await failure(run.unary(metadata=(("x-much", "x" * 20_000),)))
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert (await run.unary()).value == "hello"


# -- reading ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["unary_unary", "stream_stream"])
async def test_bytes_that_are_no_message_are_refused(running, log, kind):
    async with running() as run:
        error = await failure(send_garbage(run, kind))
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert error.details().startswith("request: cannot be read")
        assert not [record for record in log.records if record.levelname == "ERROR"]


@pytest.mark.parametrize("kind", ["unary_unary", "stream_stream"])
async def test_nothing_is_read_of_whom_nobody_knows(running, tmp_path, kind):
    tokens = tmp_path / "tokens"
    tokens.write_text(f"{sha256_of('open sesame')}\n")
    async with running(tokens=str(tokens)) as run:
        assert (await failure(send_garbage(run, kind))).code() is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize("kind", ["unary_unary", "stream_stream"])
async def test_nothing_is_read_before_the_service_is_ready(running, kind):
    async with running(is_ready=False) as run:
        assert (await failure(send_garbage(run, kind))).code() is grpc.StatusCode.UNAVAILABLE


# -- what is left ----------------------------------------------------------------------------------------------------


class Held:
    """What a handler holds, such as a request of many MiB."""


@pytest.fixture
def no_collector():
    """Within a test, garbage in circles stays."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("method", ["Unary", "ServerStream", "Written"])
@pytest.mark.usefixtures("no_collector")
async def test_what_a_refused_call_held_is_free_when_it_has_ended(running, method):
    held = []

    async def refuse(request, context):
        own = Held()
        held.append(weakref.ref(own))
        raise InvalidRequest("field", "is wrong")

    async with running() as run:
        run.echo.behaviour = refuse
        await failure(run.unary() if method == "Unary" else run.server_stream(method=method))
        await run.doorway.drain()
        assert [one() for one in held] == [None]
