"""The thread that asks the database: in turn, and no hindrance to whoever leaves."""

import subprocess
import sys
import threading
from concurrent.futures import CancelledError

import pytest

from latentwalk.trainer.jobs.clerk import Clerk

LEAVES = """
import threading
from latentwalk.trainer.jobs.clerk import Clerk
clerk = Clerk("clerk")
clerk.ask(threading.Event().wait)
clerk.leave(0.1)
print("left")
"""


@pytest.fixture
def clerk():
    clerk = Clerk("clerk")
    yield clerk
    clerk.leave(10)


def test_calls_are_answered_one_by_one_in_the_order_in_which_they_came(clerk):
    made = list[int]()
    answers = [clerk.ask(lambda number=number: made.append(number) or 2 * number) for number in range(100)]
    assert [answer.result() for answer in answers] == [2 * number for number in range(100)]
    assert made == list(range(100))


def test_what_a_call_raises_is_its_callers_and_the_next_is_made(clerk):
    failing, good = clerk.ask(lambda: 1 / 0), clerk.ask(lambda: 1)
    with pytest.raises(ZeroDivisionError):
        failing.result()
    assert good.result() == 1


def test_a_call_that_is_cancelled_in_line_is_not_made(clerk):
    go, made = threading.Event(), list[str]()
    clerk.ask(go.wait)
    cancelled, last = clerk.ask(lambda: made.append("cancelled")), clerk.ask(lambda: made.append("last"))
    assert cancelled.cancel()
    go.set()
    last.result()
    assert made == ["last"]
    with pytest.raises(CancelledError):
        cancelled.result()


def test_who_leaves_waits_for_the_call_that_is_under_way_but_not_for_those_in_line():
    clerk, begun, go, made = Clerk("clerk"), threading.Event(), threading.Event(), list[str]()
    under_way = clerk.ask(lambda: (begun.set(), go.wait(), made.append("under way")))
    clerk.ask(lambda: made.append("in line"))
    begun.wait()
    clerk.leave(0.01)  # not long enough
    assert not under_way.done()
    go.set()
    clerk.leave(60)
    assert under_way.done()
    assert made == ["under way"]


def test_a_program_ends_though_a_call_never_does():
    ended = subprocess.run([sys.executable, "-c", LEAVES], capture_output=True, text=True, timeout=120)
    assert ended.stdout == "left\n"
    assert ended.returncode == 0
