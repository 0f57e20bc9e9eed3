"""What happens around a call, of whichever kind, and however it ends."""

import asyncio
import json

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status import rpc_status

from latentwalk.rpc import logs
from latentwalk.rpc.errors import InvalidRequest, QueueFull
from latentwalk.rpc.logs import JsonLines


async def failure(call):
    """The error with which a call ends."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await drained(call)
    return caught.value


async def drained(call):
    """All replies of a call."""
    if hasattr(call, "__aiter__"):
        return [reply.value async for reply in call]
    return [(await call).value]


def reason(error):
    """The reason that the details of an error give."""
    info = ErrorInfo()
    assert rpc_status.from_call(error).details[0].Unpack(info)
    return info.reason


async def eventually(condition):
    """Waits for what happens on the server after its reply is on its way."""
    async with asyncio.timeout(120):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)


# -- all four kinds --------------------------------------------------------------------------------------------------

KINDS = {
    "unary": lambda run, **options: run.unary("ab", **options),
    "server_stream": lambda run, **options: run.server_stream("ab", **options),
    "written": lambda run, **options: run.server_stream("ab", method="Written", **options),
    "client_stream": lambda run, **options: run.client_stream(["a", "b"], **options),
    "bidi_stream": lambda run, **options: run.bidi_stream(["a", "b"], **options),
}
REPLIES = {
    "unary": ["ab"],
    "server_stream": ["ab"] * 3,
    "written": ["ab"] * 3,
    "client_stream": ["ab"],
    "bidi_stream": ["a", "b"],
}


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_of_call_passes_all_interceptors(running, kind):
    async with running() as run:
        assert await drained(KINDS[kind](run)) == REPLIES[kind]


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_of_call_returns_the_request_id_of_the_caller(running, kind):
    async with running() as run:
        call = KINDS[kind](run, metadata=(("x-request-id", "my.id-1"),))
        await drained(call)
        assert dict(await call.trailing_metadata())["x-request-id"] == "my.id-1"


@pytest.mark.parametrize(
    ("kind", "method", "label", "received", "sent"),
    [
        ("unary", "Unary", "unary", 1, 1),
        ("server_stream", "ServerStream", "server_stream", 1, 3),
        ("written", "Written", "server_stream", 1, 3),
        ("client_stream", "ClientStream", "client_stream", 2, 1),
        ("bidi_stream", "BidiStream", "bidi_stream", 2, 2),
    ],
)
async def test_every_kind_of_call_is_counted_under_the_standard_names(running, kind, method, label, received, sent):
    async with running() as run:
        await drained(KINDS[kind](run))
        await eventually(lambda: run.sample("grpc_server_handled_total", method, label, grpc_code="OK") == 1)
        assert run.sample("grpc_server_started_total", method, label) == 1
        assert run.sample("grpc_server_msg_received_total", method, label) == received
        assert run.sample("grpc_server_msg_sent_total", method, label) == sent
        assert run.sample("grpc_server_handling_seconds_count", method, label) == 1


async def test_an_unknown_method_is_unimplemented_and_makes_no_metric(running):
    async with running() as run:
        assert (await failure(run.unknown())).code() is grpc.StatusCode.UNIMPLEMENTED
        names = {sample.labels.get("grpc_method") for metric in run.registry.collect() for sample in metric.samples}
        assert names <= {None}


# -- errors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["unary", "server_stream", "written"])
async def test_a_service_error_reaches_the_caller_with_its_details(running, kind):
    async with running() as run:

        async def refuse(request, context):
            raise InvalidRequest("a.b", "is wrong")

        run.echo.behaviour = refuse
        error = await failure(KINDS[kind](run))
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert error.details() == "a.b: is wrong"
        assert reason(error) == "INVALID_REQUEST"


@pytest.mark.parametrize("name", ["n", "é", "名", "😀", "%"])
async def test_an_error_about_a_long_name_in_any_alphabet_reaches_the_caller_as_what_it_is(running, name):
    async with running() as run:

        async def refuse(request, context):
            raise InvalidRequest("name", f"{name * 10_000!r} is none of a, b")

        run.echo.behaviour = refuse
        error = await failure(run.unary())
        assert (error.code(), reason(error)) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")
        assert error.details().startswith(f"name: '{name}{name}")


async def test_an_exception_of_another_layer_is_translated(running):
    def translate(error):
        return QueueFull(str(error), 1.0) if isinstance(error, BufferError) else None

    async with running(translate=translate) as run:

        async def overflow(request, context):
            raise BufferError("full up")

        run.echo.behaviour = overflow
        error = await failure(run.unary())
        assert (error.code(), error.details()) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "full up")


async def test_an_unforeseen_exception_tells_the_caller_only_where_to_look(running, log):
    async with running() as run:

        async def fault(request, context):
            raise RuntimeError("secret of the house")

        run.echo.behaviour = fault
        error = await failure(run.unary(metadata=(("x-request-id", "abc"),)))
        assert error.code() is grpc.StatusCode.INTERNAL
        assert error.details() == "internal error, request abc"
        assert reason(error) == "INTERNAL"
        logged = next(record for record in log.records if record.name == "latentwalk.errors")
        assert "secret of the house" in JsonLines().format(logged)


async def test_a_handler_may_abort_by_itself(running):
    async with running() as run:

        async def abort(request, context):
            await context.abort(grpc.StatusCode.DATA_LOSS, "gone")

        run.echo.behaviour = abort
        error = await failure(run.unary())
        assert (error.code(), error.details()) == (grpc.StatusCode.DATA_LOSS, "gone")
        await eventually(lambda: run.sample("grpc_server_handled_total", grpc_code="DATA_LOSS") == 1)


# -- callers that go away --------------------------------------------------------------------------------------------


async def forever(request, context):
    await asyncio.Event().wait()


async def flood(request, context):
    """Writes until the transport blocks, and then on."""
    while True:
        await context.write(StringValue(value="x" * 100_000))


LOST = {
    "in an await": ("unary", "Unary", "unary", forever),
    "in an await of a generator": ("server_stream", "ServerStream", "server_stream", forever),
    "in a write": ("written", "Written", "server_stream", flood),
}


@pytest.mark.parametrize("place", LOST)
async def test_a_cancelled_call_leaves_its_handler_and_is_counted_as_cancelled(running, log, place):
    kind, method, label, behaviour = LOST[place]
    async with running() as run:
        run.echo.behaviour = behaviour
        call = KINDS[kind](run)
        await run.echo.reached.wait()
        await asyncio.sleep(0.2)
        call.cancel()
        await asyncio.wait_for(run.echo.left.wait(), 30)
        await eventually(lambda: run.sample("grpc_server_handled_total", method, label, grpc_code="CANCELLED") == 1)
        assert not [record for record in log.records if record.name == "latentwalk.errors"]


@pytest.mark.parametrize("place", LOST)
async def test_a_call_past_its_deadline_leaves_its_handler_and_is_counted_so(running, log, place):
    kind, method, label, behaviour = LOST[place]
    async with running() as run:
        run.echo.behaviour = behaviour
        await run.channel.channel_ready()  # or the deadline might pass before the call is there
        call = KINDS[kind](run, timeout=2.0)
        await asyncio.wait_for(run.echo.left.wait(), 60)
        await eventually(
            lambda: run.sample("grpc_server_handled_total", method, label, grpc_code="DEADLINE_EXCEEDED") == 1
        )
        assert (await failure(call)).code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert not [record for record in log.records if record.name == "latentwalk.errors"]


# -- request ids and the access log ----------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", ["", "x" * 65, "semi;colon", "spa ce"])
async def test_a_request_id_that_could_harm_a_log_is_replaced(running, bad):
    async with running() as run:
        call = run.unary(metadata=(("x-request-id", bad),))
        await call
        assert len(dict(await call.trailing_metadata())["x-request-id"]) == 32


async def test_each_call_is_one_line_in_the_access_log_without_the_values_of_metadata(running, log):
    async with running() as run:
        await run.unary(metadata=(("x-request-id", "abc"), ("authorization", "Bearer hush")))
        await eventually(lambda: [record for record in log.records if record.name == "latentwalk.access"])
    (record,) = [record for record in log.records if record.name == "latentwalk.access"]
    logs.request_id.set("abc")
    line = json.loads(JsonLines().format(record))
    assert line["method"] == "test.Echo/Unary"
    assert line["code"] == "OK"
    assert line["request_id"] == "abc"
    assert line["seconds"] >= 0
    assert line["peer"].startswith("ipv4:127.0.0.1:")
    assert "hush" not in json.dumps(line)


async def test_of_calls_refused_because_of_load_there_is_a_line_now_and_then(running, log, monkeypatch):
    def lines():
        return [record.fields for record in log.records if record.name == "latentwalk.access"]

    async def full(request, context):
        raise QueueFull("no room", 0.5)

    between = "latentwalk.rpc.interceptors.access._SECONDS_BETWEEN_REFUSALS"
    monkeypatch.setattr(between, 600.0)  # however slow the machine is
    async with running() as run:
        run.echo.behaviour = full
        for _ in range(20):
            assert (await failure(run.unary())).code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert (await failure(run.server_stream())).code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        monkeypatch.setattr(between, 0.0)
        await failure(run.unary())
        run.echo.behaviour = None
        await run.unary()
        await eventually(lambda: len(lines()) == 4)
    told = [(line["method"], line["code"], line.get("error"), line.get("left_out")) for line in lines()]
    assert told == [
        ("test.Echo/Unary", "RESOURCE_EXHAUSTED", "no room", 0),
        ("test.Echo/ServerStream", "RESOURCE_EXHAUSTED", "no room", 0),
        ("test.Echo/Unary", "RESOURCE_EXHAUSTED", "no room", 19),
        ("test.Echo/Unary", "OK", None, None),
    ]


async def test_calls_that_run_at_once_keep_their_own_request_ids(running):
    async with running() as run:

        async def tell(request, context):
            await asyncio.sleep(0.01)
            return StringValue(value=logs.request_id.get())

        run.echo.behaviour = tell
        calls = [run.unary(metadata=(("x-request-id", f"id-{index}"),)) for index in range(20)]
        assert [(await call).value for call in calls] == [f"id-{index}" for index in range(20)]
