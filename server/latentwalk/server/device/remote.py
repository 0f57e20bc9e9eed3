"""The device as the server has it: in one process at a time, and in the next one when that has ended."""

import asyncio
import logging
import time
import weakref
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from queue import Empty, SimpleQueue
from threading import Lock

from latentwalk.gan.generator import Generator
from latentwalk.gan.inversion import Search
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.server.device.messages import Draw, Make
from latentwalk.server.device.process import DeviceProcess
from latentwalk.server.device.search_messages import Step
from latentwalk.server.device.settings import DeviceSettings
from latentwalk.server.engine import Choice, PictureSize, Row
from latentwalk.server.engine.perception import Perception
from latentwalk.server.engine.pixels import Picture
from latentwalk.server.engine.searcher import Sight
from latentwalk.server.scheduler import LONGEST_SECONDS, DeviceFailed, DeviceLost

# An engine that comes back may take this many times as long as it took to be made at first.
_PATIENCE = 2.0
_LOOK_SECONDS = 0.05
# A step of a search is a picture and the way back through the generator, in plain fp32.
_STEP_COST = 5.0
# Two batches may wait for the device to come back, and others, which were given up, may still do; and it may be tidied.
_THREADS = 5

_log = logging.getLogger("latentwalk.device")


class Device:
    """Makes engines that draw in the device's process. For any thread. Raises NoSuchDevice."""

    def __init__(self, settings: DeviceSettings) -> None:
        self._settings = settings
        self._turn = Lock()
        self._closed = False
        self.threads = ThreadPoolExecutor(_THREADS, "device")
        """In which its end and its return are waited for, whatever else the threads of the server do."""
        self._process = DeviceProcess(settings, self.threads)
        self._process.wait_until_ready()
        # Until then, an engine that comes back may take its time.
        self._patient_until = 0.0
        self._numbers = count()
        # Reentrant, unlike a list with a lock: engines may be collected anywhere.
        self._forgotten: SimpleQueue[int] = SimpleQueue()

    @property
    def perception(self) -> Perception:
        """What its searches may compare pictures by."""
        return self._settings.perception

    def make_engine(self, generator: Generator) -> "RemoteEngine":
        """The generator on the device, in its fastest form, and warm."""
        return RemoteEngine(self, generator, next(self._numbers))

    def process(self) -> DeviceProcess:
        """The process that serves; a new one if the last one has ended.

        Raises DeviceFailed after `close`, or if the new one has ended too, and DeviceLost if it finds no device.
        """
        with self._turn:
            if self._closed:
                raise DeviceFailed("the device was closed: the server is ending")
            if self._process.has_ended:
                _log.error(
                    "the device's process has ended with exit code %s; a new one is started", self._process.exit_code()
                )
                self._process.end()
                self._start_again()
            return self._process

    async def seek(self) -> DeviceProcess:
        """As `process`, for the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, self.process)

    def _start_again(self) -> None:
        try:
            self._process = DeviceProcess(self._settings, self.threads)
            self._process.wait_until_ready()
        except DeviceFailed:
            raise
        except Exception as error:
            raise DeviceLost(f"the device cannot be used any more: {error}") from error

    def process_id(self) -> int:
        """Of the process that serves, or served last."""
        return self._process.id

    def holds(self, process: DeviceProcess) -> bool:
        """Whether it is this process that serves."""
        return process is self._process and not process.has_ended

    def interrupt(self) -> None:
        """Ends the process, at which whatever it draws, makes, or starts with fails with DeviceFailed.

        Not while an engine comes back that was not made in a moment either. To be called again until it has ended.
        """
        if time.monotonic() >= self._patient_until and not self._process.has_ended:
            _log.error("the device's process does not answer, and is ended")
            self._process.kill()

    def be_patient(self, seconds: float) -> None:
        """Lets an engine come back for so long, whatever `interrupt` says."""
        self._patient_until = max(self._patient_until, time.monotonic() + seconds)

    def close(self) -> None:
        """Ends the process; the engines are of no use any more."""
        self._closed = True
        # Whoever starts a process now waits for it.
        while not self._turn.acquire(timeout=_LOOK_SECONDS):
            self._process.kill()
        self._process.end()
        self._turn.release()

    def forget(self, engine: int) -> None:
        """Nobody will ask for this engine any more: the process is told with the next request, or by `tidy`."""
        self._forgotten.put(engine)

    async def tidy(self, seconds: float) -> None:
        """Looks every so many seconds whether the process was not told yet of engines that nobody will ask for.

        Until it is cancelled. Else a model that was unloaded would stay on the device for as long as nothing is drawn.
        """
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(seconds)
            if (engines := self.forgotten()) and not self._process.has_ended:
                with suppress(DeviceFailed):  # and all that it held has gone with it
                    await loop.run_in_executor(self.threads, self._process.tidy, engines)

    def forgotten(self) -> Sequence[int]:
        """Those that the process was not told of yet."""
        engines: list[int] = []
        with suppress(Empty):
            while True:  # another thread may take the rest: a wait for one more might never end
                engines.append(self._forgotten.get_nowait())
        return engines


class RemoteEngine:
    """A generator in the device's process. When that has ended, it comes back in the same form with `prepare`."""

    longest_seconds = LONGEST_SECONDS
    """Of a batch, while a smaller one can be had."""

    def __init__(self, device: Device, generator: Generator, number: int) -> None:
        self.spec: GeneratorSpec = generator.spec
        self.digest: str = generator.digest
        self.size = PictureSize(self.spec.resolution, self.spec.resolution, self.spec.channels)
        self.generator = generator
        """Here, on the CPU: for what is not drawn, such as its mapping network."""
        self.perception = device.perception
        self._device = device
        self._number = number
        self._return = asyncio.Lock()
        weakref.finalize(self, device.forget, number).atexit = False
        started = time.monotonic()
        self._process, self.choice = self._made(None)
        self._patience = _PATIENCE * (time.monotonic() - started)

    @property
    def seconds(self) -> Mapping[int, float]:
        """How long a batch takes, by batch size, as far as that was measured."""
        return self.choice.seconds

    async def draw(self, rows: Sequence[Row]) -> list[Picture]:
        """As Engine.draw, after what any engine of the device was asked before.

        Raises DeviceFailed if the process ends meanwhile: the next `prepare` has it started again.
        """
        return await self._process.draw(self._device.forgotten(), Draw(self._number, rows))

    async def step(self, searches: Sequence[Search]) -> list[Sight]:
        """As Searcher.step, in turn with `draw`, and it raises the same."""
        return await self._process.step(self._device.forgotten(), Step(self._number, searches))

    async def prepare(self) -> None:
        """Returns once it is in the process that serves. To be called before each `draw` or `step`; raises as those."""
        if not self._device.holds(self._process):
            async with self._return:
                await self._come_back()

    async def _come_back(self) -> None:
        """Unless somebody else who draws has waited for that already."""
        if not self._device.holds(self._process):
            self._device.be_patient(self._patience)
            loop = asyncio.get_running_loop()
            self._process, self.choice = await loop.run_in_executor(self._device.threads, self._made, self.choice)

    def _made(self, choice: Choice | None) -> tuple[DeviceProcess, Choice]:
        process = self._device.process()
        return process, process.make(self._device.forgotten(), Make(self._number, self.generator, choice))


class RemoteSearcher:
    """The searches of an engine, as another that draws: their batches are of steps, which take longer than pictures."""

    longest_seconds = 0.1
    """Of a batch, while a smaller one can be had: a search is in no hurry, and is to hold up nobody who is."""

    def __init__(self, engine: RemoteEngine) -> None:
        self._engine = engine

    @property
    def seconds(self) -> Mapping[int, float]:
        """How long a batch may take, before the first has told: guessed from that of pictures."""
        return {size: _STEP_COST * seconds for size, seconds in self._engine.seconds.items()}

    def check_lpips(self) -> None:
        """Raises GanError if searches cannot go by LPIPS. May read its weights."""
        self._engine.perception.check(self._engine.spec)

    async def prepare(self) -> None:
        """As RemoteEngine.prepare."""
        await self._engine.prepare()

    async def draw(self, searches: Sequence[Search]) -> list[Sight]:
        """As RemoteEngine.step."""
        return await self._engine.step(searches)
