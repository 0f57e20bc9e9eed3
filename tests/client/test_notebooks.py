"""What a notebook does with what the SDK gives: shows it, hands it to numpy, reads it twice, sends it elsewhere."""

import io
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest
from PIL import Image

from latentwalk.client import AsyncClient, Client, Displacement, InvalidRequest


def seen(png: bytes | None) -> np.ndarray:
    """The pixels [H, W, C] that a notebook shows."""
    assert png
    return np.asarray(Image.open(io.BytesIO(png)))


def test_numpy_takes_pictures_and_frames_as_their_pixels(client: Client):
    pictures = client.generate("tiny", seeds=[1, 2])
    frames = client.walk("tiny", "zoom", seeds=[1, 2], frames=3).collect()
    for given in (pictures, pictures[0], frames):
        assert np.array_equal(np.asarray(given), given.array)
        assert np.asarray(given, dtype=np.float32).dtype == np.float32
        assert np.array(given).flags.writeable
    assert (pictures[0] - np.asarray(pictures[1], int)).shape == (16, 16, 3)


def test_what_has_pictures_shows_them(client: Client):
    pictures = client.generate("tiny", seeds=[1, 2])
    frame = next(client.walk("tiny", "zoom", seeds=[1, 2], frames=3))
    assert np.array_equal(seen(frame._repr_png_()), frame.pictures.strip().array)
    found = client.invert("tiny", pictures[0], steps=2).result()
    assert np.array_equal(seen(found._repr_png_()), found.picture.array)
    assert "array" not in repr(found)
    with client.steer("tiny") as steering:
        steering.move(seeds=[1, 2])
        drawn = next(steering)
        steering.move(seeds=1, displacements=Displacement("nowhere", alpha=1))
        refused = next(steering)
    assert drawn.pictures is not None
    assert np.array_equal(seen(drawn._repr_png_()), drawn.pictures.grid().array)
    assert refused._repr_png_() is None


def test_a_walk_tells_how_far_it_has_been_read(client: Client):
    walk = client.walk("tiny", "zoom", seeds=1, frames=3)
    assert repr(walk) == "<Walk: nothing drawn yet; collect() has it drawn>"
    next(walk)
    assert repr(walk) == "<Walk: read up to frame 1 of 3; collect() gives the others>"
    search = client.invert("tiny", client.generate("tiny", seeds=1)[0], steps=2)
    assert repr(search) == "<Search: nothing found yet; result() searches to the end>"
    next(search)
    assert repr(search).startswith("<Search: the best of 0 steps has error ")


async def test_a_walk_that_was_read_is_not_taken_for_an_empty_one(client: Client, server, tmp_path):
    walk = client.walk("tiny", "zoom", seeds=1, frames=3)
    assert len(list(walk)) == 3
    for again in (walk.strip, lambda: walk.grid(2), lambda: walk.save(tmp_path / "walk.gif")):
        with pytest.raises(InvalidRequest, match=r"^walk: has no more frames: it can be read once"):
            again()
    async with AsyncClient(server.address) as other:
        asynchronous = other.walk("tiny", "zoom", seeds=1, frames=3)
        assert len([frame async for frame in asynchronous]) == 3
        with pytest.raises(InvalidRequest, match="it can be read once"):
            await asynchronous.strip()
        assert repr(asynchronous).startswith("<AsyncWalk: read up to frame 3 of 3")


def test_another_process_gets_a_client_with_connections_of_its_own(client: Client):
    here = client.generate("tiny", seeds=5)[0].array
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as elsewhere:
        there = elsewhere.submit(client.generate, "tiny", seeds=5).result()
    assert np.abs(there[0].array.astype(int) - here).max() <= 1
    job = pickle.loads(pickle.dumps(client.job("a1b2")))
    assert (job.id, job.connection.options) == ("a1b2", client.connection.options)
    assert len(client.models()) > 0
