"""Signs of life, from whoever is at something that takes long."""

import os
import signal
import socket
import threading
import time
from contextlib import closing, nullcontext

import pytest

from latentwalk.rpc import forkserver
from latentwalk.server.device import signs
from latentwalk.server.device.line import Line, Message

ANSWER = Message({"it": "took its time"})


@pytest.fixture
def ends(monkeypatch):
    """A line for whoever asks, and has patience for a second, and one for whoever answers after one and a half."""
    monkeypatch.setattr(signs, "SECONDS", 0.05)
    asker, answerer = socket.socketpair()
    with closing(asker), closing(answerer):
        yield Line(asker, 1.0), Line(answerer)


def answer(line, meanwhile):
    with meanwhile:
        time.sleep(1.5)
    line.send(ANSWER)


def answering(line, meanwhile):
    thread = threading.Thread(target=answer, args=(line, meanwhile))
    thread.start()
    return thread


def test_whoever_gives_signs_of_life_may_take_as_long_as_it_needs(ends):
    asker, answerer = ends
    thread = answering(answerer, signs.given(answerer))
    assert signs.after(asker).words == ANSWER.words
    thread.join()


def test_whoever_gives_none_is_waited_for_no_longer_than_there_is_patience(ends):
    asker, answerer = ends
    thread = answering(answerer, nullcontext())
    with pytest.raises(TimeoutError):
        signs.after(asker)
    thread.join()


def test_the_answer_is_the_last_that_is_sent(ends):
    asker, answerer = ends
    for _ in range(2):
        thread = answering(answerer, signs.given(answerer))
        assert signs.after(asker).words == ANSWER.words
        thread.join()
    with pytest.raises(TimeoutError):
        asker.receive()


def test_nobody_minds_that_the_asker_has_gone(ends):
    asker, answerer = ends
    asker.close()
    with signs.given(answerer):
        time.sleep(0.2)


def ask(end):
    line = Line(end, 3.0)
    line.send(Message({"has": "begun"}))
    assert signs.after(line).words == ANSWER.words


def test_an_asker_that_was_stopped_does_not_blame_the_other_end_which_may_have_been_stopped_too():
    asker, answerer = socket.socketpair()
    with closing(answerer):
        line = Line(answerer)
        process = forkserver.CONTEXT.Process(target=ask, args=(asker,))
        process.start()
        asker.close()
        line.receive()
        time.sleep(0.5)
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(3.0)
        os.kill(process.pid, signal.SIGCONT)
        time.sleep(0.2)
        line.send(ANSWER)
        process.join()
    assert process.exitcode == 0
