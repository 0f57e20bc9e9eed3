"""What was mapped lately is at hand, within its bytes, and is what would be mapped."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from latentwalk.gan.latents import classes_in_turn, z_from_seeds
from latentwalk.gan.styles import map_rows
from latentwalk.server.mapper import Mapper


@pytest.fixture
def told():
    """How many rows were kept and mapped, call by call."""
    return []


@pytest.fixture
def mapper(told):
    return Mapper(1 << 20, lambda *counts: told.append(counts))


def rows(*seeds):
    """z and condition of some seeds, of one class after the other."""
    return z_from_seeds(seeds, 6), classes_in_turn(len(seeds), 3)


def test_a_row_is_what_the_generator_makes_of_it_whether_it_was_kept_or_not(mapper, styled, told):
    for seeds in ((1, 2), (1, 2, 3), (1,)):
        assert torch.equal(mapper(styled, *rows(*seeds)), torch.stack(map_rows(styled, *rows(*seeds))))
    assert told == [(0, 2), (2, 1), (1, 0)]


def test_another_class_or_generator_is_another_row(mapper, styled, told):
    other = type(styled)(styled.spec).freeze()
    z = z_from_seeds([1], 6)
    one, two = torch.eye(3)[:1], torch.eye(3)[1:2]
    for generator, condition in ((styled, one), (styled, two), (other, one)):
        assert torch.equal(mapper(generator, z, condition)[0], generator.map(z, condition)[0])
    assert told == [(0, 1)] * 3


def test_what_is_kept_stays_within_its_bytes_and_the_least_recently_used_goes_first(styled, told):
    one = Mapper(1 << 20)
    one(styled, *rows(0))
    mapper = Mapper(4 * one.bytes, lambda *counts: told.append(counts))
    for seed in (0, 1, 2, 3, 0, 4):
        mapper(styled, *rows(seed))
        assert mapper.bytes <= 4 * one.bytes
    assert mapper.bytes == 4 * one.bytes
    told.clear()
    for seed in (0, 2, 3, 4, 1):
        mapper(styled, *rows(seed))
    assert told == [(1, 0)] * 4 + [(0, 1)]


def test_a_row_takes_the_memory_of_one_layer(styled):
    few, many = Mapper(1 << 20), Mapper(1 << 20)
    few(styled, *rows(0))
    many(styled, *rows(*range(10)))
    assert many.bytes == 10 * few.bytes
    key = 4 * (styled.spec.latent_size + styled.spec.classes)
    assert few.bytes == 1024 + key + 4 * styled.spec.w_size


def test_without_room_nothing_is_kept(styled, told):
    mapper = Mapper(0, lambda *counts: told.append(counts))
    for _ in range(2):
        assert torch.equal(mapper(styled, *rows(1)), torch.stack(map_rows(styled, *rows(1))))
    assert (mapper.bytes, told) == (0, [(0, 1)] * 2)


def test_many_threads_get_what_one_would(styled):
    """Of so few bytes that what one keeps pushes out what another looks for."""
    mapper = Mapper(5_000)
    asked = [[(7 * one + place) % 11 for place in range(5)] for one in range(200)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda seeds: mapper(styled, z_from_seeds(seeds, 6), torch.eye(3)[[0] * 5]), asked))
    for seeds, w_plus in zip(asked, found, strict=True):
        assert torch.equal(w_plus, torch.stack(map_rows(styled, z_from_seeds(seeds, 6), torch.eye(3)[[0] * 5])))
    assert mapper.bytes <= 5_000
