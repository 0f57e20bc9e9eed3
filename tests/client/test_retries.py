"""What is sent twice, and what is never: against a peer that fails on purpose."""

import re

import grpc
import pytest
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from latentwalk.client import (
    AsyncClient,
    Client,
    InternalError,
    LatentwalkError,
    Overloaded,
    ServiceError,
    Unavailable,
)
from latentwalk.v1.training_service_pb2 import CreateJobRequest

ONCE = {
    "LoadModel": lambda client: client.load_model("m"),
    "UnloadModel": lambda client: client.unload_model("m"),
    "LoadDirection": lambda client: client.load_direction("m", "d"),
    "UnloadDirection": lambda client: client.unload_direction("m", "d"),
    "CancelJob": lambda client: client.job("j").cancel(),
    "ResumeJob": lambda client: client.job("j").resume(),
    "DeleteJob": lambda client: client.job("j").delete(),
}
AGAIN = {
    "Generate": lambda client: client.generate("m", seeds=1),
    "Walk": lambda client: client.walk("m", "d", seeds=1).collect(),
    "Interpolate": lambda client: client.interpolate("m", seeds=[1, 2]).collect(),
    "ListModels": lambda client: client.models(),
    "GetModel": lambda client: client.model("m"),
    "ListDirections": lambda client: client.directions(),
    "GetDirection": lambda client: client.direction("m", "d"),
    "CreateJob": lambda client: client.train_edit("m", "d", edits="zoom"),
    "GetJob": lambda client: client.job("j").describe(),
    "ListJobs": lambda client: client.jobs(),
    "WatchJob": lambda client: list(client.job("j").watch()),
}


def failure(code: grpc.StatusCode, *details) -> grpc.Status:
    status = Status(code=code.value[0], message="scripted")
    for detail in details:
        packed = Any()
        packed.Pack(detail)
        status.details.append(packed)
    return rpc_status.to_status(status)


GONE = failure(grpc.StatusCode.UNAVAILABLE)


def full(seconds: float) -> grpc.Status:
    delay = Duration()
    delay.FromNanoseconds(int(seconds * 1e9))
    info = ErrorInfo(reason="QUEUE_FULL", domain="latentwalk")
    return failure(grpc.StatusCode.RESOURCE_EXHAUSTED, info, RetryInfo(retry_delay=delay))


def connect(peer, **options) -> Client:
    return Client(peer.address, trainer_address=peer.address, **options)


@pytest.mark.parametrize("method", AGAIN)
def test_what_may_be_repeated_is_sent_again_while_nobody_answers(peer, method: str):
    peer.failures = [GONE, GONE]
    with connect(peer, retries=2) as client:
        AGAIN[method](client)
    assert [asked.method for asked in peer.asked] == [method] * 3


@pytest.mark.parametrize("method", ONCE)
def test_what_must_not_be_repeated_is_sent_once(peer, method: str):
    peer.failures = [GONE, GONE]
    with connect(peer, retries=4) as client, pytest.raises(Unavailable):
        ONCE[method](client)
    assert [asked.method for asked in peer.asked] == [method]


def test_the_caller_decides_how_often(peer):
    peer.failures = [GONE] * 10
    with connect(peer, retries=0) as client, pytest.raises(Unavailable):
        client.models()
    assert len(peer.asked) == 1
    with connect(peer, retries=3) as client, pytest.raises(Unavailable):
        client.models()
    assert len(peer.asked) == 1 + 4


def test_a_fault_of_the_service_is_not_sent_again(peer):
    peer.failures = [failure(grpc.StatusCode.INTERNAL)]
    with connect(peer) as client, pytest.raises(InternalError):
        client.models()
    assert len(peer.asked) == 1


def test_a_repeated_create_job_has_the_same_request_id_and_two_jobs_have_two(peer):
    peer.failures = [GONE]
    with connect(peer) as client:
        client.train_edit("m", "d", edits="zoom")
        client.train_edit("m", "d", edits="zoom")
        client.train_edit("m", "d", edits="zoom", request_id="mine")
    first, again, second, third = (CreateJobRequest.FromString(asked.request).request_id for asked in peer.asked)
    assert first == again != second
    assert third == "mine"


def test_overload_is_raised_at_once_unless_the_caller_wants_to_wait(peer):
    peer.failures = [full(0.25)]
    with connect(peer) as client, pytest.raises(Overloaded) as caught:
        client.generate("m", seeds=1)
    assert caught.value.retry_after == 0.25
    assert len(peer.asked) == 1


