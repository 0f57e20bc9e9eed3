"""StyleGAN in the layout of rosinality's code, and what that code draws."""

import re

import pytest
import torch
from golden import golden

from latentwalk.gan.errors import GanError
from latentwalk.gan.families import build_generator
from latentwalk.gan.families.stylegan import StyleGAN
from latentwalk.gan.latents import z_from_seeds
from latentwalk.gan.spec import SPACES, GeneratorSpec

PUBLISHED = golden("stylegan_rosinality")
CONFIG = {"width": 4, "max_width": 8, "mapping_layers": 3, "port": "rosinality"}
SPEC = GeneratorSpec("stylegan", 7, 0, 32, 3, CONFIG, spaces=SPACES, layers=8, w_size=7)
# What ours has no place for: pictures before the last, what training has not grown to, and the blur.
DROPPED = r"generator\.(to_rgb\.[0124]\.|progression\.4\.|progression\.\d\.conv1\.\d\.weight_flip)"
BLUR = r"generator\.progression\.(1\.conv1\.2|[23]\.conv1\.1)\.weight$"


@pytest.fixture(scope="module")
def generator() -> StyleGAN:
    return StyleGAN.from_checkpoint(PUBLISHED.checkpoint).freeze()


def test_it_draws_what_the_published_code_draws(generator: StyleGAN) -> None:
    expected = PUBLISHED.pictures[1.0]
    assert expected.std() > 0.2
    drawn = generator.synthesise(generator.map(PUBLISHED.z), PUBLISHED.noise)
    assert (drawn - expected).abs().max() < 1e-5 * expected.abs().max()


def test_it_is_as_large_as_training_has_grown_it(generator: StyleGAN) -> None:
    assert generator.spec == SPEC
    assert build_generator(SPEC).state_dict().keys() == generator.state_dict().keys()


def test_what_was_imported_can_be_imported_again(generator: StyleGAN) -> None:
    assert StyleGAN.from_checkpoint(generator.state_dict()).digest == generator.digest


def test_the_mean_w_is_that_of_many_latents(generator: StyleGAN) -> None:
    codes = generator.encode(z_from_seeds(range(10_000, 14_000), 7), "w")
    assert (generator.mean_w - codes.mean(dim=0)).abs().max() < 0.1 * codes.std()


def test_noise_is_normal_the_same_at_each_import_and_for_both_layers_of_a_resolution(generator: StyleGAN) -> None:
    coarse, other, *_, fine, last = (layer.noise for layer in generator.synthesis.styled_layers)
    assert torch.equal(coarse, other)
    assert torch.equal(fine, last)
    assert abs(last.std() - 1) < 0.1
    assert StyleGAN.from_checkpoint(PUBLISHED.checkpoint).digest == generator.digest


@pytest.mark.parametrize("form", ["missing", "a number", "another shape"])
def test_a_tensor_that_is_missing_or_of_another_shape_is_refused(form: str) -> None:
    for name in PUBLISHED.checkpoint:
        broken = dict(PUBLISHED.checkpoint)
        if form == "missing":
            del broken[name]
        else:
            broken[name] = torch.zeros(()) if form == "a number" else torch.zeros(17)
        if not re.match(DROPPED, name) and not re.match(BLUR, name) and name != "generator.to_rgb.3.conv.bias":
            with pytest.raises(GanError):
                StyleGAN.from_checkpoint(broken)


def test_another_port_is_not_known() -> None:
    spec = GeneratorSpec("stylegan", 7, 0, 32, 3, CONFIG | {"port": "own"}, spaces=SPACES, layers=8, w_size=7)
    with pytest.raises(GanError, match="port of a stylegan is 'own': it must be 'rosinality', or be left out"):
        build_generator(spec)
