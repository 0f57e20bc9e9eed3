"""What goes wrong, as the caller sees it: one exception each, with what it takes to mend the call."""

import asyncio
import pickle
import shutil
import socket

import numpy as np
import pytest

from latentwalk.client import (
    AsyncClient,
    Client,
    ClientClosed,
    CorruptArtifact,
    DeadlineExceeded,
    Displacement,
    GeneratorMismatch,
    InvalidRequest,
    LatentwalkError,
    LimitExceeded,
    NotFound,
    NoTrainer,
    Overloaded,
    Pictures,
    ServiceError,
    Stretch,
    Unavailable,
)
from latentwalk.client._failures import to_the_point
from latentwalk.gan.artifacts import ArtifactStore, load_generator, save_generator


def test_an_unknown_model_is_told_with_those_that_exist(client: Client):
    with pytest.raises(NotFound, match="no model 'nope'; there are: digits, tiny") as caught:
        client.generate("nope", seeds=1)
    assert (caught.value.status, caught.value.reason) == ("NOT_FOUND", "UNKNOWN_MODEL")
    assert isinstance(caught.value, LookupError)
    assert len(caught.value.request_id) == 32


@pytest.mark.parametrize(
    "call",
    [
        lambda c: c.generate("nope", seeds=1),
        lambda c: c.generate("tiny", z=np.zeros(5)),
        lambda c: c.walk("tiny", "zoom", seeds=range(16), frames=10_000, timeout=0.1).collect(),
        lambda _: Client("127.0.0.1:1", retries=0).models(),
    ],
)
def test_an_error_comes_whole_out_of_another_process(client: Client, call):
    with pytest.raises(ServiceError) as caught:
        call(client)
    arrived = pickle.loads(pickle.dumps(caught.value))
    assert type(arrived) is type(caught.value)
    assert (str(arrived), arrived.failure) == (str(caught.value), caught.value.failure)


