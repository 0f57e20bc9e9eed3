"""The engine on CUDA itself, where there is some; what needs none of it is in test_recording."""

import copy
import multiprocessing
import threading
from contextlib import suppress

import numpy as np
import pytest
import torch
from biggan import make_biggan
from styled import make_lively, make_styled

from latentwalk.gan.generator import Generator
from latentwalk.gan.spec import SPACES, GeneratorSpec
from latentwalk.server.engine import (
    Choice,
    Engine,
    Noise,
    NonFinitePicture,
    Row,
    Tuning,
    find_device,
    is_lost,
    settle_on,
)
from latentwalk.server.engine.core import unmeasured
from latentwalk.server.engine.rows import sample_rows
from latentwalk.server.engine.variants import VARIANTS, NotApplicable

pytestmark = [pytest.mark.cuda, pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")]

CPU = torch.device("cpu")
STYLEGAN2 = GeneratorSpec(
    "stylegan2", 6, 2, 16, 3, {"width": 4, "max_width": 8, "mapping_layers": 2}, spaces=SPACES, layers=6, w_size=5
)
MAKERS = {
    "biggan_deep": make_biggan,
    "stylegan": make_styled,
    "stylegan2": lambda: make_lively(STYLEGAN2),
}


@pytest.fixture
def cuda():
    device = find_device("cuda")
    settle_on([device])
    return device


@pytest.fixture(params=["faces", "digits", *MAKERS])
def generator(request) -> Generator:
    make = MAKERS.get(request.param)
    return make() if make else request.getfixturevalue(request.param)


def off_by(pictures, others):
    """By how many steps of a byte, at the worst pixel."""
    pairs = zip(pictures, others, strict=True)
    numbers = [[np.frombuffer(one, np.uint8).astype(int) for one in pair] for pair in pairs]
    return max(np.abs(one - other).max() for one, other in numbers)


def test_recorded_graphs_draw_what_the_cpu_draws(generator, cuda):
    batch = sample_rows(generator, 13)
    engine = Engine(copy.deepcopy(generator), cuda, choice=unmeasured((1, 2, 4, 8)))
    engine.warm()
    for _ in range(2):  # what one has left behind where all of them compute is nothing to the next
        assert off_by(engine.draw(batch), Engine(generator, CPU).draw(batch)) <= 1


def test_noise_is_drawn_there_as_on_the_cpu(cuda):
    styled = make_styled()
    batch = [Row(row.code, None, noise=Noise(seed, 1.0)) for seed, row in enumerate(sample_rows(styled, 3))]
    there = Engine(copy.deepcopy(styled), cuda, choice=unmeasured((1, 2)))
    assert off_by(there.draw(batch), Engine(styled, CPU).draw(batch)) <= 1


@pytest.mark.parametrize("name", VARIANTS)
def test_every_form_there_draws_what_the_generator_draws(generator, cuda, name):
    batch, there = sample_rows(generator, 4), copy.deepcopy(generator).to(cuda)
    try:
        VARIANTS[name](there)
    except NotApplicable as reason:
        pytest.skip(str(reason))
    engine = Engine(there, cuda, choice=Choice({4: name}, {}, 0.0, 0))
    assert off_by(engine.draw(batch), Engine(generator, CPU).draw(batch)) <= 16


def test_a_strict_row_has_equal_bytes_each_time_and_in_any_company(generator, cuda):
    batch = sample_rows(generator, 5)
    strict = Row(batch[0].code, batch[0].condition, strict=True)
    engine = Engine(copy.deepcopy(generator), cuda, choice=unmeasured((1, 2, 4)))
    (alone,) = engine.draw([strict])
    assert all(engine.draw([*batch[:others], strict])[-1] == alone for others in range(5))


def test_a_model_is_tuned_while_another_draws_there(faces, digits, cuda):
    drawing = Engine(copy.deepcopy(faces), cuda)
    drawing.warm()
    batch, failed, done = sample_rows(faces, 11), [], threading.Event()
    expected = drawing.draw(batch)

    def draw():
        while not done.is_set():
            if drawing.draw(batch) != expected:
                failed.append("other bytes")

    thread = threading.Thread(target=draw)
    thread.start()
    engine = Tuning((cuda,), 8, 3.0, 0.5, "").make_engine(copy.deepcopy(digits))
    done.set()
    thread.join()
    assert not failed
    assert off_by(engine.draw(sample_rows(digits, 8)), Engine(digits, CPU).draw(sample_rows(digits, 8))) <= 16


def test_a_family_that_makes_the_host_wait_is_drawn_without_graphs(faces, cuda, caplog):
    waiting = copy.deepcopy(faces)
    waiting.register_forward_pre_hook(lambda module, inputs: inputs[0].sum().item() and None)
    engine = Engine(waiting, cuda, choice=unmeasured((1, 2)))
    assert off_by(engine.draw(sample_rows(faces, 3)), Engine(faces, CPU).draw(sample_rows(faces, 3))) <= 1
    assert "is drawn without CUDA graphs" in caplog.text


def test_a_picture_that_is_not_finite_fails_alone(faces, cuda):
    good = sample_rows(faces, 2)
    bad = Row(np.full_like(good[0].code, np.nan), None)
    first, failed, second = Engine(copy.deepcopy(faces), cuda).draw([good[0], bad, good[1]])
    assert isinstance(failed, NonFinitePicture)
    assert off_by([first, second], Engine(faces, CPU).draw(good)) <= 1


def lose() -> None:
    device = find_device("cuda")
    assert not is_lost(device)
    numbers = torch.zeros(4, device=device)
    with suppress(RuntimeError):
        numbers[torch.tensor([99], device=device)].sum().item()
    assert is_lost(device)


def test_after_an_illegal_access_the_device_is_lost_to_the_process():
    process = multiprocessing.get_context("spawn").Process(target=lose)
    process.start()
    process.join()
    assert process.exitcode == 0
