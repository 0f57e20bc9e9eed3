"""Streams that break off: what arrived is good, and the rest comes without a gap, of the same weights or not at all."""

import pickle
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

import numpy as np
import pytest
import torch

from latentwalk.client import (
    AsyncClient,
    Client,
    DeadlineExceeded,
    Frame,
    InvalidRequest,
    ModelChanged,
    Unavailable,
    Walk,
)
from latentwalk.gan.artifacts import ArtifactStore, save_generator
from latentwalk.gan.families import build_generator
from latentwalk.gan.spec import GeneratorSpec

SEEDS, FRAMES = range(16), 100


class Cable:
    """A connection to a server that can be cut: a relay that closes after so many bytes of the server's, each time."""

    def __init__(self, server_address: str) -> None:
        host, _, port = server_address.rpartition(":")
        self._server = host, int(port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.lengths: list[int] = []
        """After how many bytes the next connections are cut; those after them are not."""
        self.delays: list[float] = []
        """How many seconds the next connections are held up before a byte passes."""
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Closes every connection now."""
        while self._sockets:
            with suppress(OSError):
                self._sockets.pop().shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._server)
                self._sockets += [client, server]
                time.sleep(self.delays.pop(0) if self.delays else 0)
                length = self.lengths.pop(0) if self.lengths else None
                threading.Thread(target=self._relay, args=(client, server, None), daemon=True).start()
                threading.Thread(target=self._relay, args=(server, client, length), daemon=True).start()

    def _relay(self, source: socket.socket, sink: socket.socket, length: int | None) -> None:
        with suppress(OSError):
            while (length is None or length > 0) and (data := source.recv(4096)):
                sink.sendall(data)
                length = None if length is None else length - len(data)
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def cable(server, client: Client) -> Iterator[Cable]:
    cable = Cable(server.address)
    yield cable
    cable.close()


def walks(server) -> float:
    lines = (line for line in server.metrics().splitlines() if line.startswith("grpc_server_started_total"))
    return sum(float(line.rpartition(" ")[2]) for line in lines if '"Walk"' in line)


def keep(walk: Walk, frames: list[Frame]) -> None:
    for frame in walk:
        frames.append(frame)


def test_a_walk_whose_connection_is_cut_arrives_whole(server, client: Client, cable: Cable):
    expected = client.walk("tiny", "zoom", seeds=SEEDS, frames=FRAMES).collect()
    before, cable.lengths = walks(server), [300_000, 300_000]
    with Client(cable.address) as cut, cut.walk("tiny", "zoom", seeds=SEEDS, frames=FRAMES) as walk:
        assert walk.header().frames == FRAMES
        frames = walk.collect()
    assert [frame.index for frame in frames] == list(range(FRAMES))
    assert np.abs(frames.array.astype(int) - expected.array).max() <= 1
    assert [frame.positions for frame in frames] == [frame.positions for frame in expected]
    assert walks(server) == before + 3


def test_a_call_outlasts_a_connection_that_is_lost_and_the_time_that_the_next_one_takes(cable: Cable):
    """As on a busy machine, or over TLS to a far one: until the next is made, grpc fails what is asked at once."""
    cable.lengths, cable.delays = [0], [0, 2.0]
    with Client(cable.address, retries=4) as client:
        assert client.models()


def test_an_interpolation_goes_on_too(cable: Cable):
    cable.lengths = [100_000]
    with Client(cable.address) as cut:
        frames = cut.interpolate("tiny", seeds=[1, 2], frames_per_leg=400).collect()
    assert [frame.index for frame in frames] == list(range(401))


async def test_the_asyncio_twin_goes_on_in_the_same_way(server, cable: Cable):
    cable.lengths = [300_000, 300_000]
    async with AsyncClient(cable.address) as cut:
        walk = cut.walk("tiny", "zoom", seeds=SEEDS, frames=FRAMES)
        frames = await walk.collect()
        assert [frame.index for frame in frames] == list(range(FRAMES))
        assert walk.next_index == FRAMES
        cable.lengths = [0] * 100
        cable.cut()
        with pytest.raises(Unavailable):
            await cut.walk("tiny", "zoom", seeds=1).collect()


def test_more_losses_than_retries_do_not_matter_while_frames_arrive(cable: Cable):
    cable.lengths = [200_000] * 5
    with Client(cable.address, retries=1) as cut:
        assert len(cut.walk("tiny", "zoom", seeds=SEEDS, frames=FRAMES).collect()) == FRAMES


def test_a_walk_that_has_begun_waits_for_a_server_that_is_away(cable: Cable):
    with Client(cable.address, retries=1) as cut, cut.walk("tiny", "zoom", seeds=SEEDS, frames=1_000) as walk:
        arrived = [next(walk)]
        cable.lengths = [0] * 4  # more than it has retries
        cable.cut()
        keep(walk, arrived)
    assert [frame.index for frame in arrived] == list(range(1_000))


def test_its_deadline_ends_the_wait(cable: Cable):
    walked = {"seeds": SEEDS, "frames": 10_000, "timeout": 3}
    with Client(cable.address, retries=1) as cut, cut.walk("tiny", "zoom", **walked) as walk:
        arrived = [next(walk)]
        cable.lengths = [0] * 100
        cable.cut()
        with pytest.raises((Unavailable, DeadlineExceeded)):
            keep(walk, arrived)
        assert [frame.index for frame in arrived] == list(range(walk.next_index))
        assert walk.next_index < 10_000


def test_a_server_that_was_never_there_is_not_waited_for(cable: Cable):
    cable.lengths = [0] * 100
    with Client(cable.address, retries=1) as cut, pytest.raises(Unavailable):
        cut.walk("tiny", "zoom", seeds=1).collect()
    assert len(cable.lengths) > 80


def test_without_retries_the_caller_goes_on_by_hand(client: Client, cable: Cable):
    cable.lengths = [300_000]
    with Client(cable.address, retries=0) as cut:
        walk = cut.walk("tiny", "zoom", seeds=SEEDS, frames=FRAMES)
        with pytest.raises(Unavailable):
            walk.collect()
        cut.wait_ready()
        rest = cut.walk("tiny", "zoom", seeds=SEEDS, frames=FRAMES, first_frame=walk.next_index)
        assert (rest.header().frames, rest.header().first_frame) == (FRAMES, walk.next_index)
        assert [frame.index for frame in rest] == list(range(walk.next_index, FRAMES))


def test_after_a_deadline_the_frames_that_arrived_are_good(client: Client):
    walk = client.walk("tiny", "zoom", seeds=SEEDS, frames=10_000, timeout=3.0)
    with pytest.raises(DeadlineExceeded):
        walk.collect()
    assert 0 < walk.next_index < 10_000
    with client.walk("tiny", "zoom", seeds=SEEDS, frames=10_000, first_frame=walk.next_index) as rest:
        assert [frame.index for frame in islice(rest, 3)] == [walk.next_index + step for step in range(3)]


def test_other_weights_do_not_go_on_with_a_walk(start_server, store, tmp_path):
    own = shutil.copytree(store, tmp_path / "store")
    server = start_server(store=str(own))
    cable = Cable(server.address)
    torch.manual_seed(99)
    other = build_generator(GeneratorSpec("dcgan", 6, 0, 16, 3, {"width": 4})).freeze()
    with Client(server.address) as direct, Client(cable.address) as cut:
        walk = cut.interpolate("tiny", seeds=[1, 2], frames_per_leg=9_000)
        arrived = [next(walk)]
        before = walk.header().model_digest
        save_generator(ArtifactStore(str(own)), "tiny", other, provenance={}, created="")
        direct.load_model("tiny")
        cable.cut()
        with pytest.raises(ModelChanged) as caught:
            keep(walk, arrived)
    assert (caught.value.expected_digest, caught.value.actual_digest) == (before, other.digest)
    assert caught.value.next_index == walk.next_index == len(arrived)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    cable.close()


def test_what_cannot_be_a_delivery_is_refused(client: Client):
    with pytest.raises(InvalidRequest, match="determinism: 'exact' is none of default, strict"):
        client.generate("tiny", seeds=1, determinism="exact")
    with pytest.raises(InvalidRequest, match="priority: 'urgent' is none of low, normal, high"):
        client.walk("tiny", "zoom", seeds=1, priority="urgent")
    with pytest.raises(InvalidRequest, match="first_frame"):
        client.walk("tiny", "zoom", seeds=1, frames=4, first_frame=4).collect()
    with pytest.raises(InvalidRequest, match="fps"):
        client.walk("tiny", "zoom", seeds=1, fps=0).collect()


def test_strict_pictures_are_the_same_bytes_in_any_company(client: Client):
    alone = client.generate("tiny", seeds=11, determinism="strict").array
    batch = client.generate("tiny", seeds=[*range(20), 11], determinism="strict").array
    walked = client.walk("tiny", "zoom", alpha=(0, 0), seeds=[1, 11], frames=2, determinism="strict").collect().array
    assert np.array_equal(alone[0], batch[-1])
    assert np.array_equal(alone[0], walked[1, 1])