def test_an_unknown_direction_is_told_when_the_walk_is_read(client: Client):
    with pytest.raises(NotFound, match=r"no direction 'nope'.*bank.*zoom"):
        client.walk("tiny", "nope", seeds=1).collect()


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda c: c.generate("tiny", z=np.zeros(5)), "latents[0].z"),
        (lambda c: c.generate("tiny", z=[1, 2, 3, 4, 5, float("nan")]), "latents[0].z"),
        (lambda c: c.generate("tiny", seeds=range(65)), "latents"),
        (lambda c: c.generate("tiny", seeds=[]), "latents"),
        (lambda c: c.generate("digits", seeds=1), "latents[0].condition"),
        (lambda c: c.generate("digits", seeds=1, classes=9), "latents[0].condition"),
        (lambda c: c.generate("tiny", seeds=1, encoding="jpeg", quality=101), "encoding.quality"),
        (lambda c: c.generate("tiny", seeds=1, displacements=Displacement("zoom", amount=99)), "displacements[0]"),
        (lambda c: c.walk("tiny", "zoom", alpha=(0, 3), seeds=1).header(), "legs[0].stretches[0].to"),
        (lambda c: c.walk("tiny", "zoom", seeds=1, frames=0).header(), "legs[0].frames"),
        (lambda c: c.walk("tiny", "zoom", seeds=1, frames=10_001).header(), "legs[0].frames"),
        (lambda c: c.walk("tiny", "bank", seeds=1).header(), "legs[0].stretches[0].slider"),
        (lambda c: c.walk_legs("tiny", [], seeds=1).header(), "legs"),
        (lambda c: c.interpolate("tiny", seeds=1).header(), "keyframes"),
        (lambda c: c.interpolate("tiny", seeds=[1, 2], frames_per_leg=0).header(), "frames_per_leg"),
    ],
)
def test_what_the_server_refuses_names_the_field(client: Client, call, field: str):
    with pytest.raises(InvalidRequest) as caught:
        call(client)
    violation = caught.value.violations[0]
    assert violation.field.startswith(field)
    assert violation.problem in str(caught.value)
    assert caught.value.status == "INVALID_ARGUMENT"


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda c: c.generate("tiny"), "latents: give one of seeds, z and w"),
        (lambda c: c.generate("tiny", seeds=1, z=np.zeros(6)), "latents: give one of seeds, z and w"),
        (lambda c: c.generate("tiny", seeds=[1, -1]), r"seeds\[1\]: -1 is not from 0 to 18446744073709551615"),
        (lambda c: c.generate("tiny", seeds=1.5), r"seeds\[0\]: 1.5 is not a whole number"),
        (lambda c: c.generate("tiny", seeds=2**64), r"seeds\[0\]: 18446744073709551616 is not"),
        (lambda c: c.generate("tiny", z=np.zeros((1, 2, 3))), r"z: shape \[1, 2, 3\], must be \[Z\] or \[N, Z\]"),
        (lambda c: c.generate("tiny", z=["a"]), "z: not an array of numbers"),
        (lambda c: c.generate("digits", seeds=[1, 2], classes=[1]), "classes: 1 classes for 2 latents"),
        (lambda c: c.generate("digits", seeds=1, classes=-1), r"classes\[0\]: -1 is not"),
        (lambda c: c.generate("tiny", seeds=1, encoding="bmp"), "encoding: 'bmp' is none of raw, png, jpeg, webp"),
        (lambda c: c.walk("tiny", "zoom", seeds=1, frames=-1), "frames: -1 is not from 0 to 4294967295"),
        (lambda c: c.walk("tiny", "zoom", seeds=1, easing="bouncy"), "easing: 'bouncy' is none of linear, in, out"),
        (lambda c: c.interpolate("tiny", seeds=[1, 2], method="warp"), "method: 'warp' is none of slerp, lerp"),
        (
            lambda c: c.walk("tiny", "zoom", seeds=1, alpha=(0, 1), amount=(1, 2)),
            "zoom: give alpha or amount, not both",
        ),
        (lambda c: c.train_sefa("tiny", "none", directions=0), "directions: 0 is not from 1 to 4294967295"),
        (lambda c: c.train_pca("tiny", "none", directions=0), "directions: 0 is not from 1"),
        (lambda c: c.train_discovery("tiny", "none", directions=0), "directions: 0 is not from 1"),
        (lambda c: c.train_class_directions("tiny", "none", directions=0), "directions: 0 is not from 1"),
        (lambda c: c.train_edit("tiny", "zoom", edits="zoom", steps=0), "steps: 0 is not from 1"),
        (lambda c: c.jobs(limit=0), "limit: 0 is not from 1"),
        (lambda _: Displacement("zoom"), "zoom: give either alpha or amount"),
        (lambda _: Displacement("zoom", alpha=1, amount=2), "zoom: give either alpha or amount"),
        (lambda _: Stretch("zoom", alpha=(0, 1), amount=(1, 2)), "zoom: give alpha or amount, not both"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_sent(make, told: str):
    with Client("127.0.0.1:1") as nobody, pytest.raises(InvalidRequest, match=told) as caught:
        make(nobody)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    "options", [{"retries": 5}, {"retries": -1}, {"overload_retries": -1}, {"timeout": 0}, {"timeout": float("nan")}]
)
def test_options_that_make_no_sense_are_refused_by_name(options: dict):
    with pytest.raises(ValueError, match=next(iter(options))):
        Client(**options)


def test_a_direction_of_another_generator_is_refused_with_both_digests(client: Client):
    with pytest.raises(GeneratorMismatch) as caught:
        client.load_direction("tiny", "foreign")
    assert caught.value.expected_digest == "sha256:" + "0" * 64
    assert caught.value.actual_digest == client.model("tiny").digest


def test_a_damaged_artifact_is_refused_with_its_file_and_the_old_version_goes_on(start_server, tmp_path, store):
    copy = shutil.copytree(store, tmp_path / "store")
    artifacts = ArtifactStore(str(copy))
    generator, _ = load_generator(artifacts, "tiny")
    save_generator(artifacts, "tiny", generator, provenance={}, created="2026-01-02T00:00:00+00:00")
    with Client(start_server(store=str(copy)).address) as client:
        before = client.generate("tiny", seeds=1)
        assert before.model_version == "2"
        save_generator(artifacts, "tiny", generator, provenance={}, created="2026-01-03T00:00:00+00:00")
        weights = copy / "generators" / "tiny" / "3" / "weights.safetensors"
        weights.write_bytes(weights.read_bytes()[:-4])
        with pytest.raises(CorruptArtifact) as caught:
            client.load_model("tiny")
        assert caught.value.file == str(weights)
        assert client.generate("tiny", seeds=1) == before


