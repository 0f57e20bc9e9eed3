"""A picture depends on its row and the weights, never on its neighbours (law 1)."""

import numpy as np
import pytest
import torch

from latentwalk.gan.images import to_uint8
from latentwalk.gan.latents import one_hot, z_from_seeds
from latentwalk.server.engine import Engine, NonFinitePicture, NoSuchDevice, Row, find_device

CPU = torch.device("cpu")


def rows(count, classes=0):
    codes = z_from_seeds(range(count), 6)
    conditions = one_hot([k % classes for k in range(count)], classes) if classes else [None] * count
    return [Row(z, condition) for z, condition in zip(codes, conditions, strict=True)]


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
    engine, z = Engine(digits, CPU), z_from_seeds([1], 6)[0]
    drawn = engine.draw([Row(z, condition) for condition in torch.eye(3)])
    assert len(set(drawn)) == 3
    assert [len(picture) for picture in drawn] == [engine.size.bytes] * 3 == [256] * 3


def test_a_picture_that_is_not_finite_fails_alone(wild):
    engine, good = Engine(wild, CPU), rows(2)
    bad = Row(torch.full((6,), 1e20), None)
    first, failed, second = engine.draw([good[0], bad, good[1]])
    assert isinstance(failed, NonFinitePicture)
    assert [first, second] == engine.draw(good)


def test_warming_up_works_with_and_without_classes(faces, digits):
    for generator in (faces, digits):
        Engine(generator, CPU).warm(4)


def test_a_device_that_is_not_there_is_refused_by_name():
    assert find_device("cpu") == CPU
    for name in ("cuda:99", "toaster"):
        with pytest.raises(NoSuchDevice, match=f"device '{name}' cannot be used"):
            find_device(name)
