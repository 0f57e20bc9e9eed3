"""The device's process: holds the engines, and answers one request after the other on each of two lines.

One line is for drawing and one for making, so that a new model that is measured and warmed holds nobody up. When the
server is gone, however it ended, the lines are closed, and the process ends.
"""

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial

from latentwalk.rpc import logs
from latentwalk.server.device import signs
from latentwalk.server.device.line import Line, Message
from latentwalk.server.device.messages import Draw, Make, Tidy, drawn, failure, made, ready
from latentwalk.server.device.search_messages import Step, seen
from latentwalk.server.device.settings import DeviceSettings
from latentwalk.server.engine import Engine, Tuning, find_devices, is_lost, settle_on, use_threads
from latentwalk.server.engine.memory import give_back, memory_watched

# While an engine is made, the line that draws needs the interpreter for a moment between two operations of torch.
_SWITCH_SECONDS = 0.00005

_log = logging.getLogger("latentwalk.device")


class Host:
    """The engines, by number."""

    def __init__(self, tuning: Tuning) -> None:
        self._tuning = tuning
        self._engines: dict[int, Engine] = {}
        self._answers: Mapping[str, Callable[[Message], Message]] = {
            Draw.KIND: self._draw,
            Step.KIND: self._step,
            Make.KIND: self._make,
            Tidy.KIND: lambda _: ready(),
        }

    def answer(self, message: Message) -> Message:
        """The reply to a request. Raises what has made the device of no more use to this process."""
        try:
            return self._answers[message.words["kind"]](message)
        except Exception as error:
            if any(map(is_lost, self._tuning.devices)):
                raise
            return failure(error)

    def forget(self, engines: Sequence[int]) -> None:
        """Let go of these engines."""
        if [number for number in engines if self._engines.pop(number, None)]:
            give_back()

    def _draw(self, message: Message) -> Message:
        request = Draw.from_message(message)
        return drawn(self._engines[request.engine].draw(request.rows))

    def _step(self, message: Message) -> Message:
        request = Step.from_message(message)
        return seen(self._engines[request.engine].searcher.step(request.searches))

    def _make(self, message: Message) -> Message:
        request = Make.from_message(message)
        try:
            with memory_watched():
                engine = self._engines[request.engine] = self._tuning.make_engine(request.generator, request.choice)
        finally:
            give_back()  # what the forms took that were not chosen
        return made(engine.choice)


def serve(drawing: Line, making: Line, settings: DeviceSettings) -> None:
    """The whole life of the process. First it says on the line for making whether the device can be used."""
    # A signal to all processes of a group is meant for the server, which drains first.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    logs.configure(settings.log_level)
    sys.setswitchinterval(_SWITCH_SECONDS)
    use_threads(settings.threads)
    try:
        with signs.given(making):
            devices = find_devices(settings.device)
            settle_on(devices)
            host = Host(settings.tuning(devices))
    except Exception as error:  # noqa: BLE001 - it goes to the server
        _tell(making, failure(error))
        return
    _tell(making, ready())
    slow = making, host, partial(signs.given, making)
    threading.Thread(target=_converse_to_the_end, args=slow, name="making", daemon=True).start()
    _converse_to_the_end(drawing, host, nullcontext)


def _tell(line: Line, message: Message) -> None:
    """Also when the server has gone: who waits for its next request is told so."""
    with suppress(OSError):
        line.send(message)


def _converse_to_the_end(line: Line, host: Host, meanwhile: Callable[[], AbstractContextManager[None]]) -> None:
    """Ends the process with the conversation: whatever the other line has under way is for nobody.

    Also if it breaks down, as where there is no memory for an answer: nobody may wait for one for ever.
    """
    code = 1
    try:
        _converse(line, host, meanwhile)
        code = 0
    except BaseException:  # noqa: BLE001 - not even a panic of a library may end the thread alone
        _log.exception("the device's process cannot go on")
    finally:
        os._exit(code)


def _converse(line: Line, host: Host, meanwhile: Callable[[], AbstractContextManager[None]]) -> None:
    """Answers until the line is closed, each request within the context of `meanwhile`; holds none while it waits."""
    while True:
        try:
            line.send(_answer(line.receive(), host, meanwhile))
        except (EOFError, OSError):
            return


def _answer(message: Message, host: Host, meanwhile: Callable[[], AbstractContextManager[None]]) -> Message:
    host.forget(message.words["forgotten"])
    with meanwhile():
        return host.answer(message)