async def test_a_full_queue_is_told_at_once_with_the_time_to_wait_and_a_patient_caller_gets_through(start_server):
    small = start_server(max_queued_frames=8, max_batch=1)

    async def draw(client: AsyncClient, requests: int) -> list[Pictures | BaseException]:
        calls = (client.generate("tiny", seeds=range(8)) for _ in range(requests))
        return await asyncio.gather(*calls, return_exceptions=True)

    async with AsyncClient(small.address) as client:
        outcomes = await draw(client, 32)
    refusals = [outcome for outcome in outcomes if isinstance(outcome, Overloaded)]
    assert refusals
    assert all(refusal.status == "RESOURCE_EXHAUSTED" and refusal.retry_after > 0 for refusal in refusals)
    assert all(isinstance(outcome, Pictures | Overloaded) for outcome in outcomes)
    async with AsyncClient(small.address, overload_retries=1000) as patient:
        assert all(isinstance(outcome, Pictures) for outcome in await draw(patient, 8))


def test_a_message_that_is_too_large_is_told_as_a_limit(client: Client):
    with pytest.raises((LimitExceeded, InvalidRequest)) as caught:
        client.generate("tiny", z=np.zeros((300, 65_536), np.float32))
    assert not isinstance(caught.value, Overloaded)


def test_nobody_at_the_address_is_told_with_the_address():
    with (
        Client("127.0.0.1:1", retries=0) as nobody,
        pytest.raises(Unavailable, match=r"^no server answers at 127\.0\.0\.1:1: Connection refused$") as caught,
    ):
        nobody.models()
    assert isinstance(caught.value, ConnectionError)


def test_a_server_without_tls_is_told_of_as_such(client: Client):
    address = client.connection.options.address
    with (
        Client(address, tls=True, retries=0) as secure,
        pytest.raises(Unavailable, match=f"^no server answers at {address}: whoever listens there does not speak TLS$"),
    ):
        secure.models()


def test_a_name_that_nobody_knows_is_told_of_in_few_words():
    point = "Domain name not found"
    said = f"address lookup failed for gpu-9:50051: {point}"
    assert to_the_point(f"errors resolving gpu-9:50051: [field:hostname lookup error:{said}]") == point
    assert to_the_point(f"DNS resolution failed for gpu-9:50051: UNAVAILABLE: {said}") == point


def test_a_deadline_is_told_with_its_seconds_and_the_address(client: Client):
    with pytest.raises(DeadlineExceeded) as caught:
        client.walk("tiny", "zoom", seeds=range(16), frames=10_000, timeout=0.2).collect()
    assert isinstance(caught.value, TimeoutError)
    # The kernel takes the connection, and nobody ever says a word.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with Client(address, timeout=0.3) as waiting, pytest.raises(DeadlineExceeded, match=rf"{address} within 0.3 s"):
            waiting.models()


def test_a_walk_that_is_read_too_slowly_keeps_the_frames_it_got_before_its_deadline(client: Client):
    walk = client.walk("tiny", "zoom", seeds=range(16), frames=10_000, timeout=3)
    assert next(walk).index == 0
    with pytest.raises(DeadlineExceeded):
        list(walk)


def test_jobs_without_a_trainer_are_refused_with_what_to_do(client: Client):
    with pytest.raises(NoTrainer, match="trainer_address"):
        client.train_edit("tiny", "zoom", edits="zoom")
    with pytest.raises(NoTrainer):
        next(client.job("x").watch())


def test_a_closed_client_says_so(server):
    client = Client(server.address)
    walk = client.walk("tiny", "zoom", seeds=1)
    client.close()
    for call in (client.models, walk.header):
        with pytest.raises(ClientClosed):
            call()


async def test_a_walk_that_was_closed_has_no_header_and_no_frames(client: Client, server):
    walk = client.walk("tiny", "zoom", seeds=1)
    walk.close()
    assert list(walk) == []
    with pytest.raises(ClientClosed, match="closed before its header came"):
        walk.header()
    async with AsyncClient(server.address) as asynchronous:
        strolling = asynchronous.walk("tiny", "zoom", seeds=1)
        await strolling.close()
        assert [frame async for frame in strolling] == []
        with pytest.raises(ClientClosed, match="closed before its header came"):
            await strolling.header()


def test_closing_the_client_ends_its_walks(server):
    client = Client(server.address)
    walk = client.walk("tiny", "zoom", seeds=range(16), frames=10_000)
    next(walk)
    client.close()
    with pytest.raises(LatentwalkError):
        walk.collect()


def test_waiting_for_a_service_that_never_comes_ends_with_the_deadline():
    with Client("127.0.0.1:1") as nobody, pytest.raises(DeadlineExceeded, match=r"127\.0\.0\.1:1"):
        nobody.wait_ready(timeout=0.3)


def test_a_serving_server_is_ready(client: Client):
    client.wait_ready(timeout=120)
