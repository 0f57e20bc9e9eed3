"""The scheduler under any order of events."""

import asyncio
import itertools

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from scheduling import FOREVER, MODEL, OTHER_MODEL, FakeEngine, HeldEngine, make, numbers, settle

from latentwalk.server.scheduler import (
    DeadlinePassed,
    DeviceFailed,
    PictureFailed,
    Priority,
    QueueFull,
    Reuse,
    Terms,
)


class Traffic(RuleBasedStateMachine):
    """Requests come, are read, are cancelled, expire and fail, in any order, while the device draws."""

    MAX_BATCH = 3
    MAX_QUEUED = 10

    ENGINE = FakeEngine

    def __init__(self, **options):
        super().__init__()
        self.runner = asyncio.Runner()
        self.engine = self.ENGINE()
        self.scheduler = make(self.engine, batch=self.MAX_BATCH, queued=self.MAX_QUEUED, **options)
        self.made = {}
        self.requests = {}
        self.yet_to_begin = []
        self.drawn_when_closed = {}
        self.names = itertools.count()

    def teardown(self):
        for name in list(self.requests):
            self.leave(name)
        assert (self.scheduler.queued, self.scheduler.streams) == (0, 0)
        self.runner.close()

    def works(self, name, count, poisoned):
        for work in numbers(name, count, poisoned):
            self.made[name] += 1
            yield work

    @rule(
        count=st.integers(0, 12),
        credit=st.integers(1, 6),
        model=st.sampled_from([MODEL, OTHER_MODEL]),
        lifetime=st.sampled_from([1.0, 5.0, FOREVER]),
        poisoned=st.frozensets(st.integers(0, 11), max_size=2),
        rows=st.integers(1, 4),
        priority=st.sampled_from(list(Priority)),
        client=st.sampled_from("xy"),
        begins=st.booleans(),
    )
    def come(self, count, credit, model, lifetime, poisoned, begins, **terms):
        name = next(self.names)
        self.made[name] = 0
        deadline = self.engine.now + lifetime
        fits = min(credit, count, terms["rows"]) <= self.MAX_QUEUED - self.scheduler.queued
        try:
            stream = self.scheduler.open(model, count, credit=credit, terms=Terms(deadline=deadline, **terms))
        except (QueueFull, DeadlinePassed):
            assert self.made[name] == 0
        else:
            assert fits
            self.requests[name] = {"stream": stream.__enter__(), "read": 0, "count": count, "credit": credit}
            self.requests[name] |= {"deadline": deadline, "poisoned": poisoned, "rows": terms["rows"]}
            self.yet_to_begin.append(name)
            if begins:
                self.begin()

    @precondition(lambda self: self.yet_to_begin)
    @rule()
    def begin(self):
        name = self.yet_to_begin.pop()
        request = self.requests[name]
        request["stream"].begin(self.works(name, request["count"], request["poisoned"]))
        assert self.made[name] >= min(request["rows"], request["credit"], request["count"]), "it has its first frame"

    @rule()
    def draw(self):
        now, before = self.engine.now, len(self.engine.drawn)
        self.runner.run(self.scheduler.step())
        for work in self.engine.drawn[before:]:
            assert self.requests[work[0]]["deadline"] > now

    @rule(pictures=st.sampled_from([1, 2, 100]))
    def have_memory(self, pictures):
        self.engine.memory = pictures

    @rule(seconds=st.floats(0.1, 3.0))
    def pass_time(self, seconds):
        self.engine.now += seconds

    @precondition(lambda self: self.requests)
    @rule(data=st.data(), count=st.integers(1, 4))
    def read(self, data, count):
        name = data.draw(st.sampled_from(sorted(self.requests)))
        self.runner.run(self.read_some(name, count))

    async def read_some(self, name, count):
        """Reads what is there; if that is less, gives the credit back and leaves the rest for later."""
        request = self.requests[name]
        for _ in range(min(count, request["count"] - request["read"])):
            place = request["read"]
            try:
                async with asyncio.timeout(0):
                    pictures = await request["stream"].take(1)
            except TimeoutError:
                return
            except PictureFailed as failed:
                assert failed.index == place  # noqa: PT017 - it may fail, or not
                assert place in request["poisoned"] or self.died_at(name, place, failed.__cause__)  # noqa: PT017
                request["read"] += 1
            except DeadlinePassed:
                assert request["deadline"] <= self.engine.now
                return
            else:
                assert pictures in ([("picture", other, place)] for other in self.like(name))
                request["read"] += 1

    def died_at(self, name, place, error):
        """Whether the device died at this picture with that error."""
        return False

    def like(self, name):
        """Those whose pictures are the same."""
        return [name]

    @precondition(lambda self: self.requests)
    @rule(data=st.data())
    def cancel(self, data):
        self.leave(data.draw(st.sampled_from(sorted(self.requests))))

    def leave(self, name):
        self.requests.pop(name)["stream"].__exit__(None, None, None)
        self.yet_to_begin = [other for other in self.yet_to_begin if other != name]
        self.drawn_when_closed[name] = self.times_drawn(name)

    def draw_something(self):
        self.runner.run(self.scheduler.step())

    def times_drawn(self, name):
        return sum(work[0] == name for work in self.engine.drawn)

    @invariant()
    def bounds_hold(self):
        assert 0 <= self.scheduler.queued <= self.MAX_QUEUED
        assert all(1 <= len(works) <= self.MAX_BATCH for _, works in self.engine.batches)
        for name, request in self.requests.items():
            assert self.made[name] - request["read"] <= request["credit"]

    @invariant()
    def nothing_is_drawn_twice(self):
        assert len(set(self.engine.drawn)) == len(self.engine.drawn)

    @invariant()
    def nothing_is_drawn_for_those_who_left(self):
        for name, times in self.drawn_when_closed.items():
            assert self.times_drawn(name) == times

    @precondition(lambda self: self.requests)
    @rule()
    def everybody_who_keeps_reading_gets_everything(self):
        while self.yet_to_begin:
            self.begin()
        for _ in range(200):
            if not self.waiting():
                break
            self.draw_something()
            for name in self.waiting():
                self.runner.run(self.read_some(name, 4))
        assert not self.waiting()

    def waiting(self):
        """Those who have yet to get a picture, and may still."""

        def waits(request):
            return request["read"] < request["count"] and self.engine.now < request["deadline"]

        return [name for name, request in self.requests.items() if waits(request)]


