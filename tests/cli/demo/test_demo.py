"""`latentwalk demo`, from end to end with a tiny generator in place of the faces."""

import json
import signal
import sqlite3
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image

EDITS = ["brightness", "zoom", "shift_x", "rotate"]


# A demo is two services and their jobs: what hangs is ended by this, and not sooner by a machine that is busy.
pytestmark = pytest.mark.timeout(600)


def processes_of(data: Path) -> list[str]:
    """What the processes that work on a data folder are: their command lines, and the logs of jobs."""
    found = logs_of_jobs(data)
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            command = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if str(data) in command and "cli.main" not in command:
                found.append(command)
    return found


def logs_of_jobs(data: Path) -> list[str]:
    """The logs of the jobs that run: the standard error of their processes."""
    logs: list[str] = []
    for entry in Path("/proc").glob("[0-9]*/fd/2"):
        with suppress(OSError):
            logs.append(str(entry.readlink()))
    return [log for log in logs if log.startswith(str(data / "jobs"))]


@pytest.fixture
def data(tmp_path, publish_faces) -> Path:
    publish_faces(tmp_path / "data")
    return tmp_path / "data"


def assert_that_it_left_no_process_and_no_job(data: Path) -> None:
    assert processes_of(data) == []
    with sqlite3.connect(data / "trainer.db") as database:
        states = [state for (state,) in database.execute("SELECT state FROM jobs")]
    assert states
    assert set(states) == {"CANCELLED"}


def test_it_is_interrupted_runs_again_on_what_it_left_and_leaves_pictures_and_numbers(
    start_latentwalk, data, tmp_path, wait_until
):
    out = tmp_path / "demo"
    interrupted = start_latentwalk("demo", "--out", out, "--data", data, "--steps", 1_000_000)
    wait_until(lambda: logs_of_jobs(data))
    interrupted.send_signal(signal.SIGINT)
    _, told = interrupted.communicate()
    assert interrupted.returncode == 130
    assert "Traceback" not in told
    assert_that_it_left_no_process_and_no_job(data)

    process = start_latentwalk("demo", "--out", out, "--data", data, "--steps", 3)
    table, told = process.communicate()
    assert process.returncode == 0, told
    assert processes_of(data) == []
    assert "frames per second" in table
    summary = json.loads((out / "summary.json").read_text())
    assert list(summary["directions"]) == EDITS
    assert summary["frames_per_second"] > 0
    for name, direction in summary["directions"].items():
        assert name in table
        assert (direction["version"], direction["steps"], direction["doing_nothing"] > 0) == ("1", 3, True)
        with Image.open(out / direction["strip"]) as strip:
            assert strip.size == (9 * 66 - 2, 3 * 66 - 2)
    with Image.open(out / summary["sheet"]) as sheet:
        assert (sheet.width > 9 * 66, sheet.height > 4 * 3 * 66) == (True, True)
    with Image.open(out / summary["tour"]) as tour:
        assert (tour.info["loop"], tour.n_frames > 30) == (0, True)


def test_a_terminated_demo_cleans_up_as_well(start_latentwalk, data, tmp_path, wait_until):
    process = start_latentwalk("demo", "--out", tmp_path / "demo", "--data", data, "--steps", 1_000_000)
    wait_until(lambda: logs_of_jobs(data))
    process.terminate()
    _, told = process.communicate()
    assert process.returncode == 128 + signal.SIGTERM
    assert "Traceback" not in told
    assert_that_it_left_no_process_and_no_job(data)


def test_a_service_that_cannot_start_is_told_with_the_end_of_its_log(start_latentwalk, data, tmp_path):
    (data / "trainer.db").mkdir()
    process = start_latentwalk("demo", "--out", tmp_path / "demo", "--data", data)
    _, told = process.communicate()
    assert process.returncode == 1
    assert "error: latentwalk.trainer ended with exit code 1" in told
    assert "Traceback" not in told
    assert processes_of(data) == []
