"""Loads take turns, and one that has begun is seen through, whoever leaves."""

import asyncio
import logging
import threading
from collections.abc import Callable

import pytest
import torch

from latentwalk.gan.generator import Generator
from latentwalk.rpc.errors import UnknownModel
from latentwalk.server.engine import Engine
from latentwalk.server.loader import Loader
from latentwalk.server.mapper import Mapper
from latentwalk.server.repository import Repository


class Gate:
    """Makes engines, each once it may."""

    def __init__(self) -> None:
        self.begun, self._may_end = threading.Event(), threading.Event()
        self.running, self.most_at_once, self.made = 0, 0, 0
        self.failure: Exception | None = None

    def make_engine(self, generator: Generator) -> Engine:
        self.running += 1
        self.most_at_once = max(self.most_at_once, self.running)
        self.begun.set()
        assert self._may_end.wait(30)
        self.running -= 1
        self.made += 1
        if self.failure:
            raise self.failure
        return Engine(generator, torch.device("cpu"))

    def open(self) -> None:
        self._may_end.set()


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def repository_of(library):
    """A function that makes a repository over the library, whose engines are made so."""

    def make(make_engine: Callable[[Generator], Engine]) -> Repository:
        limits = {"max_rows": 1, "max_frames": 1, "max_frame_bytes": 1 << 20}
        return Repository(Loader(library.store, make_engine, Mapper(), **limits), on_change=list)

    return make


async def leaves(caller: asyncio.Task[object]) -> None:
    caller.cancel()
    await asyncio.wait([caller])
    assert caller.cancelled()


async def test_what_has_begun_to_load_serves_also_when_its_caller_has_left(repository_of, gate):
    repository = repository_of(gate.make_engine)
    caller = asyncio.create_task(repository.load_model("faces"))
    await asyncio.to_thread(gate.begun.wait)
    await leaves(caller)
    with pytest.raises(UnknownModel):
        repository.model("faces")
    gate.open()
    await repository.undisturbed(lambda served: None)
    assert repository.model("faces").version == 1


async def test_a_load_is_over_before_the_next_begins_also_when_its_caller_has_left(repository_of, gate):
    repository = repository_of(gate.make_engine)
    first = asyncio.create_task(repository.load_model("faces"))
    await asyncio.to_thread(gate.begun.wait)
    await leaves(first)
    second = asyncio.create_task(repository.load_model("faces"))
    await asyncio.sleep(0.3)
    gate.open()
    await second
    assert (gate.made, gate.most_at_once) == (2, 1)


async def test_a_load_that_waits_for_its_turn_ends_with_its_caller(repository_of, gate):
    repository = repository_of(gate.make_engine)
    first = asyncio.create_task(repository.load_model("faces"))
    await asyncio.to_thread(gate.begun.wait)
    second = asyncio.create_task(repository.load_model("digits"))
    await asyncio.sleep(0)
    await leaves(second)
    gate.open()
    await first
    await repository.undisturbed(lambda served: None)
    assert [model.name for model in repository.served] == ["faces"]
    assert gate.made == 1


async def test_a_failure_that_nobody_waits_for_is_logged(repository_of, gate, caplog):
    gate.failure = RuntimeError("the device has burnt")
    repository = repository_of(gate.make_engine)
    caller = asyncio.create_task(repository.load_model("faces"))
    await asyncio.to_thread(gate.begun.wait)
    await leaves(caller)
    with caplog.at_level(logging.ERROR, "latentwalk.repository"):
        gate.open()
        await repository.undisturbed(lambda served: None)
        await asyncio.sleep(0)
    assert "model faces is as it was: the device has burnt" in caplog.text


async def test_what_is_published_while_a_server_starts_is_loaded_before_it_serves(
    repository_of, library, other, digits, direction_of
):
    """It loads digits, then faces; as it comes to the one, the other is published, with a direction."""
    made = []

    def make_engine(generator: Generator) -> Engine:
        made.append(generator.digest)
        if len(made) == 2:
            library.put_direction("digits", direction_of(digits.digest))
            library.put_generator("faces", other)
            library.put_direction("faces", direction_of(other.digest))
        return Engine(generator, torch.device("cpu"))

    repository = repository_of(make_engine)
    await repository.load_newest(())
    assert len(made) == 3
    loaded = {name: repository.model(name) for name in ("digits", "faces")}
    assert {name: model.version for name, model in loaded.items()} == {"digits": 1, "faces": 2}
    versions = {name: {key: one.version for key, one in model.directions.items()} for name, model in loaded.items()}
    assert versions == {"digits": {"zoom": 1}, "faces": {"zoom": 2}}
