"""Videos: frames as MP4, written while they come."""

import resource
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from latentwalk.client import AsyncClient, Client, InvalidRequest
from latentwalk.client._files import save_moving
from latentwalk.client._videos import Video


def frames_in(path: Path) -> list[np.ndarray]:
    """The pixels [H, W, 3] of each frame, as a player shows them."""
    with av.open(path) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def plain(*colours: tuple[int, int, int], size: tuple[int, int] = (32, 16)) -> list[Image.Image]:
    return [Image.new("RGB", size, colour) for colour in colours]


def test_a_video_has_every_frame_with_the_starts_beside_one_another(client: Client, tmp_path):
    client.walk("tiny", "zoom", seeds=[1, 2], frames=6).save(tmp_path / "zoom.mp4", fps=10)
    strips = [frame.pictures.strip().array for frame in client.walk("tiny", "zoom", seeds=[1, 2], frames=6)]
    shown = frames_in(tmp_path / "zoom.mp4")
    assert [frame.shape for frame in shown] == [(16, 2 * 18 - 2, 3)] * 6
    for frame, strip in zip(shown, strips, strict=True):
        assert frame.mean((0, 1)) == pytest.approx(strip.mean((0, 1)), abs=6)
    assert [path.name for path in tmp_path.iterdir()] == ["zoom.mp4"]


@pytest.fixture
async def aclient(server):
    async with AsyncClient(server.address) as aclient:
        yield aclient


@pytest.mark.parametrize("fps", [0.5, 12, 23.976, 60])
def test_a_video_keeps_its_time(tmp_path, fps: float):
    save_moving(plain((0, 0, 0), (90, 90, 90), (180, 180, 180)), tmp_path / "walk.mp4", fps)
    with av.open(tmp_path / "walk.mp4") as container:
        times = [float(frame.time) for frame in container.decode(video=0)]
    assert times == pytest.approx([0, 1 / fps, 2 / fps], abs=1e-3)


def test_a_video_keeps_colours_and_says_by_which_norm(tmp_path):
    colours = [(230, 20, 20), (20, 230, 20), (20, 20, 230), (128, 128, 128), (255, 255, 255)]
    save_moving(plain(*colours), tmp_path / "colours.mp4", 12)
    for frame, colour in zip(frames_in(tmp_path / "colours.mp4"), colours, strict=True):
        assert np.abs(frame.astype(int) - colour).max() <= 4
    with av.open(tmp_path / "colours.mp4") as container:
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_primaries, context.color_trc) == (1, 1, 1)


def test_grey_pictures_of_an_odd_size_are_made_even_by_their_last_pixels(tmp_path):
    save_moving([Image.new("L", (15, 9), 200)] * 3, tmp_path / "grey.mp4", 12)
    for frame in frames_in(tmp_path / "grey.mp4"):
        assert frame.shape == (10, 16, 3)
        assert np.abs(frame.astype(int) - 200).max() <= 2


def test_a_video_is_written_while_its_frames_come(tmp_path):
    noise = np.random.default_rng(0)
    written: list[int] = []

    def come() -> Iterator[Image.Image]:
        for _ in range(160):
            yield Image.fromarray(noise.integers(0, 256, (96, 96, 3), np.uint8))
            written.append(sum(path.stat().st_size for path in tmp_path.iterdir()))

    save_moving(come(), tmp_path / "long.mp4", 12)
    assert written[-1] > (tmp_path / "long.mp4").stat().st_size / 4


def test_frames_that_break_off_leave_the_file_that_was_there(tmp_path):
    (tmp_path / "walk.mp4").write_bytes(b"of yesterday")

    def break_off() -> Iterator[Image.Image]:
        yield from plain((0, 0, 0))
        raise ConnectionError

    with pytest.raises(ConnectionError):
        save_moving(break_off(), tmp_path / "walk.mp4", 12)
    with pytest.raises(InvalidRequest, match="are none: there is nothing to show"):
        save_moving([], tmp_path / "walk.mp4", 12)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"walk.mp4": b"of yesterday"}


def test_a_video_that_has_no_room_leaves_nothing(tmp_path):
    """By a limit on the size of a file, which fails as a full disk does."""
    noise = np.random.default_rng(0)
    images = [Image.fromarray(noise.integers(0, 256, (96, 96, 3), np.uint8)) for _ in range(160)]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            save_moving(images, tmp_path / "long.mp4", 12)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_who_closes_a_video_waits_for_the_frame_that_is_being_written(tmp_path, monkeypatch):
    """As does one who gives up in an event loop while a thread writes."""
    video, (image,) = Video(tmp_path / "walk.mp4", 12), plain((0, 0, 0))
    closing = threading.Thread(target=video.close)
    waited: list[bool] = []

    def convert(mode: str) -> Image.Image:
        closing.start()
        closing.join(0.2)  # a moment in which it could close
        waited.append(closing.is_alive())
        return image

    monkeypatch.setattr(image, "convert", convert)
    video.add(image)
    closing.join()
    assert waited == [True]
    video.add(image)
    video.finish()
    assert list(tmp_path.iterdir()) == []


def test_one_picture_is_no_video(client: Client, tmp_path):
    with pytest.raises(InvalidRequest, match=r"'\.mp4', must be one of \.png, \.jpg, \.jpeg, \.webp, \.gif$"):
        client.generate("tiny", seeds=1).save(tmp_path / "one.mp4")


def test_without_pyav_a_video_is_refused_before_anything_is_drawn(client: Client, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)  # as where it is not installed
    walk = client.walk("tiny", "zoom", seeds=1, frames=3)
    with pytest.raises(InvalidRequest, match=r"takes PyAV: pip install 'latentwalk\[video\]'"):
        walk.save(tmp_path / "zoom.mp4")
    assert len(walk.collect()) == 3


async def test_a_video_is_saved_without_blocking(aclient: AsyncClient, tmp_path):
    await aclient.walk("tiny", "zoom", seeds=1, frames=4).save(tmp_path / "zoom.mp4")
    assert len(frames_in(tmp_path / "zoom.mp4")) == 4


@pytest.mark.parametrize("name", ["walk.mp4", "walk.gif"])
async def test_a_pace_that_no_file_has_is_refused_before_anything_is_drawn(client, aclient, tmp_path, name):
    walk, other = client.walk("tiny", "zoom", seeds=1, frames=6), aclient.walk("tiny", "zoom", seeds=1, frames=6)
    with pytest.raises(InvalidRequest, match=r"fps: 0\.001 is not 0\.01 or more"):
        walk.save(tmp_path / name, fps=0.001)
    with pytest.raises(InvalidRequest, match=r"fps: 0\.001 is not 0\.01 or more"):
        await other.save(tmp_path / name, fps=0.001)
    assert walk.next_index == other.next_index == 0
    assert len(walk.collect().frames) == len((await other.collect()).frames) == 6
    assert not list(tmp_path.iterdir())
