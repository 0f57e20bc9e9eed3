"""What TensorBoard is told, read by a reader of its file format that is not ours."""

import base64
import struct
from pathlib import Path

import pytest
from tensorboardX.crc32c import crc32c
from tensorboardX.proto.event_pb2 import Event, SessionLog

from latentwalk.trainer.board import Board
from latentwalk.trainer.reports import Message, Progress, Sample


def read_events(path: Path):
    """The events of a file of TFRecords: length, its checksum, content, its checksum."""
    content, events = path.read_bytes(), []
    while content:
        header = content[:8]
        (length,) = struct.unpack("<Q", header)
        assert masked(header) == struct.unpack("<I", content[8:12])[0]
        events.append(Event.FromString(content[12 : 12 + length]))
        content = content[16 + length :]
    return events


def masked(data: bytes) -> int:
    checksum = crc32c(data)
    return (((checksum >> 15) | (checksum << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def test_numbers_and_pictures_are_shown_at_their_steps(tmp_path):
    board = Board(tmp_path / "board")
    board.hear(Progress(0, 9))
    board.hear(Message("hello"))
    board.hear(Progress(4, 9, 0.75, terms={"zoom": 0.5, "red": 0.25}))
    board.hear(Sample(5, "a sheet", base64.b64encode(b"png").decode()))
    _version, start, first, numbers, picture = read_events(*(tmp_path / "board").iterdir())
    assert (start.session_log.status, start.step, first.step) == (SessionLog.START, 0, 0)
    shown = {value.tag: value.simple_value for value in numbers.summary.value}
    assert (numbers.step, shown) == (4, {"loss": 0.75, "terms/zoom": 0.5, "terms/red": 0.25})
    [value] = picture.summary.value
    assert (picture.step, value.tag, value.image.encoded_image_string) == (5, "a sheet", b"png")


def test_a_run_that_goes_on_from_a_checkpoint_takes_back_what_came_after_it(tmp_path):
    for first in (0, 3):
        board = Board(tmp_path / str(first))
        for step in range(first, 6):
            board.hear(Progress(step, 9, 0.1))
    [path] = (tmp_path / "3").iterdir()
    start = read_events(path)[1]
    assert (start.session_log.status, start.step) == (SessionLog.START, 3)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_ends_the_board_and_not_the_job(tmp_path, monkeypatch, caplog):
    full = Path("/dev/full").open("wb", buffering=0)  # noqa: SIM115
    monkeypatch.setattr("tensorboardX.record_writer.open_file", lambda _: full)
    board = Board(tmp_path)
    board.hear(Progress(0, 9))
    board.hear(Progress(1, 9, 0.1))
    assert len([record for record in caplog.records if "No space left" in record.message]) == 1
