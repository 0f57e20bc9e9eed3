"""A process of a job: forked from one that has imported all that a job needs, which takes a fresh one seconds."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from latentwalk.rpc import forkserver
from latentwalk.trainer.preloaded import preload
from latentwalk.trainer.runner import run_forked

# A sheet of samples has some hundred KiB; the result of a bank of 65,536 slots, with a number for each, some MiB.
_LONGEST_LINE = 16 << 20
# With this, multiprocessing says that the fork server is gone, and with it the process's exit code.
_UNKNOWN = 255

preload()


class ForkedProcess:
    """Runs `python -m latentwalk.trainer.runner` with these arguments; the log gets its standard error.

    It ends, at once, when this object does, and so with the service, however that ends. To be made in a thread that may
    wait: the fork server may still have to import. Raises OSError if the process cannot be forked.
    """

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        lifeline, self._lifeline = forkserver.CONTEXT.Pipe(duplex=False)
        self._said, voice = forkserver.CONTEXT.Pipe(duplex=False)
        streams = lifeline, voice, log
        self._process = forkserver.CONTEXT.Process(
            target=run_forked, args=(arguments, environment, streams), name="job", daemon=True
        )
        self._has_ended = False
        try:
            self._process.start()
        except EOFError as error:
            raise OSError("a process for the job cannot be forked: the fork server has ended") from error
        finally:
            lifeline.close()
            voice.close()

    @property
    def id(self) -> int:
        """As the system knows it."""
        return self._process.pid or 0

    async def said(self) -> AsyncIterator[bytes]:
        """The lines of its standard output, until that is closed. To be read once."""
        reader = asyncio.StreamReader(limit=_LONGEST_LINE)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), self._said)
        try:
            async for line in reader:
                yield line
        finally:
            transport.close()

    async def wait(self) -> int:
        """Its exit code, once it has ended; -N if signal N killed it."""
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        loop.add_reader(self._process.sentinel, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(self._process.sentinel)
        self._process.join()
        code = self._process.exitcode
        self._has_ended = code != _UNKNOWN
        return -signal.SIGKILL if code is None or code == _UNKNOWN else code

    def terminate(self) -> None:
        """Asks it to stop; nothing happens if it has ended."""
        self._signal(os.kill, signal.SIGTERM)

    def kill(self) -> None:
        """Kills it, and whatever it has started; nothing happens if it has ended."""
        self._lifeline.close()
        self._signal(os.killpg, signal.SIGKILL)
        self._signal(os.kill, signal.SIGKILL)  # it may not have got so far as to lead a group

    def _signal(self, send: Callable[[int, int], None], number: int) -> None:
        """Not by multiprocessing, for which a process has ended when its fork server has."""
        if not self._has_ended:
            with suppress(ProcessLookupError):
                send(self.id, number)
