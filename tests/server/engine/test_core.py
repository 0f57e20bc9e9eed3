"""A picture depends on its row and the weights, never on its neighbours (law 1)."""

import copy
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from latentwalk.gan.images import to_uint8
from latentwalk.gan.latents import one_hot, z_from_seeds
from latentwalk.server.engine import (
    Engine,
    NonFinitePicture,
    NoSuchDevice,
    Row,
    Tuning,
    find_device,
    find_devices,
    is_lost,
)
from latentwalk.server.engine.choice import steady
from latentwalk.server.engine.core import unmeasured
from latentwalk.server.engine.rows import sample_rows
from latentwalk.server.scheduler import DeviceOutOfMemory

CPU = torch.device("cpu")


def rows(count, classes=0):
    codes = z_from_seeds(range(count), 6)
    conditions = one_hot([k % classes for k in range(count)], classes).numpy() if classes else [None] * count
    return [Row(z, condition) for z, condition in zip(codes.numpy(), conditions, strict=True)]


def pixels(picture):
    return np.frombuffer(picture, np.uint8).astype(int)


@pytest.mark.parametrize("size", range(1, 33))
def test_a_picture_is_the_same_alone_and_in_a_batch_of_any_size(faces, size):
    engine = Engine(faces, CPU)
    together = rows(32)
    for row, picture in zip(together, engine.draw(together[:size]), strict=False):
        (alone,) = engine.draw([row])
        assert np.abs(pixels(alone) - pixels(picture)).max() <= 1


def test_pictures_are_those_of_the_bare_generator(faces):
    with torch.inference_mode():
        expected = to_uint8(faces(z_from_seeds(range(4), 6)), faces.spec.range).numpy()
    assert Engine(faces, CPU).draw(rows(4)) == [picture.tobytes() for picture in expected]
    assert len(set(Engine(faces, CPU).draw(rows(4)))) == 4


def test_a_condition_decides_what_is_drawn(digits):
    engine, z = Engine(digits, CPU), z_from_seeds([1], 6)[0].numpy()
    drawn = engine.draw([Row(z, condition) for condition in torch.eye(3).numpy()])
    assert len(set(drawn)) == 3
    assert [len(picture) for picture in drawn] == [engine.size.bytes] * 3 == [256] * 3


def test_a_picture_that_is_not_finite_fails_alone(wild):
    engine, good = Engine(wild, CPU), rows(2)
    bad = Row(np.full(6, 1e20, np.float32), None)
    first, failed, second = engine.draw([good[0], bad, good[1]])
    assert isinstance(failed, NonFinitePicture)
    assert [first, second] == engine.draw(good)


def test_what_overflows_in_the_form_that_serves_is_drawn_in_plain_fp32(faces):
    generator = copy.deepcopy(faces)

    def overflow(module, inputs, pictures):
        return pictures.index_fill(0, torch.tensor([1]), torch.inf) if pictures.dtype == torch.bfloat16 else None

    generator.register_forward_hook(overflow)
    engine = Engine(generator, CPU, choice=replace(unmeasured((2,)), variants={2: "bf16"}))
    expected = Engine(faces, CPU, choice=replace(unmeasured((2,)), variants={2: "bf16"})).draw(rows(2))
    assert engine.draw(rows(2)) == [expected[0], Engine(faces, CPU).draw(rows(2))[1]]


def test_running_out_of_memory_is_told_so_that_smaller_batches_are_tried(faces):
    greedy = copy.copy(faces)
    greedy.forward = lambda z, condition: faces(z, condition) if len(z) < 4 else torch.empty(1 << 50)
    engine = Engine(greedy, CPU)
    assert engine.draw(rows(3)) == Engine(faces, CPU).draw(rows(3))
    with pytest.raises(DeviceOutOfMemory, match="allocate"):
        engine.draw(rows(4))


def test_sizes_for_which_there_is_no_memory_are_let_go_of_when_it_is_warmed(faces, caplog):
    greedy = copy.copy(faces)
    greedy.forward = lambda z, condition: faces(z, condition) if len(z) < 4 else torch.empty(1 << 50)
    for choice in (
        unmeasured((1, 2, 4, 8)),
        replace(unmeasured((1, 2, 4, 8)), seconds={1: 1.0, 2: 1.0, 4: 1.0, 8: 1.0}),
    ):
        engine = Engine(greedy, CPU, choice=choice)
        engine.warm()
        assert list(engine.variants) == [1, 2]
        assert engine.lacks_memory
        assert "is drawn in batches of at most 2: for more, " in caplog.text
        assert engine.draw(rows(5)) == Engine(faces, CPU).draw(rows(5))


def test_a_generator_of_which_not_even_one_picture_fits_is_refused(faces):
    greedy = copy.copy(faces)
    greedy.forward = lambda z, condition: torch.empty(1 << 50)
    with pytest.raises(DeviceOutOfMemory, match="allocate"):
        Engine(greedy, CPU).warm()


def test_warming_up_works_with_and_without_classes(faces, digits):
    for generator in (faces, digits):
        Engine(generator, CPU).warm()


