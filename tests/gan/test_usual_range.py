"""Generators of other ranges, as all that looks at pictures sees them: in (-1, 1), and otherwise as they are."""

import copy
from dataclasses import replace

import pytest
import torch
from dcgan import make_dcgan
from styled import make_styled

from latentwalk.gan.families.dcgan import DCGAN
from latentwalk.gan.families.stylegan import StyleGAN
from latentwalk.gan.latents import latents_from_seeds, one_hot
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.gan.usual_range import USUAL_RANGE, in_usual_range

OWN_RANGE = (0.0, 255.0)


def in_bytes(pictures):
    return (pictures + 1) * 127.5


class DcganInBytes(DCGAN):
    """A family that draws what a DCGAN draws, from 0 to 255."""

    def forward(self, z, condition=None):
        return in_bytes(super().forward(z, condition))


class StyleganInBytes(StyleGAN):
    """The same of a StyleGAN."""

    def synthesise(self, w_plus, noise=None):
        return in_bytes(super().synthesise(w_plus, noise))

    def forward(self, z, condition=None):
        return self.synthesise(self.map(z, condition))


def pair(usual, family):
    """A generator, and one of the same weights whose pictures are in bytes."""
    own = family(replace(usual.spec, range=OWN_RANGE))
    own.load_state_dict(usual.state_dict())
    return usual, own.freeze()


@pytest.fixture(params=["dcgan", "stylegan"])
def generators(request):
    if request.param == "stylegan":
        return pair(make_styled(), StyleganInBytes)
    return pair(make_dcgan(GeneratorSpec("dcgan", 8, 2, 16, 3, {"width": 4})), DcganInBytes)


@torch.no_grad()
def test_pictures_of_another_range_are_those_of_the_usual_one(generators):
    usual, own = generators
    seen = in_usual_range(own)
    z, condition = latents_from_seeds(range(4), usual.spec), one_hot([0, 1, 0, 1], 2)
    assert (seen.spec.range, own.spec.range) == (USUAL_RANGE, OWN_RANGE)
    for space in usual.spec.spaces:
        code = seen.encode(z, space, condition)
        assert torch.equal(code, usual.encode(z, space, condition))
        drawn = seen.draw(code, space, condition)
        torch.testing.assert_close(drawn, usual.draw(code, space, condition), rtol=0, atol=1e-5)
        torch.testing.assert_close(copy.deepcopy(seen).draw(code, space, condition), drawn, rtol=0, atol=0)


@torch.no_grad()
def test_all_else_of_it_is_as_it_was(generators):
    usual, own = generators
    seen = in_usual_range(own)
    z, condition = latents_from_seeds(range(2), usual.spec), one_hot([0, 1], 2)
    assert seen.digest == own.digest != usual.digest
    assert torch.equal(seen.first_features(z, condition), usual.first_features(z, condition))
    assert torch.equal(seen.noise, usual.noise)
    assert seen.noise_sizes == usual.noise_sizes
    if usual.spec.layers:
        assert torch.equal(seen.mean_w, usual.mean_w)
        assert torch.equal(seen.style_weights([0]), usual.style_weights([0]))
    else:
        assert torch.equal(seen.first_weights(), usual.first_weights())


def test_a_generator_of_the_usual_range_is_left_as_it_is():
    usual = make_styled()
    assert in_usual_range(usual) is usual
