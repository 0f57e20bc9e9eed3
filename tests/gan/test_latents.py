import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from latentwalk.gan.errors import OutOfRange
from latentwalk.gan.latents import latents_from_seeds, one_hot, z_from_seeds
from latentwalk.gan.spec import GeneratorSpec

seeds_64_bit = st.integers(0, 2**64 - 1)
truncations = st.floats(0.01, 1.0)


def spec_of(latent_size: int, truncation: float | None = None) -> GeneratorSpec:
    return GeneratorSpec("any", latent_size, 0, 8, 3, {}, truncation=truncation)


def law(latents: torch.Tensor, cut_off: float) -> float:
    """How far latents are from the standard normal law cut off there: the distance of Kolmogorov and Smirnov."""
    return float(stats.kstest(latents.flatten().double().numpy(), stats.truncnorm(-cut_off, cut_off).cdf).statistic)


def philox4x64(counter: int, key: int) -> list[int]:
    """Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3", section 3.3, in whole numbers."""
    mask = 2**64 - 1
    x = [counter & mask, 0, 0, 0]
    k = [key & mask, 0]
    for _ in range(10):
        first, second = x[0] * 0xD2E7470EE14C6C93, x[2] * 0xCA5A826395121157
        x = [(second >> 64) ^ x[1] ^ k[0], second & mask, (first >> 64) ^ x[3] ^ k[1], first & mask]
        k = [(k[0] + 0x9E3779B97F4A7C15) & mask, (k[1] + 0xBB67AE8584CAA73B) & mask]
    return x


def normal_numbers(seed: int, count: int) -> list[float]:
    words = [word for block in range(1, count + 1) for word in philox4x64(block, seed)]
    numbers: list[float] = []
    for first, second in zip(words[0::2], words[1::2], strict=True):
        radius = math.sqrt(-2 * math.log(1 - (first >> 11) / 2**53))
        angle = 2 * math.pi * (second >> 11) / 2**53
        numbers += [radius * math.cos(angle), radius * math.sin(angle)]
    return numbers[:count]


@given(seeds_64_bit)
@settings(deadline=None, max_examples=30)
def test_a_latent_is_box_muller_of_philox_keyed_by_the_seed(seed: int) -> None:
    assert z_from_seeds([seed], 11)[0].tolist() == pytest.approx(normal_numbers(seed, 11), rel=1e-6, abs=1e-7)


def test_the_first_numbers_never_change() -> None:
    pinned = {
        0: [0.0080887, 0.1521921, -0.4468097, -0.1914038],
        1: [0.4943877, -0.6922074, 0.5715938, 0.1131612],
        2**64 - 1: [-0.1492622, -0.7164684, -0.2172914, -1.0060045],
    }
    for seed, numbers in pinned.items():
        assert z_from_seeds([seed], 4)[0].tolist() == pytest.approx(numbers, abs=1e-6)


@given(st.lists(seeds_64_bit, min_size=1, max_size=40), st.integers(1, 130))
@settings(deadline=None, max_examples=60)
def test_a_row_is_the_same_bits_alone_and_in_any_batch(seeds: list[int], latent_size: int) -> None:
    together = z_from_seeds(seeds, latent_size)
    alone = torch.cat([z_from_seeds([seed], latent_size) for seed in seeds])
    assert together.shape == (len(seeds), latent_size)
    assert together.dtype == torch.float32
    assert torch.equal(together, alone)


def test_a_row_is_the_same_bits_in_a_batch_of_thousands() -> None:
    seeds = [seed * 0x9E3779B97F4A7C15 % 2**64 for seed in range(3000)]
    together = z_from_seeds(seeds, 101)
    for row in range(0, 3000, 37):
        assert torch.equal(together[row], z_from_seeds([seeds[row]], 101)[0])


def test_threads_that_draw_at_once_do_not_mix_their_seeds() -> None:
    alone = z_from_seeds(range(64), 2)
    with ThreadPoolExecutor(8) as threads:
        for together in threads.map(lambda _: z_from_seeds(range(64), 2), range(400)):
            assert torch.equal(together, alone)


def test_each_of_the_64_bits_of_a_seed_matters() -> None:
    seeds = [0, *(1 << bit for bit in range(64))]
    assert len({tuple(row) for row in z_from_seeds(seeds, 8).tolist()}) == 65


def test_a_shorter_latent_is_the_beginning_of_a_longer_one() -> None:
    assert torch.equal(z_from_seeds([5], 7), z_from_seeds([5], 512)[:, :7])