@pytest.mark.parametrize(
    "call", [lambda client: client.generate("m", seeds=1), lambda client: list(client.job("j").watch())]
)
def test_a_patient_caller_is_served_after_the_pause_that_the_service_asked_for(peer, call):
    peer.failures = [full(0.01), full(0.01)]
    with connect(peer, overload_retries=2) as client:
        call(client)
    assert len(peer.asked) == 3


def test_a_stream_that_was_refused_at_the_door_is_asked_for_again_and_one_that_had_begun_is_not(peer):
    """As by a server that has begun to drain, and which others stand in for."""
    leaving = failure(grpc.StatusCode.UNAVAILABLE, ErrorInfo(reason="NOT_SERVING", domain="latentwalk"))
    peer.failures = [leaving, leaving]
    with connect(peer, retries=2) as client:
        assert len(list(client.job("j").watch())) == 1
        assert len(peer.asked) == 3
        peer.failures = [leaving] * 10
        with pytest.raises(Unavailable):
            list(client.walk("m", "d", seeds=1))
        assert len(peer.asked) == 3 + 3


def test_patience_ends(peer):
    peer.failures = [full(0.01)] * 10
    with connect(peer, overload_retries=2) as client, pytest.raises(Overloaded):
        client.generate("m", seeds=1)
    assert len(peer.asked) == 3


def test_nobody_waits_beyond_the_deadline(peer):
    peer.failures = [full(1000)]
    with connect(peer, overload_retries=5, timeout=5) as client, pytest.raises(Overloaded):
        client.generate("m", seeds=1)
    assert len(peer.asked) == 1


async def test_the_asyncio_client_repeats_and_waits_in_the_same_way(peer):
    peer.failures = [GONE, full(0.01)]
    async with AsyncClient(peer.address, overload_retries=1) as client:
        await client.generate("m", seeds=1)
        assert len(peer.asked) == 3
        peer.failures = [GONE, full(0.01)]
        with pytest.raises(Unavailable):
            await client.load_model("m")
        await client.walk("m", "d", seeds=1).header()


def test_the_deadline_travels_to_the_service(peer):
    with connect(peer, timeout=500) as client:
        client.models()
        client.models(timeout=100)
        client.models(timeout=None)
        client.walk("m", "d", seeds=1).header()
        client.walk("m", "d", seeds=1, timeout=50).header()
    own, said, none, stream, limited = (asked.seconds_left for asked in peer.asked)
    assert own == pytest.approx(500, rel=0.1)
    assert said == pytest.approx(100, rel=0.1)
    assert limited == pytest.approx(50, rel=0.1)
    # Without a deadline grpc says None, or a time that never comes.
    assert none is None or none > 1e6
    assert stream is None or stream > 1e6


def test_every_call_has_an_id_and_the_token(peer):
    with connect(peer, token="secret") as client:
        client.models()
        client.models()
    first, second = (asked.metadata for asked in peer.asked)
    assert first["authorization"] == "Bearer secret"
    assert re.fullmatch("[0-9a-f]{32}", first["x-request-id"])
    assert first["x-request-id"] != second["x-request-id"]


def test_the_error_names_the_id_that_the_service_was_told(peer):
    peer.failures = [failure(grpc.StatusCode.INTERNAL)]
    with connect(peer) as client, pytest.raises(InternalError) as caught:
        client.models()
    assert caught.value.request_id == peer.asked[0].metadata["x-request-id"]


@pytest.mark.parametrize("code", [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK])
def test_no_error_of_grpc_comes_through(peer, code: grpc.StatusCode):
    peer.failures = [failure(code), failure(code)]
    with connect(peer, retries=0) as client:
        for call in (client.models, client.walk("m", "d", seeds=1).header):
            with pytest.raises(ServiceError) as caught:
                call()
            assert not isinstance(caught.value, grpc.RpcError)
            assert isinstance(caught.value, LatentwalkError)
            assert caught.value.status == code.name


def test_reasons_of_other_domains_are_not_ours(peer):
    info = ErrorInfo(reason="QUEUE_FULL", domain="somebody.else", metadata={"file": "x"})
    peer.failures = [failure(grpc.StatusCode.FAILED_PRECONDITION, info)]
    with connect(peer) as client, pytest.raises(ServiceError) as caught:
        client.models()
    assert not isinstance(caught.value, Overloaded)
    assert (caught.value.reason, caught.value.metadata) == ("", {})