@pytest.mark.parametrize("name", ["faces", "digits"])
def test_a_tuned_engine_draws_the_same_picture_alone_and_in_any_company(name, request):
    generator = request.getfixturevalue(name)
    engine = Tuning((CPU,), max_batch=16, seconds=0.3, tolerance=0.5, cache="").make_engine(generator)
    assert set(engine.variants) == set(engine.seconds) == {1, 2, 4, 8, 16}
    together = sample_rows(generator, 16)
    alone = [pixels(engine.draw([row])[0]) for row in together]
    for size in range(1, 17):
        for picture, expected in zip(engine.draw(together[:size]), alone, strict=False):
            assert np.abs(pixels(picture) - expected).max() <= 1
    for picture, expected in zip(Engine(generator, CPU).draw(together), alone, strict=True):
        assert np.abs(pixels(picture) - expected).mean() <= 1


def test_sizes_for_which_there_was_no_time_are_measured_while_they_are_warmed(faces):
    engine = Tuning((CPU,), max_batch=8, seconds=1e-6, tolerance=0.5, cache="").make_engine(faces)
    assert set(engine.seconds) == {1, 2, 4, 8}


def test_sizes_of_which_a_batch_takes_too_long_are_not_warmed(faces):
    drawn, slow = [], copy.copy(faces)
    slow.forward = lambda z, condition: (drawn.append(len(z)), faces(z, condition))[1]
    for measured, kept in (({1: 9.0}, {1}), ({1: 1.0, 2: 1.9, 4: 3.7}, {1, 2, 4})):
        choice = replace(unmeasured((1, 2, 4, 8)), seconds=measured)
        engine = Engine(slow, CPU, choice=choice)
        drawn.clear()
        engine.warm()
        assert set(engine.variants) == set(engine.seconds) == kept
        assert set(drawn) == kept
        assert engine.draw(rows(11)) == Engine(faces, CPU).draw(rows(11))


def test_what_the_first_use_costs_does_not_speak_against_larger_sizes(faces):
    drawn, slow = list[int](), copy.copy(faces)

    def forward(z, condition):
        time.sleep(0 if drawn else 2.1)  # of a batch of 2 it would be too much
        drawn.append(len(z))
        return faces(z, condition)

    slow.forward = forward
    engine = Engine(slow, CPU, choice=unmeasured((1, 2, 4)))
    engine.warm()
    assert list(engine.variants) == [1, 2, 4]


def test_a_larger_batch_is_taken_to_be_no_slower_by_the_picture_than_a_smaller_one():
    assert steady({4: 5.0, 1: 1.0, 2: 1.5, 8: 4.0}) == {1: 1.0, 2: 1.5, 4: 3.0, 8: 4.0}


def test_a_strict_row_has_equal_bytes_in_any_company(faces):
    engine = Tuning((CPU,), max_batch=8, seconds=0.1, tolerance=0.5, cache="").make_engine(faces)
    company = sample_rows(faces, 11)
    strict = replace(company[5], strict=True)
    (expected,) = engine.draw([strict])
    for size in range(11):
        for place in (0, size // 2, size):
            rows = company[:size]
            rows.insert(place, strict)
            assert engine.draw(rows)[place] == expected


def test_more_rows_than_the_largest_batch_are_drawn_in_several(faces):
    engine = Engine(faces, CPU, choice=unmeasured((1, 2, 4)))
    assert engine.draw(rows(11)) == Engine(faces, CPU).draw(rows(11))
    assert engine.draw([]) == []


def test_a_batch_with_room_left_is_padded_without_a_trace(faces):
    cheap = replace(unmeasured((1, 8)), seconds={1: 1.0, 8: 1.5})  # as on a GPU, where 8 cost hardly more than 1
    assert Engine(faces, CPU, choice=cheap).draw(rows(5)) == Engine(faces, CPU).draw(rows(5))


@pytest.mark.parametrize("count", [1, 2, 3, 7, 32])
def test_several_devices_share_the_rows_and_keep_their_order(faces, count):
    engine = Engine(faces, CPU, CPU, CPU)
    engine.warm()
    assert engine.draw(rows(count)) == Engine(faces, CPU).draw(rows(count))


def test_when_one_device_fails_nothing_is_told_before_the_others_have_drawn(faces):
    generator, begun, drawing = copy.deepcopy(faces), threading.Event(), set()

    def before(module, _):
        if module is generator:
            begun.wait(10)
            raise torch.OutOfMemoryError
        drawing.add(module)
        begun.set()
        time.sleep(0.2)

    generator.register_forward_pre_hook(before)
    generator.register_forward_hook(lambda module, *_: drawing.discard(module))
    engine = Engine(generator, CPU, CPU)
    with pytest.raises(DeviceOutOfMemory):
        engine.draw(rows(2))
    assert begun.is_set()
    assert not drawing


def test_a_device_that_is_not_there_is_refused_by_name():
    assert find_device("cpu") == CPU
    for name in ("cuda:99", "toaster"):
        with pytest.raises(NoSuchDevice, match=f"device '{name}' cannot be used"):
            find_device(name)


def test_only_of_cuda_a_process_may_lose_the_use():
    assert not is_lost(CPU)
    assert is_lost(torch.device("cuda")) is not torch.cuda.is_available()


def test_several_devices_are_named_with_a_plus():
    assert find_devices("cpu+cpu") == (CPU, CPU)
    with pytest.raises(NoSuchDevice, match="toaster"):
        find_devices("cpu+toaster")
