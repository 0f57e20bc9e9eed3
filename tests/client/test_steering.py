"""Steering by hand: moves never wait, answers are the newest, and a stream that breaks says why."""

import asyncio
import gc
import threading
import time

import numpy as np
import pytest

from latentwalk.client import (
    AsyncClient,
    Client,
    ClientClosed,
    Displacement,
    InvalidRequest,
    NotFound,
    SteerAnswer,
    Unavailable,
)


def arrival(steering, sequence: int) -> SteerAnswer:
    """The answer to the position of that number."""
    return next(answer for answer in steering if answer.sequence >= sequence)


async def arrival_async(steering, sequence: int) -> SteerAnswer:
    async for answer in steering:
        if answer.sequence >= sequence:
            return answer
    raise AssertionError("the stream ended")


def test_an_answer_shows_its_position(client: Client):
    push = Displacement("zoom", amount=2)
    expected = client.generate("tiny", seeds=[1, 2], displacements=push)
    with client.steer("tiny") as steering:
        assert steering.latest() is None
        number = steering.move(seeds=[1, 2], displacements=push)
        answer = arrival(steering, number)
        assert steering.latest() is answer
    assert (answer.sequence, answer.dropped, answer.refusal) == (number, 0, None)
    assert np.abs(answer.pictures.array.astype(int) - expected.array).max() <= 1
    assert answer.pictures.model_digest == expected.model_digest
    assert [(one.direction, one.amount) for one in answer.positions] == [("zoom", pytest.approx(2))]


def test_seeds_classes_and_encodings_are_said_as_to_generate(client: Client):
    with client.steer("digits", encoding="png", determinism="strict", priority="high") as steering:
        for classes in (0, {1: 0.5, 2: 0.5}):
            answer = arrival(steering, steering.move(seeds=3, classes=classes))
            assert answer.pictures[0].encoding == "png"
            assert (
                np.abs(
                    answer.pictures.array.astype(int) - client.generate("digits", seeds=3, classes=classes).array
                ).max()
                <= 1
            )


def test_of_many_moves_the_last_is_answered_and_answers_grow(client: Client):
    with client.steer("tiny") as steering:
        for seed in range(500):
            last = steering.move(seeds=seed)
        steering.finish()
        answers = list(steering)
    assert answers[-1].sequence == last == 500
    assert len(answers) < 500
    sequences = [answer.sequence for answer in answers]
    assert sequences == sorted(set(sequences))


def test_what_is_not_looked_at_is_overtaken(client: Client):
    with client.steer("tiny") as steering:
        for seed in range(20):
            number = steering.move(seeds=seed)
            while (latest := steering.latest()) is None or latest.sequence < number:
                time.sleep(0.001)
        assert next(steering).sequence == number


def test_a_refusal_is_a_value_and_the_next_position_is_drawn(client: Client):
    with client.steer("tiny") as steering:
        far = arrival(steering, steering.move(seeds=1, displacements=Displacement("zoom", alpha=99)))
        assert far.pictures is None
        assert isinstance(far.refusal, InvalidRequest)
        with pytest.raises(InvalidRequest) as told:
            client.generate("tiny", seeds=1, displacements=Displacement("zoom", alpha=99))
        assert far.refusal.violations == told.value.violations
        unknown = arrival(steering, steering.move(seeds=1, displacements=Displacement("nope", alpha=1)))
        assert isinstance(unknown.refusal, NotFound)
        assert (unknown.refusal.status, unknown.refusal.reason) == ("NOT_FOUND", "UNKNOWN_DIRECTION")
        with pytest.raises(InvalidRequest, match="give one of seeds, z and w"):
            steering.move()
        assert arrival(steering, steering.move(seeds=1)).pictures


def test_a_pause_stops_the_pictures_and_resuming_goes_to_the_last_position(client: Client):
    with client.steer("tiny") as steering:
        first = arrival(steering, steering.move(seeds=5))
        steering.pause()
        time.sleep(0.1)
        assert steering.latest() is first
        again = arrival(steering, steering.resume())
        assert np.abs(again.pictures.array.astype(int) - first.pictures.array).max() <= 1


def test_a_stream_that_breaks_says_why_by_every_method(client: Client):
    with client.steer("no such model") as steering:
        with pytest.raises(NotFound, match="no model 'no such model'"):
            next(steering)
        for method in (steering.latest, lambda: steering.move(seeds=1), steering.pause, steering.resume):
            with pytest.raises(NotFound):
                method()
    with Client("127.0.0.1:1").steer("tiny") as nobody, pytest.raises(Unavailable):
        next(nobody)


def test_what_is_finished_or_closed_takes_no_more_moves_and_ends(client: Client):
    with client.steer("tiny") as steering:
        steering.finish()
        with pytest.raises(ClientClosed):
            steering.move(seeds=1)
        assert list(steering) == []
    steering = client.steer("tiny")
    steering.close()
    assert list(steering) == []
    with pytest.raises(ClientClosed):
        steering.move(seeds=1)


def steering_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "steering"]


def ended(server) -> float:
    lines = (line for line in server.metrics().splitlines() if line.startswith("grpc_server_handled_total"))
    return sum(float(line.rpartition(" ")[2]) for line in lines if '"Steer"' in line)


def wait_until(true, seconds: float = 120) -> None:
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.02)


def leave_by_with(client: Client):
    with client.steer("tiny") as steering:
        arrival(steering, steering.move(seeds=1))


def leave_by_forgetting(client: Client):
    steering = client.steer("tiny")
    arrival(steering, steering.move(seeds=1))
    del steering
    gc.collect()


@pytest.mark.parametrize("leave", [leave_by_with, leave_by_forgetting])
def test_leaving_ends_the_stream_on_the_server_and_leaves_no_thread(server, client: Client, leave):
    before = ended(server)
    leave(client)
    wait_until(lambda: ended(server) == before + 1)
    wait_until(lambda: not steering_threads())


async def test_the_asyncio_twin_steers_in_the_same_way(server, client: Client):
    expected = client.generate("tiny", seeds=400)
    async with AsyncClient(server.address) as aclient:
        async with aclient.steer("tiny") as steering:
            assert steering.latest() is None
            far = await arrival_async(steering, steering.move(seeds=1, displacements=Displacement("zoom", alpha=99)))
            assert isinstance(far.refusal, InvalidRequest)
            for seed in range(401):
                last = steering.move(seeds=seed)
                if seed % 10 == 0:
                    await asyncio.sleep(0.001)
            steering.finish()
            answers = [answer async for answer in steering]
            assert answers[-1].sequence == last
            assert len(answers) < 400
            assert np.abs(answers[-1].pictures.array.astype(int) - expected.array).max() <= 1
            with pytest.raises(ClientClosed):
                steering.move(seeds=1)
        async with aclient.steer("tiny") as steering:
            first = await arrival_async(steering, steering.move(seeds=5))
            steering.pause()
            await asyncio.sleep(0.1)
            assert steering.latest() is first
            await arrival_async(steering, steering.resume())
        async with aclient.steer("no such model") as steering:
            with pytest.raises(NotFound):
                await anext(steering)


async def test_forgetting_an_asyncio_steering_ends_it(server, client: Client):
    before = await asyncio.to_thread(ended, server)
    async with AsyncClient(server.address) as aclient:
        steering = aclient.steer("tiny")
        await arrival_async(steering, steering.move(seeds=1))
        del steering
        gc.collect()
        async with asyncio.timeout(120):
            while await asyncio.to_thread(ended, server) == before:  # noqa: ASYNC110 - it is on the other side
                await asyncio.sleep(0.02)
