"""One process of the device, seen from the server."""

import asyncio
import atexit
import logging
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from threading import Lock
from typing import TypeVar

from latentwalk.rpc import forkserver
from latentwalk.server.device import signs
from latentwalk.server.device.host import serve
from latentwalk.server.device.line import AsyncLine, Line, Message
from latentwalk.server.device.messages import Draw, Make, Tidy, check, choice_of, pictures_of
from latentwalk.server.device.search_messages import Step, sights_of
from latentwalk.server.device.settings import DeviceSettings
from latentwalk.server.engine import Choice
from latentwalk.server.engine.pixels import Picture
from latentwalk.server.engine.searcher import Sight
from latentwalk.server.scheduler import DeviceFailed, NeverBegun

Reply = TypeVar("Reply")

_END_SECONDS = 5.0

_log = logging.getLogger("latentwalk.device")

forkserver.preload(serve.__module__)


class DeviceProcess:
    """Starts with its construction, is of use after `wait_until_ready`, and ends with `end`, or with the server.

    After DeviceFailed it is of no use; nor after a request was cancelled, whose reply would be taken for another's. In
    `threads`, the event loop has its end waited for.
    """

    def __init__(self, settings: DeviceSettings, threads: Executor) -> None:
        (drawing, theirs_drawing), (making, theirs_making) = socket.socketpair(), socket.socketpair()
        self._patience = settings.patience
        self._threads = threads
        self._drawing, self._making = AsyncLine(drawing), Line(making, self._patience)
        self._making_turn, self._ending_turn = Lock(), Lock()
        # Replies come in the order of the requests, and so they are waited for.
        self._sending_turn, self._receiving_turn = asyncio.Lock(), asyncio.Lock()
        self._asked, self._answered = 0, 0
        self._is_ready = False
        self._process = forkserver.CONTEXT.Process(
            target=serve,
            args=(Line(theirs_drawing), Line(theirs_making, rare=True), settings),
            name="device",
            daemon=True,
        )
        self._process.start()
        # Before multiprocessing's own handler, which would wait for the process.
        atexit.register(self.end)
        theirs_drawing.close()
        theirs_making.close()

    def wait_until_ready(self) -> None:
        """Returns when it can be asked, which may take seconds; else it is ended.

        Raises NoSuchDevice, and DeviceFailed if the process ends before it is ready.
        """
        try:
            check(self._made())
        except Exception:
            self.end()
            raise
        self._is_ready = True

    @property
    def id(self) -> int:
        """As the system knows it."""
        return self._process.pid or 0

    @property
    def has_ended(self) -> bool:
        """Whether it is of no use any more."""
        return self._drawing.is_closed

    async def draw(self, forgotten: Sequence[int], request: Draw) -> list[Picture]:
        """The pictures of the request, after those of the ones before.

        Raises what the engine raises, DeviceFailed if the process ends meanwhile, and NeverBegun if it ends before it
        has come to this request.
        """
        return await self._ask(_with(forgotten, request), pictures_of)

    async def step(self, forgotten: Sequence[int], request: Step) -> list[Sight]:
        """What the searches of the request see; it takes turns with `draw`, and raises the same."""
        return await self._ask(_with(forgotten, request), lambda reply: sights_of(reply, request.searches))

    def make(self, forgotten: Sequence[int], request: Make) -> Choice:
        """How the engine of the request serves. Raises what Tuning.make_engine raises, and DeviceFailed."""
        return choice_of(self._ask_at_leisure(_with(forgotten, request)))

    def tidy(self, forgotten: Sequence[int]) -> None:
        """Has it let go of engines, once it has made what it makes. Raises DeviceFailed."""
        check(self._ask_at_leisure(_with(forgotten, Tidy())))

    def exit_code(self) -> int | None:
        """With which it has ended, which is waited for; -N if signal N killed it."""
        with self._ending_turn:  # of two threads that wait for a process, one may be told a code that is not its own
            self._process.join(_END_SECONDS)
            return self._process.exitcode

    def kill(self) -> None:
        """Ends it at once, whatever it does; whoever waits for a reply gets DeviceFailed."""
        self._process.kill()
        self._drawing.close()

    def end(self) -> None:
        """Ends it, and frees what it held. Whoever waits for a reply gets DeviceFailed."""
        atexit.unregister(self.end)
        self.kill()
        self.exit_code()
        self._making.close()

    async def _ask(self, message: Message, read: Callable[[Message], Reply]) -> Reply:
        place, self._asked = self._asked, self._asked + 1
        try:
            async with self._sending_turn:
                await self._drawing.send(message)
            async with self._receiving_turn:
                reply = await self._drawing.receive()
                self._answered += 1
                return read(reply)
        except (EOFError, OSError) as error:
            kind = NeverBegun if place > self._answered else DeviceFailed
            raise await asyncio.get_running_loop().run_in_executor(self._threads, self._failed, kind) from error
        except (asyncio.CancelledError, MemoryError):
            # Its reply, or the rest of it, would be taken for that to the next request.
            self.kill()
            raise

    def _ask_at_leisure(self, message: Message) -> Message:
        with self._making_turn:
            try:
                self._making.send(message)
            except OSError as error:
                raise self._lost(error) from error
            return self._made()

    def _made(self) -> Message:
        try:
            return signs.after(self._making)
        except (EOFError, OSError) as error:
            raise self._lost(error) from error

    def _lost(self, error: Exception) -> DeviceFailed:
        """What the error on the line for making means; one that gives no sign of life is ended."""
        if not isinstance(error, TimeoutError):
            return self._failed()
        what = (
            f"the device's process has given no sign of life for {self._patience:g} s (watchdog_seconds), and is ended"
        )
        _log.error(what)
        self.kill()
        return DeviceFailed(f"{what}{self._advice}")

    def _failed(self, kind: type[DeviceFailed] = DeviceFailed) -> DeviceFailed:
        when = "" if self._is_ready else " before it was ready"
        return kind(f"the device's process ended with exit code {self.exit_code()}{when}{self._advice}")

    @property
    def _advice(self) -> str:
        """The first one is not replaced: without it, no server starts."""
        return "; try again: it is replaced" if self._is_ready else ""


def _with(forgotten: Sequence[int], request: Draw | Step | Make | Tidy) -> Message:
    """The request, which also tells of engines that nobody will ask for any more."""
    words, parts = request.to_message()
    return Message({**words, "forgotten": forgotten}, parts)
