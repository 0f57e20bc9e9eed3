"""Walks and interpolations: frames as they arrive, collected, as strips and as files that move."""

import gc
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from latentwalk.client import Client, Displacement, Frames, InvalidRequest, Leg, Stretch


def test_frames_come_in_order_with_one_picture_for_each_start(client: Client):
    with client.walk("tiny", "zoom", amount=(0.5, 2), seeds=[1, 2, 3], frames=5) as walk:
        header = walk.header()
        frames = list(walk)
    assert (header.frames, header.rows, header.model_digest) == (5, 3, client.model("tiny").digest)
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
    assert all(len(frame.pictures) == 3 for frame in frames)


def test_positions_are_told_in_both_measures(client: Client):
    frames = client.walk("tiny", "zoom", amount=(0.5, 2), seeds=1, frames=3).collect()
    positions = [frame.positions[0] for frame in frames]
    assert [position.direction for position in positions] == ["zoom"] * 3
    assert [position.alpha for position in positions] == pytest.approx([-0.5, 0, 0.5])
    assert [position.amount for position in positions] == pytest.approx([0.5, 1, 2])


def test_without_a_measure_a_walk_covers_what_was_trained_with_the_untouched_picture_in_the_middle(client: Client):
    frames = client.walk("tiny", "zoom", seeds=4, frames=9).collect()
    assert [frame.positions[0].alpha for frame in frames] == pytest.approx(np.linspace(-1, 1, 9))
    untouched = client.generate("tiny", seeds=4)[0].array
    assert np.abs(frames[4].pictures[0].array.astype(int) - untouched).max() <= 1
    skewed = client.walk("tiny", "bank", slider="right", seeds=4, frames=4).collect()
    assert [frame.positions[0].alpha for frame in skewed] == pytest.approx([-1, 0, 1, 2])


def test_a_slider_of_several_is_walked_by_its_name_and_has_no_amount(client: Client):
    frame = client.walk("tiny", "bank", slider="right", alpha=(2, 2), seeds=1, frames=1).collect()[0]
    assert (frame.positions[0].slider, frame.positions[0].alpha, frame.positions[0].amount) == ("right", 2, None)


def test_a_slider_of_one_class_moves_others_only_with_any_class(client: Client):
    push = Displacement("loops", alpha=1)
    for draw in (
        lambda **rest: client.walk("digits", "loops", seeds=1, frames=2, **rest).collect(),
        lambda **rest: client.walk_legs("digits", Leg(Stretch("loops"), frames=2), seeds=1, **rest).collect(),
        lambda **rest: client.generate("digits", seeds=[1, 2], displacements=push, **rest),
    ):
        with pytest.raises(InvalidRequest, match="found for class 2, the latent is of class 0"):
            draw(classes=0)
        assert len(draw(classes=2)) == len(draw(classes=0, any_class=True)) == 2


def test_legs_follow_one_another_and_stretches_of_one_add_up(client: Client):
    both = Leg([Stretch("zoom", alpha=(0, 1)), Stretch("bank", slider="left", alpha=(0, 2))], frames=3)
    back = Leg(Stretch("zoom", alpha=(1, 0)), frames=2, easing="in_out")
    frames = client.walk_legs("tiny", [both, back], seeds=[1, 2]).collect()
    standing = [{p.slider: p.alpha for p in frame.positions} for frame in frames]
    assert [alphas["zoom"] for alphas in standing] == pytest.approx([0, 0.5, 1, 1, 0])
    # The second leg does not name it, so it stays.
    assert [alphas["left"] for alphas in standing] == pytest.approx([0, 1, 2, 2, 2])


def test_a_loop_comes_back_without_repeating_its_ends(client: Client):
    frames = client.walk("tiny", "zoom", alpha=(0, 1), seeds=1, frames=4, loop=True).collect()
    alphas = [frame.positions[0].alpha for frame in frames]
    assert alphas == pytest.approx([0, 1 / 3, 2 / 3, 1, 2 / 3, 1 / 3])


def test_an_interpolation_visits_every_keyframe(client: Client):
    frames = client.interpolate("tiny", seeds=[1, 2, 3], frames_per_leg=4, method="lerp", easing="in").collect()
    keyframes = client.generate("tiny", seeds=[1, 2, 3]).array.astype(int)
    assert len(frames) == 9
    for index, keyframe in zip((0, 4, 8), keyframes, strict=True):
        assert np.abs(frames[index].pictures[0].array - keyframe).max() <= 1
    assert len(client.interpolate("tiny", seeds=[1, 2, 3], frames_per_leg=4, loop=True).collect()) == 12


def test_a_strip_has_a_row_for_each_start_and_a_column_for_each_frame(client: Client):
    frames = client.walk("tiny", "zoom", seeds=[1, 2, 3], frames=5).collect()
    assert frames.array.shape == (5, 3, 16, 16, 3)
    strip = frames.strip()
    assert (strip.height, strip.width) == (3 * 18 - 2, 5 * 18 - 2)
    assert np.array_equal(strip.array[18:34, 36:52], frames[2].pictures[1].array)
    assert strip._repr_png_() == frames._repr_png_()


def test_a_grid_wraps_the_frames_of_each_start(client: Client):
    frames = client.walk("tiny", "zoom", seeds=[1, 2], frames=5).collect()
    grid = frames.grid(columns=3)
    assert (grid.height, grid.width) == (4 * 18 - 2, 3 * 18 - 2)
    assert np.array_equal(grid.array[36:52, :16], frames[0].pictures[1].array)
    with pytest.raises(InvalidRequest, match="columns: 0 is not from 1"):
        frames.grid(columns=0)


