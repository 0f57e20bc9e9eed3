"""The trial keeps the fastest form, and no form that does not draw what it should."""

import copy
import logging

import pytest
import torch

from latentwalk.server.engine import variants
from latentwalk.server.engine.rows import Inputs
from latentwalk.server.engine.trial import Trial

CPU = torch.device("cpu")
BUCKETS = (1, 2, 4, 8)
SLOW = 0.02  # seconds: much more than these generators take


class Clock:
    """On which time passes while it is looked at, and while a form draws that says so; not with the machine's load."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        self.now += 0.0001
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def offer(monkeypatch):
    """Makes these the only forms: functions (generator, z, condition) -> pictures; the reference is always there."""

    def replace(**forms):
        def bound(form):
            return lambda generator: lambda inputs: form(generator, inputs.code, inputs.condition)

        table = {name: bound(form) for name, form in forms.items()}
        monkeypatch.setattr(variants, "VARIANTS", table := {"fp32": variants.VARIANTS["fp32"]} | table)
        monkeypatch.setattr("latentwalk.server.engine.trial.VARIANTS", table)

    return replace


def slow_reference(generator, clock, seconds=SLOW):
    """The same generator, of which each batch takes so long: so that it wins only where nothing else may.

    `drawn` lists the sizes of the batches.
    """
    slow = copy.copy(generator)
    slow.drawn = []

    def forward(z, *others):
        slow.drawn.append(len(z))
        clock.now += seconds
        return generator.forward(z, *others)

    slow.forward = forward
    return slow


def choose(generator, clock, seconds=2.0, tolerance=0.5):
    return Trial(slow_reference(generator, clock), CPU, BUCKETS, seconds, clock).choose(tolerance)


def forward(generator, z, condition):
    return type(generator).forward(generator, z, condition)


def test_the_fastest_form_serves_at_every_size(faces, offer, clock):
    offer(fast=forward)
    choice = choose(faces, clock)
    assert choice.variants == dict.fromkeys(BUCKETS, "fast")
    assert all(0 < seconds < SLOW for seconds in choice.seconds.values())
    assert (choice.mean_error, choice.max_error) == (0.0, 0)


def test_every_form_there_is_passes_or_is_left_out(digits):
    choice = Trial(digits, CPU, BUCKETS, 0.5).choose(0.5)
    assert set(choice.variants.values()) <= variants.VARIANTS.keys()
    assert choice.mean_error <= 0.5


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (lambda generator, z, condition: forward(generator, z, condition) + 0.1, "off on average"),
        (lambda generator, z, condition: forward(generator, z, condition) - (z.shape[0] > 1) * 0.1, "alone and in a"),
        (lambda generator, z, condition: forward(generator, z * float("nan"), condition), "fails"),
        (lambda generator, z, condition: 1 / 0, "fails"),
    ],
    ids=["far off", "minds its neighbours", "not finite", "raises"],
)
def test_a_form_that_draws_anything_else_is_left_out(faces, offer, clock, caplog, wrong, reason):
    offer(wrong=wrong)
    with caplog.at_level(logging.INFO):
        assert set(choose(faces, clock).variants.values()) == {"fp32"}
    assert reason in caplog.text


def test_the_tolerance_decides_what_is_near_enough(faces, offer, clock):
    offer(near=lambda generator, z, condition: forward(generator, z, condition) + 2 / 255)  # one step of uint8
    assert set(choose(faces, clock, tolerance=1.5).variants.values()) == {"near"}
    assert set(choose(faces, clock, tolerance=0.5).variants.values()) == {"fp32"}


def test_a_tolerance_of_nothing_leaves_equal_bytes(faces):
    assert Trial(faces, CPU, BUCKETS, 0.5).choose(0.0).max_error == 0


def sleepy(form, clock, when):
    """The form, which takes longer for some batch sizes, though not so long that it is left behind."""

    def draw(generator, z, condition):
        clock.now += SLOW / 2 if when(len(z)) else SLOW / 5
        return form(generator, z, condition)

    return draw


def near(generator, z, condition):
    return forward(generator, z, condition) + 0.4 / 255


def test_forms_with_equal_bytes_share_the_sizes(faces, offer, clock):
    offer(small=sleepy(forward, clock, lambda size: size > 2), large=sleepy(forward, clock, lambda size: size <= 2))
    assert choose(faces, clock).variants == {1: "small", 2: "small", 4: "large", 8: "large"}


def test_forms_with_other_bytes_do_not(faces, offer, clock):
    offer(small=sleepy(forward, clock, lambda size: size > 1), large=sleepy(near, clock, lambda size: size == 1))
    assert len(set(choose(faces, clock, tolerance=1.5).variants.values())) == 1


def greedy(generator, z, condition):
    return forward(generator, z, condition) if len(z) < 8 else torch.empty(1 << 50)


def test_a_form_without_memory_for_large_batches_is_not_timed_with_them(faces, offer, clock):
    offer(thrifty=near, greedy=greedy)
    assert choose(faces, clock, tolerance=1.5).variants == dict.fromkeys(BUCKETS, "thrifty")


def test_sizes_for_which_no_form_has_memory_are_not_timed(faces, offer, clock):
    offer()
    hungry = copy.copy(faces)
    hungry.forward = lambda z, *others: greedy(faces, z, *others)
    assert set(choose(hungry, clock).seconds) == {1, 2, 4}


def test_a_budget_that_is_over_at_once_still_gives_a_choice_for_every_size(faces):
    choice = Trial(faces, CPU, BUCKETS, 1e-6).choose(0.5)
    assert set(choice.variants) == set(BUCKETS)
    assert set(choice.seconds) == {1}


@pytest.mark.parametrize(("seconds", "most"), [(14.0, 1), (3.0, 2)])
def test_a_generator_of_which_one_picture_takes_all_the_time_is_not_drawn_again_and_again(faces, clock, seconds, most):
    slow = slow_reference(faces, clock, seconds)
    choice = Trial(slow, CPU, BUCKETS, 5.0, clock).choose(0.5)
    assert choice.variants == dict.fromkeys(BUCKETS, "fp32")
    assert slow.drawn == [1] * most
    assert choice.seconds == pytest.approx({1: seconds}, rel=0.01)


def test_what_the_first_use_costs_is_not_taken_for_what_a_picture_takes_though_it_takes_all_the_time(faces, clock):
    costs = [1.0]
    slow = copy.copy(faces)

    def forward(z, *others):
        clock.now += costs.pop() if costs else SLOW
        return faces.forward(z, *others)

    slow.forward = forward
    choice = Trial(slow, CPU, BUCKETS, 0.5, clock).choose(0.5)
    assert choice.seconds == pytest.approx({1: SLOW}, rel=0.1)


def test_compiled_forms_are_tried_only_when_there_is_time():
    assert "bf16-compiled" not in variants.worth_trying(5.0)
    assert "bf16-compiled" in variants.worth_trying(120.0)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("ignore")
def test_a_compiled_form_draws_what_the_generator_draws(faces):
    draw = variants.VARIANTS["bf16-compiled"](faces)
    for size in (1, 4):
        z = torch.randn(size, 6)
        with torch.inference_mode():
            assert (draw(Inputs(z, None)).float() - faces(z)).abs().mean() < 0.01
