"""What a truncation is for a generator, and what it makes of w."""

import math

import pytest
import torch
from golden import golden
from styled import SPEC, make_styled

from latentwalk.gan.errors import InvalidTruncation
from latentwalk.gan.families import family_of
from latentwalk.gan.latents import one_hot, z_from_seeds
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.gan.truncations import Truncation, pulled

PLAIN = GeneratorSpec("dcgan", 6, 0, 16, 3, {"width": 4})


def test_psi_is_of_each_layer_up_to_the_last_that_is_pulled() -> None:
    assert Truncation(psi=0.5).of(SPEC).psis(4).tolist() == [0.5] * 4
    assert Truncation(psi=0.5, layers=3).of(SPEC).psis(4).tolist() == [0.5, 0.5, 0.5, 1]
    assert Truncation(threshold=0.5).of(PLAIN) == Truncation(threshold=0.5)


def test_what_is_pulled_lies_on_the_way_to_the_mean_and_a_psi_of_1_leaves_every_bit() -> None:
    torch.manual_seed(0)
    w_plus, mean = torch.randn(2, 3, 5), torch.randn(5)
    found = pulled(w_plus, mean, torch.tensor([0.0, 0.25, 1.0]))
    assert torch.equal(found[:, 0], mean.expand(2, 5))
    torch.testing.assert_close(found[:, 1], mean + (w_plus[:, 1] - mean) / 4)
    assert torch.equal(found[:, 2], w_plus[:, 2])


@torch.no_grad()
def test_z_is_encoded_as_what_it_is_mapped_to_pulled_in_its_layers() -> None:
    styled, z, condition = make_styled(), z_from_seeds([3, 4], 6), one_hot([0, 1], 2)
    w_plus = styled.map(z, condition)
    found = Truncation(psi=0.5, layers=3).encode(styled, z, condition)
    torch.testing.assert_close(found[:, :3], (w_plus[:, :3] + styled.mean_w) / 2)
    assert torch.equal(found[:, 3], w_plus[:, 3])
    halves = Truncation(psi=0.5).encode(make_styled().bfloat16(), z.bfloat16(), condition.bfloat16())
    assert halves.dtype is torch.bfloat16


@pytest.mark.parametrize(
    ("truncation", "spec", "part", "reason"),
    [
        (Truncation(), SPEC, "psi", "is needed; leave the truncation out for w as it comes"),
        (Truncation(layers=1), SPEC, "psi", "is needed"),
        (Truncation(psi=2.5), SPEC, "psi", "2.5 must be from -2 to 2"),
        (Truncation(psi=math.nan), SPEC, "psi", "nan must be from -2 to 2"),
        (Truncation(psi=0.5, layers=5), SPEC, "layers", "5 must be from 1 to 4"),
        (Truncation(threshold=0.5), SPEC, "threshold", "has a mapping network, give a psi"),
        (Truncation(psi=0.5), PLAIN, "psi", "give a threshold, which cuts off z"),
        (Truncation(), PLAIN, "threshold", "is needed"),
        (Truncation(threshold=0), PLAIN, "threshold", "0 must be above 0 and at most 100"),
        (Truncation(threshold=math.nan), PLAIN, "threshold", "nan must be above 0"),
    ],
)
def test_what_a_generator_does_not_take_is_refused_by_its_part(truncation, spec, part: str, reason: str) -> None:
    with pytest.raises(InvalidTruncation, match=reason) as refusal:
        truncation.of(spec)
    assert refusal.value.part == part


@pytest.mark.parametrize(
    ("family", "reason"), [("biggan_deep", "is normalised for truncation 1"), ("progan_genforce", "has no use")]
)
def test_where_a_threshold_says_nothing_it_is_refused(family: str, reason: str) -> None:
    spec = family_of(family.removesuffix("_genforce")).from_checkpoint(golden(family).checkpoint).spec
    with pytest.raises(InvalidTruncation, match=reason):
        Truncation(threshold=0.5).of(spec)