@pytest.mark.parametrize("ending", ["gif", "webp"])
def test_a_file_that_moves_plays_for_ever_with_the_starts_beside_one_another(client: Client, tmp_path, ending: str):
    path = tmp_path / f"zoom.{ending}"
    client.walk("tiny", "zoom", seeds=[1, 2], frames=6).save(path, fps=10)
    with Image.open(path) as image:
        assert (image.size, image.n_frames, image.info["loop"]) == ((2 * 18 - 2, 16), 6, 0)
        image.seek(3)
        image.load()
        assert image.info["duration"] == 100


@pytest.mark.parametrize(
    ("ending", "fps", "shown"),
    [
        ("gif", 15, [70, 60, 70]),  # hundredths of a second, never one behind
        ("gif", 1000, [20, 20, 20]),  # what is shorter is shown for longer by browsers
        ("webp", 15, [67, 66, 67]),
        ("webp", 0.01, [100_000] * 3),
    ],
)
def test_a_file_keeps_its_time_as_nearly_as_it_can(client: Client, tmp_path, ending: str, fps: float, shown: list[int]):
    path = tmp_path / f"walk.{ending}"
    client.walk("tiny", "zoom", seeds=1, frames=3).save(path, fps=fps)
    with Image.open(path) as image:
        durations = []
        for frame in range(image.n_frames):
            image.seek(frame)
            image.load()
            durations.append(image.info["duration"])
    assert durations == shown


@pytest.mark.parametrize("fps", [0, -1, 0.001, float("nan")])
def test_a_file_that_would_stand_still_is_refused(client: Client, tmp_path, fps: float):
    frames = client.walk("tiny", "zoom", seeds=1, frames=3).collect()
    with pytest.raises(InvalidRequest, match=r"fps: .* is not 0\.01 or more"):
        frames.save(tmp_path / "walk.gif", fps=fps)


def test_a_file_that_stands_still_holds_the_strip(client: Client, tmp_path):
    client.walk("tiny", "zoom", seeds=[1, 2], frames=4).save(tmp_path / "zoom.png")
    with Image.open(tmp_path / "zoom.png") as image:
        assert image.size == (4 * 18 - 2, 2 * 18 - 2)


def test_a_file_that_cannot_be_written_is_told_of_before_anything_is_drawn(client: Client, tmp_path):
    walk = client.walk("tiny", "no such direction", seeds=1)
    with pytest.raises(InvalidRequest, match=r"'\.mov', must be one of .*, \.gif, \.mp4$"):
        walk.save(tmp_path / "zoom.mov")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        walk.save(tmp_path / "nowhere" / "zoom.gif")
    (tmp_path / "folder.gif").mkdir()
    with pytest.raises(IsADirectoryError):
        walk.save(tmp_path / "folder.gif")


def test_a_part_of_some_frames_is_frames(client: Client):
    frames = client.walk("tiny", "zoom", seeds=1, frames=5).collect()
    assert isinstance(frames[1:4], Frames)
    assert [frame.index for frame in frames[1:4]] == [1, 2, 3]


def test_the_same_seed_is_the_same_picture_alone_in_a_batch_and_in_a_walk(client: Client):
    alone = client.generate("tiny", seeds=11).array[0].astype(int)
    batch = client.generate("tiny", seeds=[*range(20), 11]).array[-1]
    walked = client.walk("tiny", "zoom", alpha=(0, 0), seeds=[1, 11], frames=2).collect().array[1, 1]
    assert np.abs(alone - batch).max() <= 1
    assert np.abs(alone - walked).max() <= 1


def test_threads_may_share_a_client(client: Client):
    def walk(seed: int) -> np.ndarray:
        return client.walk("tiny", "zoom", seeds=seed, frames=8).collect().array

    with ThreadPoolExecutor(8) as pool:
        at_once = list(pool.map(walk, range(8)))
    for seed, frames in enumerate(at_once):
        assert np.abs(frames.astype(int) - walk(seed)).max() <= 1


def cancelled_walks(server) -> float:
    lines = [
        line
        for line in server.metrics().splitlines()
        if line.startswith("grpc_server_handled_total") and '"Walk"' in line and "CANCEL" in line.upper()
    ]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


def leave_by_close(walk):
    walk.close()


def leave_by_with(walk):
    with walk:
        next(walk)


def leave_by_forgetting(walk):
    del walk
    gc.collect()


@pytest.mark.parametrize("leave", [leave_by_close, leave_by_with])
def test_leaving_a_walk_early_ends_it_on_the_server(server, client: Client, leave):
    before = cancelled_walks(server)
    walk = client.walk("tiny", "zoom", seeds=range(16), frames=10_000)
    assert next(walk).index == 0
    leave(walk)
    wait_until(lambda: cancelled_walks(server) == before + 1)
    assert list(walk) == []


def test_forgetting_a_walk_ends_it_on_the_server(server, client: Client):
    before = cancelled_walks(server)
    for frame in client.walk("tiny", "zoom", seeds=range(16), frames=10_000):
        assert frame.index == 0
        break
    gc.collect()
    wait_until(lambda: cancelled_walks(server) == before + 1)


def test_a_walk_that_is_never_read_sends_nothing(server, client: Client):
    before = server.metrics().count('grpc_method="Walk"'), cancelled_walks(server)
    client.walk("tiny", "no such direction", seeds=1).close()
    assert (server.metrics().count('grpc_method="Walk"'), cancelled_walks(server)) == before


def wait_until(true, seconds: float = 120) -> None:
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.05)