def test_latents_are_standard_normal_and_uncorrelated() -> None:
    z = z_from_seeds(range(4000), 64).double()
    assert z.isfinite().all()
    assert z.mean().item() == pytest.approx(0, abs=0.01)
    assert z.std().item() == pytest.approx(1, abs=0.01)
    assert (z**3).mean().item() == pytest.approx(0, abs=0.03)
    assert (z**4).mean().item() == pytest.approx(3, abs=0.05)
    off_diagonal = torch.corrcoef(z.T) - torch.eye(64, dtype=torch.float64)
    assert off_diagonal.abs().max() < 0.08
    neighbours = (z[:-1] * z[1:]).mean().item()
    assert neighbours == pytest.approx(0, abs=0.01)


def test_random_state_elsewhere_neither_matters_nor_moves() -> None:
    torch.manual_seed(1)
    np.random.seed(1)
    first = z_from_seeds([3], 8)
    torch.manual_seed(2)
    expected = torch.rand(1)
    torch.manual_seed(2)
    assert torch.equal(z_from_seeds([3], 8), first)
    assert torch.equal(torch.rand(1), expected)


def test_no_seeds_give_no_latents() -> None:
    assert z_from_seeds([], 8).shape == (0, 8)


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_a_seed_of_more_than_64_bits_is_out_of_range(seed: int) -> None:
    with pytest.raises(OutOfRange, match="seed"):
        z_from_seeds([1, seed], 8)


def test_one_hot_is_one_at_the_class_of_each_row() -> None:
    assert one_hot([2, 0], 3).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert one_hot([2], 3).dtype == torch.float32


@pytest.mark.parametrize("class_id", [-1, 3])
def test_a_class_that_does_not_exist_is_out_of_range(class_id: int) -> None:
    with pytest.raises(OutOfRange, match="class"):
        one_hot([0, class_id], 3)


# -- the law of a generator --------------------------------------------------------------------------------------------


@given(st.lists(seeds_64_bit, min_size=1, max_size=9), st.integers(1, 130))
def test_without_a_truncation_a_seed_stands_for_the_plain_normal_latent(seeds: list[int], latent_size: int) -> None:
    assert torch.equal(latents_from_seeds(seeds, spec_of(latent_size)), z_from_seeds(seeds, latent_size))


@given(truncations)
@settings(max_examples=20)
def test_a_truncation_scales_normal_latents_that_are_cut_off_at_two(truncation: float) -> None:
    z = latents_from_seeds(range(500), spec_of(20, truncation))
    assert z.dtype == torch.float32
    assert law(z / truncation, 2.0) < 0.012
    assert z.abs().max() > 1.99 * truncation
    assert z.abs().max() <= 2 * truncation


@given(truncations, st.floats(0.05, 3.0))
@settings(max_examples=20)
def test_a_bound_cuts_the_law_of_the_generator_off_again(truncation: float, bound: float) -> None:
    z = latents_from_seeds(range(500), spec_of(20, truncation), bound)
    cut_off = min(2.0, bound / truncation)
    assert law(z / truncation, cut_off) < 0.012
    assert z.abs().max() <= min(bound, 2 * truncation) * (1 + 1e-6)
    assert law(latents_from_seeds(range(500), spec_of(20), bound), bound) < 0.012


@given(
    st.lists(seeds_64_bit, min_size=1, max_size=40),
    st.integers(1, 130),
    st.none() | truncations,
    st.none() | st.floats(1e-3, 100.0),
)
@settings(max_examples=120)
def test_a_truncated_row_is_the_same_bits_alone_and_in_any_batch(
    seeds: list[int], latent_size: int, truncation: float | None, bound: float | None
) -> None:
    spec = spec_of(latent_size, truncation)
    alone = torch.cat([latents_from_seeds([seed], spec, bound) for seed in seeds])
    assert torch.equal(latents_from_seeds(seeds, spec, bound), alone)


@given(seeds_64_bit, st.floats(1e-3, 100.0))
@settings(max_examples=60)
def test_a_bound_brings_each_number_nearer_to_zero_and_keeps_their_order(seed: int, bound: float) -> None:
    plain, bounded = z_from_seeds([seed], 60)[0], latents_from_seeds([seed], spec_of(60), bound)[0]
    assert (bounded.abs() <= plain.abs() * (1 + 1e-5) + 1e-7).all()
    assert (bounded * plain >= 0).all()
    assert (bounded[plain.argsort()].diff() >= 0).all()
    if bound > 6:
        torch.testing.assert_close(bounded, plain, rtol=1e-4, atol=1e-4)


def test_a_seed_keeps_its_latent_but_for_the_scale_when_the_truncation_changes() -> None:
    whole, half = (latents_from_seeds([1, 2], replace(spec_of(9), truncation=t)) for t in (1.0, 0.5))
    assert torch.equal(half, whole / 2)
