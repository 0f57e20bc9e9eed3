"""A device that draws tuples, and a scheduler on its clock."""

import asyncio
from collections import deque
from contextlib import asynccontextmanager

from latentwalk.server.scheduler import (
    LONGEST_SECONDS,
    DeviceFailed,
    DeviceOutOfMemory,
    Hooks,
    Limits,
    NeverBegun,
    Scheduler,
    Terms,
)

FOREVER = float("inf")
MODEL, OTHER_MODEL = "a model", "another model"
"""The names of all models that there are."""


class Model:
    """A worker of the scheduler, which has its works done by `run`."""

    def __init__(self, name, run, measured, longest, prepare):
        self.name, self._run, self._prepare = name, run, prepare
        self.seconds, self.longest_seconds = measured(name), longest(name)

    async def prepare(self):
        await self._prepare(self.name)

    async def draw(self, works):
        return await self._run(self.name, works)


class NamedModels(Scheduler):
    """A scheduler of which models are asked by their names."""

    def __init__(self, models, *what, **how):
        super().__init__(*what, **how)
        self._models = {model.name: model for model in models}

    def open(self, model, *what, **how):
        return super().open(self._models[model], *what, **how)


class Poisoned(Exception):
    """This picture cannot be drawn."""


class FakeEngine:
    """Draws tuples; a work that is poisoned takes its whole batch down, and so does a batch beyond the memory."""

    def __init__(self, seconds_per_picture=0.0, seconds_per_batch=0.0):
        self.now = 0.0
        self.seconds_per_picture = seconds_per_picture
        self.seconds_per_batch = seconds_per_batch
        self.memory = 1_000_000
        self.drawn = []
        self.batches = []

    def clock(self):
        return self.now

    async def run(self, model, works):
        self.batches.append((model, list(works)))
        if len(works) > self.memory:
            raise DeviceOutOfMemory
        self.now += self.seconds_per_picture * len(works) + self.seconds_per_batch
        if any(work[-1] == "poisoned" for work in works):
            raise Poisoned
        self.drawn += works
        return [("picture", *work) for work in works]


class HeldEngine(FakeEngine):
    """Is given batches at any time, and draws them in that order, each when it is told to."""

    def __init__(self):
        super().__init__()
        self.given = []
        self.waiting = deque()
        self.suspects = set()
        """The works at which it died."""

    async def run(self, model, works):
        self.given.append(list(works))
        self.waiting.append((works, turn := asyncio.get_running_loop().create_future()))
        await turn
        return await super().run(model, works)

    async def draw_next(self):
        """Is done with the batch that it was given first, if it has any."""
        if self.waiting:
            self.waiting.popleft()[1].set_result(None)
        await settle()

    async def die(self):
        """Ends while it draws that batch, and is there again."""
        for place, (works, turn) in enumerate(self.waiting):
            turn.set_exception(NeverBegun("it died before") if place else DeviceFailed("it died"))
            self.suspects.update([] if place else works)
        self.waiting.clear()
        await settle()


async def settle():
    """Lets everybody do what there is to do."""
    for _ in range(20):
        await asyncio.sleep(0)


async def come_back_at_once(model):
    """What a model does before a batch that is still there."""


def make(
    engine,
    run=None,
    *,
    measured=lambda model: {},
    longest=lambda model: LONGEST_SECONDS,
    prepare=come_back_at_once,
    batch=4,
    queued=16,
    streams=100,
    queue_seconds=FOREVER,
    reuse=None,
    watchdog_seconds=FOREVER,
    **hooks,
):
    """A scheduler on the clock of its engine, and whom it tells of what."""
    models = [Model(name, run or engine.run, measured, longest, prepare) for name in (MODEL, OTHER_MODEL)]
    limits = Limits(batch, queued, streams, queue_seconds)
    how = {"reuse": reuse, "watchdog_seconds": watchdog_seconds, "clock": engine.clock}
    return NamedModels(models, limits, hooks=Hooks(**hooks), **how)


@asynccontextmanager
async def running(engine, **how):
    """A scheduler that runs; whatever the engine still holds in the end is drawn."""
    scheduler = make(engine, **how)
    drawing = asyncio.create_task(scheduler.run())
    await settle()
    try:
        yield scheduler
    finally:
        scheduler.close()
        while not drawing.done():
            await engine.draw_next()
        await drawing


def numbers(name, count, poisoned=()):
    """The works of a stream: (name, place), or (name, place, "poisoned")."""
    for place in range(count):
        yield (name, place, "poisoned") if place in poisoned else (name, place)


def opened_only(scheduler, count, *, credit=100, model=MODEL, **terms):
    """A stream that has yet to begin."""
    return scheduler.open(model, count, credit=credit, terms=Terms(**terms))


def opened(scheduler, name, count, *, poisoned=(), **how):
    stream = opened_only(scheduler, count, **how)
    stream.begin(numbers(name, count, poisoned))
    return stream
