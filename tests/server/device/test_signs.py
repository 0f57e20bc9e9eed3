"""Signs of life, from whoever is at something that takes long."""

import socket
import threading
import time
from contextlib import closing, nullcontext

import pytest

from latentwalk.server.device import signs
from latentwalk.server.device.line import Line, Message

ANSWER = Message({"it": "took its time"})


@pytest.fixture
def ends(monkeypatch):
    """A line for whoever asks, and has patience for half a second, and one for whoever answers after a whole one."""
    monkeypatch.setattr(signs, "SECONDS", 0.05)
    asker, answerer = socket.socketpair()
    with closing(asker), closing(answerer):
        yield Line(asker, 0.5), Line(answerer)


def answer(line, meanwhile):
    with meanwhile:
        time.sleep(1.0)
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
