"""What one client may ask for is bounded, so that the others are served too."""

import asyncio
import time

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status

from latentwalk.rpc.errors import RateLimited
from latentwalk.rpc.interceptors.limits import LimitLayer
from latentwalk.rpc.tokens import sha256_of


class Clock:
    """Seconds that pass when a test says so."""

    now = 0.0

    def __call__(self):
        return self.now


def begin(limits, name="a", calls=1):
    """Begins calls, and ends them at once; how many of them were let in."""
    let_in = 0
    for _ in range(calls):
        try:
            limits.enter(name)
        except RateLimited:
            continue
        limits.leave(name)
        let_in += 1
    return let_in


def test_a_client_may_begin_so_many_calls_per_second_and_a_burst_after_a_pause():
    limits = LimitLayer(2.0, 4, 0, clock := Clock())
    assert begin(limits, calls=10) == 4
    clock.now = 1.0
    assert begin(limits, calls=10) == 2
    clock.now = 100.0
    assert begin(limits, calls=10) == 4


def test_a_refusal_says_when_the_next_call_may_begin():
    limits = LimitLayer(0.5, 1, 0, clock := Clock())
    limits.enter("a")
    clock.now = 0.5
    with pytest.raises(RateLimited, match=r"a makes more than 0\.5 calls per second") as caught:
        limits.enter("a")
    assert caught.value.retry_after_seconds == pytest.approx(1.5)
    clock.now += 1.5
    limits.enter("a")


def test_without_a_burst_a_client_may_begin_a_seconds_worth_at_once_but_always_one():
    assert begin(LimitLayer(3.0, 0, 0, Clock()), calls=10) == 3
    assert begin(LimitLayer(0.1, 0, 0, Clock()), calls=10) == 1


def test_a_client_may_have_so_many_calls_under_way():
    limits = LimitLayer(0, 0, 2)
    limits.enter("a")
    limits.enter("a")
    with pytest.raises(RateLimited, match="a has 2 calls under way"):
        limits.enter("a")
    limits.leave("a")
    limits.enter("a")


def test_clients_do_not_pay_for_one_another():
    limits = LimitLayer(1.0, 1, 1, Clock())
    for name in "abc":
        limits.enter(name)
        with pytest.raises(RateLimited):
            limits.enter(name)


def test_however_many_clients_come_few_are_remembered_and_none_with_a_call_under_way_is_forgotten():
    limits = LimitLayer(1.0, 1, 1, Clock())
    limits.enter("busy")
    for number in range(25_000):
        begin(limits, str(number))
    assert limits.clients <= 10_001
    with pytest.raises(RateLimited):
        limits.enter("busy")
    limits.leave("busy")


def test_of_clients_without_a_call_under_way_those_are_forgotten_who_have_not_come_for_longest(monkeypatch):
    monkeypatch.setattr("latentwalk.rpc.interceptors.limits._MOST_REMEMBERED", 2)
    limits = LimitLayer(0.001, 1, 0, Clock())
    for name in ("first", "second"):
        assert begin(limits, name) == 1
    limits.enter("third")
    assert limits.clients == 3
    limits.leave("third")
    assert limits.clients == 2
    assert [begin(limits, name) for name in ("third", "second", "first")] == [0, 0, 1]


# -- at the door -----------------------------------------------------------------------------------------------------


def details_of(error):
    info, retry = ErrorInfo(), RetryInfo()
    details = rpc_status.from_call(error).details
    assert details[0].Unpack(info)
    assert details[1].Unpack(retry)
    return info.reason, retry.retry_delay.ToMilliseconds()


async def test_a_caller_that_asks_too_often_is_refused_at_once_with_a_delay(running):
    async with running(calls_per_second=0.001, calls_burst=2) as run:
        for _ in range(2):
            assert (await run.unary()).value == "hello"
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await run.unary()
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        reason, milliseconds = details_of(caught.value)
        assert reason == "RATE_LIMITED"
        assert milliseconds > 100_000
        health = health_pb2_grpc.HealthStub(run.channel)
        for _ in range(5):
            await health.Check(health_pb2.HealthCheckRequest())


async def test_a_call_is_under_way_until_it_has_ended_however_it_does(running):
    async with running(calls_in_flight=1) as run:

        async def forever(request, context):
            await asyncio.Event().wait()

        for end in range(3):
            run.echo.behaviour, run.echo.reached, run.echo.left = forever, asyncio.Event(), asyncio.Event()
            call = run.server_stream(timeout=5.0 if end == 2 else None)
            await run.echo.reached.wait()
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await run.unary()
            assert details_of(caught.value)[0] == "RATE_LIMITED"
            if end < 2:
                call.cancel()
            await asyncio.wait_for(run.echo.left.wait(), 30)
            run.echo.behaviour = None
            async with asyncio.timeout(120):
                while True:
                    try:
                        assert (await run.unary()).value == "hello"
                        break
                    except grpc.aio.AioRpcError:
                        await asyncio.sleep(0.01)


