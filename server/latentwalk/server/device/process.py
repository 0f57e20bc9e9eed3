"""One process of the device, seen from the server."""

import asyncio
import atexit
import socket
from collections.abc import Callable, Sequence
from threading import Lock
from typing import TypeVar

from latentwalk.rpc import forkserver
from latentwalk.server.device.host import serve
from latentwalk.server.device.line import AsyncLine, Line, Message
from latentwalk.server.device.messages import Draw, Make, check, choice_of, pictures_of
from latentwalk.server.device.search_messages import Step, sights_of
from latentwalk.server.device.settings import DeviceSettings
from latentwalk.server.engine import Choice
from latentwalk.server.engine.pixels import Picture
from latentwalk.server.engine.searcher import Sight
from latentwalk.server.scheduler import DeviceFailed

Reply = TypeVar("Reply")

_END_SECONDS = 5.0

forkserver.preload(serve.__module__)


class DeviceProcess:
    """Starts with its construction, is of use after `wait_until_ready`, and ends with `end`, or with the server.

    After DeviceFailed it is of no use.
    """

    def __init__(self, settings: DeviceSettings) -> None:
        (drawing, theirs_drawing), (making, theirs_making) = socket.socketpair(), socket.socketpair()
        self._drawing, self._making = AsyncLine(drawing), Line(making)
        self._making_turn = Lock()
        # Whoever has sent waits for the reply before those who send after.
        self._sending_turn, self._receiving_turn = asyncio.Lock(), asyncio.Lock()
        self._process = forkserver.CONTEXT.Process(
            target=serve, args=(Line(theirs_drawing), Line(theirs_making), settings), name="device", daemon=True
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

    @property
    def id(self) -> int:
        """As the system knows it."""
        return self._process.pid or 0

    @property
    def has_ended(self) -> bool:
        """Whether it is of no use any more."""
        return self._drawing.is_closed

    async def draw(self, forgotten: Sequence[int], request: Draw) -> list[Picture]:
        """The pictures of the request, after those of the ones before. Raises what the engine raises, DeviceFailed."""
        return await self._asked(_with(forgotten, request), pictures_of)

    async def step(self, forgotten: Sequence[int], request: Step) -> list[Sight]:
        """What the searches of the request see; it takes turns with `draw`, and raises the same."""
        return await self._asked(_with(forgotten, request), lambda reply: sights_of(reply, request.searches))

    def make(self, forgotten: Sequence[int], request: Make) -> Choice:
        """How the engine of the request serves. Raises what Tuning.make_engine raises, and DeviceFailed."""
        with self._making_turn:
            try:
                self._making.send(_with(forgotten, request))
            except OSError as error:
                raise self._failed() from error
            return choice_of(self._made())

    def kill(self) -> None:
        """Ends it at once, whatever it does; whoever waits for a reply gets DeviceFailed."""
        self._process.kill()

    def end(self) -> None:
        """Ends it, and frees what it held. Nobody may be waiting for a reply."""
        atexit.unregister(self.end)
        self.kill()
        self._process.join(_END_SECONDS)
        self._drawing.close()
        self._making.close()

    async def _asked(self, message: Message, read: Callable[[Message], Reply]) -> Reply:
        try:
            async with self._sending_turn:
                await self._drawing.send(message)
            async with self._receiving_turn:
                return read(await self._drawing.receive())
        except (EOFError, OSError) as error:
            raise await asyncio.to_thread(self._failed) from error

    def _made(self) -> Message:
        try:
            return self._making.receive()
        except (EOFError, OSError) as error:
            raise self._failed() from error

    def _failed(self) -> DeviceFailed:
        self._process.join(_END_SECONDS)
        code = self._process.exitcode
        return DeviceFailed(f"the device's process ended with exit code {code}; try again: it is replaced")


def _with(forgotten: Sequence[int], request: Draw | Step | Make) -> Message:
    """The request, which also tells of engines that nobody will ask for any more."""
    words, parts = request.to_message()
    return Message({**words, "forgotten": forgotten}, parts)
