"""A line brings what it was given, in order, whatever its size."""

import asyncio
import socket
import threading
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentwalk.server.device.line import AsyncLine, Line, Message

# Some larger than what the system holds between the two ends.
SIZES = st.lists(st.one_of(st.integers(0, 100), st.integers(200_000, 1_000_000)), min_size=1, max_size=5)


def plain(message):
    """With parts that outlive the next message."""
    return Message(message.words, [bytes(part) for part in message.parts])


def messages(sizes):
    return [Message({"place": place, "name": "zoé"}, [b"x" * size, b"", b"y"]) for place, size in enumerate(sizes)]


def raw(message):
    """As it travels."""
    one, other = socket.socketpair()
    with one, other:
        Line(one).send(message)
        return other.recv(1 << 16)


async def through(lines, values):
    """What arrives of the values, sent from another thread."""
    sender, receiver = lines
    thread = threading.Thread(target=lambda: [sender.send(value) for value in values])
    thread.start()
    arrived = [plain(await receiver.receive()) for _ in values]
    thread.join()
    return arrived


@given(sizes=SIZES)
def test_what_a_thread_sends_arrives_on_the_loop(sizes):
    values = messages(sizes)
    one, other = socket.socketpair()
    with one, other:
        assert asyncio.run(through((Line(one), AsyncLine(other)), values)) == values


@given(sizes=SIZES)
def test_what_the_loop_sends_arrives_in_a_thread(sizes):
    values = messages(sizes)
    one, other = socket.socketpair()
    line, arrived = Line(other), []

    async def send_all():
        sender = AsyncLine(one)
        for value in values:
            await sender.send(value)

    with one, other:
        thread = threading.Thread(target=lambda: arrived.extend(plain(line.receive()) for _ in values))
        thread.start()
        asyncio.run(send_all())
        thread.join()
    assert arrived == values


def memory_after_a_large_message(**options):
    """What a line holds while it waits for the message after that, in bytes."""
    one, other = socket.socketpair()
    large, line = Message({}, [bytes(10_000_000)]), Line(other, **options)
    tracemalloc.start()
    with one, other:
        sending = threading.Thread(target=Line(one).send, args=(large,))
        sending.start()
        assert len(line.receive().parts[0]) == 10_000_000
        sending.join()
        other.settimeout(0.01)
        with pytest.raises(TimeoutError):
            line.receive()
        memory, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return memory


def test_memory_for_large_messages_is_kept_unless_they_are_rare():
    assert memory_after_a_large_message() > 10_000_000
    assert memory_after_a_large_message(rare=True) < 1_000_000


async def test_the_end_of_the_other_side_is_told_after_what_it_sent():
    one, other = socket.socketpair()
    with other:
        sender, line = Line(one), AsyncLine(other)
        assert not line.is_closed
        sender.send(Message({"last": "words"}))
        sender.close()
        assert not line.is_closed
        assert (await line.receive()).words == {"last": "words"}
        assert line.is_closed
        with pytest.raises(EOFError, match="the other end is closed"):
            await line.receive()


async def test_what_has_come_with_the_last_message_is_still_to_be_received():
    one, other = socket.socketpair()
    with other:
        sender, line = Line(one), AsyncLine(other)
        for message in messages([10, 20]):
            sender.send(message)
        sender.close()
        for message in messages([10, 20]):
            assert not line.is_closed
            assert plain(await line.receive()) == message
        assert line.is_closed


@pytest.mark.parametrize("length", [1, 15, 16, 20])
async def test_a_line_that_ended_within_a_message_is_closed(length):
    one, other = socket.socketpair()
    with other:
        line = AsyncLine(other)
        with one:
            one.sendall(raw(Message({"half": "a word"}))[:length])
        with pytest.raises(EOFError, match="the other end is closed"):
            await line.receive()
        assert line.is_closed


def test_an_end_that_was_closed_here_is_closed_whatever_has_come_before():
    one, other = socket.socketpair()
    with one, other:
        line = AsyncLine(one)
        Line(other).send(Message({"nobody": "waits for it"}))
        line.close()
        assert line.is_closed
