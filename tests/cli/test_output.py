"""What the command line prints, and where: tables in terminals and pipes, bars that come and go."""

import io
import re
import sys
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from latentwalk.cli import progress
from latentwalk.cli.output import show_age, show_table, show_time

COLUMNS = ("id", "state", "sliders")
ROWS = [
    (
        "4007bac1f83a4a50a0496bce7665b86b",
        "running",
        "zoom (0.25 to 4 x), rotate (-90 to 90 deg), shift_x (-18 to 18 px)",
    ),
    ("x", "queued", ""),
]


def printed(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return re.sub(r"\x1b\[\d*m", "", capsys.readouterr().out).splitlines()


def test_a_program_reads_one_line_for_each_row(capsys: pytest.CaptureFixture[str]):
    show_table(COLUMNS, ROWS)
    gap = " " * 2
    assert printed(capsys) == [
        f"{'id':32}{gap}state{gap * 2}sliders",
        f"{ROWS[0][0]}{gap}running{gap}{ROWS[0][2]}",
        f"{'x':32}{gap}queued",
    ]


@pytest.mark.parametrize("columns", [20, 60, 90])
def test_a_narrow_terminal_breaks_the_last_column_between_words(capsys, monkeypatch, columns: int):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(columns))
    show_table(COLUMNS, ROWS)
    head, first, *others, last = printed(capsys)
    start = head.index("sliders")
    assert first[:start].split() == [*ROWS[0][:2]]
    assert all(line[:start].isspace() for line in others)
    assert " ".join(line[start:] for line in (first, *others)) == ROWS[0][2]
    assert max(map(len, (first, *others))) <= max(columns, start + 24)
    assert last.split() == ["x", "queued"]


def test_a_wide_terminal_breaks_nothing(capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "300")
    show_table(COLUMNS, ROWS)
    assert len(printed(capsys)) == 3


def test_a_head_without_words_is_left_out(capsys: pytest.CaptureFixture[str]):
    show_table(("", ""), [("state", "running")])
    assert printed(capsys) == ["state  running"]


def test_times_are_those_of_the_clock_here():
    time = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
    assert datetime.strptime(show_time(time), "%Y-%m-%d %H:%M:%S").astimezone() == time
    assert show_time(None) == ""


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(-3, "0 s"), (119, "119 s"), (120, "2 min"), (7_199, "119 min"), (172_799, "47 h"), (10**7, "115 d")],
)
def test_an_age_is_told_in_the_largest_unit_of_which_there_are_two(seconds: int, told: str):
    assert show_age(timedelta(seconds=seconds)) == told


def test_a_bar_shows_how_many_have_come_and_goes_at_the_end(monkeypatch):
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=60)
    monkeypatch.setattr(progress, "errors", console)
    come = 0
    with progress.counting(lambda: come, 3, "frames") as bars:
        come = 2
        bars.refresh()
    assert "frames" in screen.getvalue()
    assert "2/3" in screen.getvalue()
    assert screen.getvalue().endswith("\x1b[2K")  # the line is cleared


def test_without_a_terminal_there_is_no_bar(capsys: pytest.CaptureFixture[str]):
    with progress.counting(lambda: 0, 3, "frames"):
        pass
    assert capsys.readouterr() == ("", "")