Traffic.TestCase.settings = settings(deadline=None, max_examples=60, stateful_step_count=30)
TestTraffic = Traffic.TestCase


class Overlap(Traffic):
    """The same on a device that has up to two batches at once, and dies now and then; equal pictures are drawn once."""

    ENGINE = HeldEngine

    def __init__(self):
        super().__init__(reuse=Reuse(lambda model, work: (model, *work[1:])))
        self.turns = []

    def teardown(self):
        for _ in range(100):
            if not (self.turns or self.scheduler.queued):
                break
            self.draw_something()
        assert not self.turns
        super().teardown()

    @rule()
    def draw(self):
        """Gives the device a batch, if it has less than two."""
        if len(self.turns) < 2:
            self.runner.run(self.take_a_turn())

    async def take_a_turn(self):
        self.turns.append(asyncio.create_task(self.scheduler.step()))
        await settle()
        self.forget_the_ended()

    @rule()
    def draw_something(self):
        self.draw()
        self.runner.run(self.engine.draw_next())
        self.forget_the_ended()

    @rule()
    def die(self):
        self.runner.run(self.engine.die())
        self.forget_the_ended()

    def forget_the_ended(self):
        for turn in self.turns:
            if turn.done():
                turn.result()
        self.turns = [turn for turn in self.turns if not turn.done()]

    def died_at(self, name, place, error):
        return isinstance(error, DeviceFailed) and any((one, place) in self.engine.suspects for one in self.like(name))

    def like(self, name):
        return self.made

    @invariant()
    def nothing_is_drawn_for_those_who_left(self):
        """Not so where the device has it already, or another wants it."""

    @invariant()
    def the_device_has_no_more_than_two_batches(self):
        assert len(self.engine.waiting) <= 2


Overlap.TestCase.settings = Traffic.TestCase.settings
TestOverlap = Overlap.TestCase