async def test_clients_are_told_apart_by_the_names_of_their_tokens(running, tmp_path):
    path = tmp_path / "tokens"
    path.write_text(f"{sha256_of('a')} viewer a\n{sha256_of('a2')} viewer a\n{sha256_of('b')} viewer b\n")
    async with running(tokens=str(path), calls_per_second=0.001, calls_burst=1) as run:

        async def code(token):
            try:
                await run.unary(metadata=(("authorization", f"Bearer {token}"),))
            except grpc.aio.AioRpcError as error:
                return error.code().name
            return "OK"

        assert [await code(token) for token in ("a", "a2", "b", "b")] == [
            "OK", "RESOURCE_EXHAUSTED", "OK", "RESOURCE_EXHAUSTED",
        ]  # fmt: skip


async def test_calls_beyond_the_most_of_all_clients_are_refused_with_a_delay_but_for_health_checks(running):
    async with running(max_calls=2) as run:
        inside = asyncio.Semaphore(0)

        async def forever(request, context):
            inside.release()
            await asyncio.Event().wait()

        run.echo.behaviour = forever
        calls = [run.unary() for _ in range(2)]
        for _ in calls:
            await inside.acquire()
        with pytest.raises(
            grpc.aio.AioRpcError, match=r"2 calls are under way, which is the most \(max_calls\)"
        ) as caught:
            await run.unary()
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert details_of(caught.value) == ("QUEUE_FULL", 500)
        health = await health_pb2_grpc.HealthStub(run.channel).Check(health_pb2.HealthCheckRequest())
        assert health.status == health_pb2.HealthCheckResponse.SERVING
        run.echo.behaviour = None
        calls.pop().cancel()
        await run.echo.left.wait()
        assert (await run.unary()).value == "hello"
        calls.pop().cancel()


async def test_a_burst_is_served_or_refused_with_a_delay_even_when_few_calls_at_once_are_taken(running):
    async with running(max_calls=2) as run:

        async def slow(request, context):
            await asyncio.sleep(0.2)
            return request

        run.echo.behaviour = slow
        burst = [run.unary() for _ in range(500)]
        ended = await asyncio.gather(*burst, return_exceptions=True)
        refused = [error for error in ended if isinstance(error, grpc.aio.AioRpcError)]
        assert len(ended) > len(refused) > 0
        assert {error.code() for error in refused} == {grpc.StatusCode.RESOURCE_EXHAUSTED}
        assert {details_of(error) for error in refused} == {("QUEUE_FULL", 500)}


@pytest.mark.long
async def test_a_call_that_waits_long_to_be_looked_at_is_not_cancelled_for_it(running):
    """gRPC itself would, after half a minute, without a word: as of a burst on a machine that has much to do."""
    async with running() as run:

        async def block(request, context):
            if request.value == "first":
                time.sleep(35)  # noqa: ASYNC251 - nothing else of the service goes on meanwhile
            return request

        run.echo.behaviour = block

        def burst():
            with grpc.insecure_channel(f"127.0.0.1:{run.doorway.port}") as channel:
                unary = channel.unary_unary("/test.Echo/Unary", StringValue.SerializeToString, StringValue.FromString)
                calls = [unary.future(StringValue(value=text)) for text in ("first", *["other"] * 200)]
                return [call.code() for call in calls]

        assert set(await asyncio.to_thread(burst)) == {grpc.StatusCode.OK}


async def test_however_many_calls_come_grpc_itself_bounds_them(running):
    """Also those that have yet to say what they ask for, which is before we could refuse them."""
    async with running(max_calls=2, max_connections=10) as run:
        silent = [run.channel.stream_unary("/test.Echo/Unary")() for _ in range(2 + 64 + 10)]

        async def ask_on():
            while True:
                assert (await run.unary()).value == "hello"

        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await asyncio.wait_for(ask_on(), 60)
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "max_calls" not in caught.value.details()
        for call in silent:
            call.cancel()


async def test_connections_that_never_say_what_they_are_do_not_lock_others_out_for_long(running):
    async with running(max_connections=2, handshake_seconds=0.5) as run:
        silent = [await asyncio.open_connection("127.0.0.1", run.doorway.port) for _ in range(2)]
        assert (await run.unary(wait_for_ready=True, timeout=60)).value == "hello"
        for reader, writer in silent:
            assert await reader.read() is not None  # to its end: it was closed
            writer.close()


async def test_connections_beyond_the_most_are_refused(running):
    async with running(max_connections=2) as run:
        options = [("grpc.use_local_subchannel_pool", 1)]
        channels = [grpc.aio.insecure_channel(f"127.0.0.1:{run.doorway.port}", options) for _ in range(3)]
        codes = []
        for run.channel in channels:
            try:
                await run.unary(timeout=60)
                codes.append("OK")
            except grpc.aio.AioRpcError as error:
                codes.append(error.code().name)
        for channel in channels:
            await channel.close()
        assert codes == ["OK", "OK", "UNAVAILABLE"]
