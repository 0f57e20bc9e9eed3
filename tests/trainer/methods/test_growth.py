"""Generators that grow while they are trained: when, and what both players do on the way."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from latentwalk.gan.families import build_generator
from latentwalk.gan.latents import one_hot
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.trainer.methods.players import PLAYERS, StyleGanPlayer
from latentwalk.trainer.networks.discriminator import Discriminator
from latentwalk.trainer.networks.growth import shown_at
from latentwalk.trainer.seat import Dice
from latentwalk.trainer.specs import GanFamily, GanSettings
from latentwalk.trainer.specs.growth import Growth, Stage

ROWS, CLASSES, Z = 6, 3, 5
SETTINGS = GanSettings(
    family=GanFamily.STYLEGAN,
    resolution=16,
    latent_size=Z,
    width=2,
    max_width=6,
    w_size=4,
    mapping_layers=2,
    style_mixing=0.9,
    progressive_from=4,
)
SPEC = GeneratorSpec("stylegan", Z, CLASSES, 16, 1, **StyleGanPlayer.shape(SETTINGS))
PROGAN = replace(SETTINGS, family=GanFamily.PROGAN, w_size=0, mapping_layers=0, style_mixing=None)
SIZES = [4, 8, 16]


def random(seed):
    return torch.Generator().manual_seed(seed)


def make_player(settings):
    """One of which every weight has a say."""
    torch.manual_seed(0)
    play = PLAYERS[settings.family]
    player = play(build_generator(GeneratorSpec(settings.family, Z, CLASSES, 16, 1, **play.shape(settings))), settings)
    with torch.no_grad():
        for parameter in player.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.5)
    return player


@pytest.fixture
def styled_player():
    return make_player(SETTINGS)


@pytest.fixture(params=[SETTINGS, PROGAN], ids=lambda settings: settings.family)
def player(request):
    return make_player(request.param)


@pytest.fixture
def z():
    return torch.randn(ROWS, Z, generator=random(1))


@pytest.fixture
def condition():
    return one_hot([row % CLASSES for row in range(ROWS)], CLASSES)


def make_discriminator(**more):
    torch.manual_seed(0)
    return Discriminator(SPEC, 3, **{"start": 4} | more)


# -- when ------------------------------------------------------------------------------------------------------------


growths = st.builds(
    lambda first, doublings, fade, stable: Growth(first, first << doublings, fade, stable),
    st.sampled_from([4, 8, 16]),
    st.integers(0, 4),
    st.integers(1, 9),
    st.integers(1, 9),
)


@given(growths)
def test_each_resolution_is_held_and_then_the_next_fades_in_along_a_line(growth):
    stages = [growth.stage(step) for step in range(growth.grown_at + 3)]
    assert stages[0] == Stage(growth.start)
    assert stages[growth.grown_at :] == [Stage(growth.resolution)] * 3
    assert growth.grown_at == 0 or stages[growth.grown_at - 1] != Stage(growth.resolution)
    for doubling in range(growth.doublings):
        size = growth.start << doubling
        held = [stage for stage in stages if stage == Stage(size)]
        fading = [stage.share for stage in stages if stage.resolution == 2 * size and stage.share < 1]
        assert len(held) == growth.stable_steps
        assert len(fading) == growth.fade_steps
        line = torch.linspace(0, 1, growth.fade_steps + 2)[1:-1]  # neither of its ends: there one of the two has no say
        torch.testing.assert_close(torch.tensor(fading), line)


@given(growths)
def test_it_only_grows(growth):
    stages = [growth.stage(step) for step in range(growth.grown_at + 1)]
    grown = [(stage.resolution, stage.share) for stage in stages]
    assert grown == sorted(grown)


def test_without_a_smaller_start_it_is_grown_from_the_first_step_on():
    assert SETTINGS.growth.start == 4
    assert replace(SETTINGS, progressive_from=0).growth.stage(0) == Stage(16)


# -- real pictures ---------------------------------------------------------------------------------------------------


def test_real_pictures_are_means_of_squares_of_pixels():
    pictures = torch.randn(2, 3, 16, 16)
    assert shown_at(Stage(16), pictures) is pictures
    small = shown_at(Stage(4), pictures)
    assert small.shape == (2, 3, 4, 4)
    torch.testing.assert_close(small[:, :, 1, 2], pictures[:, :, 4:8, 8:12].mean(dim=(2, 3)))


def test_real_pictures_become_finer_while_finer_ones_fade_in():
    pictures = torch.randn(2, 3, 16, 16)
    coarse, fine = (shown_at(Stage(size), pictures) for size in (4, 8))
    repeated = coarse.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    torch.testing.assert_close(shown_at(Stage(8, 0.25), pictures), 0.75 * repeated + 0.25 * fine)


# -- the generator ---------------------------------------------------------------------------------------------------


@torch.no_grad()
def test_the_grown_player_draws_what_its_generator_draws(player, z, condition):
    assert torch.equal(player.show(z, condition, Stage(16)), player.generator(z, condition))


@torch.no_grad()
@pytest.mark.parametrize("size", SIZES[1:])
def test_what_fades_in_begins_as_the_doubled_picture_and_ends_as_the_grown_network(player, z, condition, size):
    coarse, fine = (player.show(z, condition, Stage(one)) for one in (size // 2, size))
    assert (coarse.shape[-1], fine.shape[-1]) == (size // 2, size)
    doubled = F.interpolate(coarse, scale_factor=2)
    for share in (0.0, 0.3, 1.0):
        expected = (1 - share) * doubled + share * fine
        torch.testing.assert_close(player.show(z, condition, Stage(size, share)), expected)
    assert not torch.allclose(doubled, fine, atol=0.1)


@torch.no_grad()
@pytest.mark.parametrize("size", SIZES)
def test_in_training_the_layers_that_are_there_have_noise_and_styles_of_two_latents(styled_player, z, condition, size):
    player = styled_player
    player.begin(z, Dice(random(2)), Stage(size))
    layers = 2 * SIZES.index(size) + 2
    assert player._noise.shape == (ROWS, sum(2 * side**2 for side in SIZES if side <= size))
    assert player._given.shape == (ROWS, layers)
    assert player._given[:, -1].any()
    pictures = player.draw(z.repeat(2, 1), condition.repeat(2, 1))
    assert pictures.shape == (2 * ROWS, 1, size, size)
    torch.testing.assert_close(*pictures.chunk(2))


def test_layers_that_are_not_there_yet_have_no_gradients_and_those_that_fade_in_have(player, z, condition):
    player.begin(z, Dice(random(2)), Stage(8, 0.5))
    player.draw(z, condition).square().sum().backward()
    moved = {name for name, parameter in player.named_parameters() if parameter.grad is not None}
    assert {"colours.4.weight", "colours.8.weight"} <= moved
    assert any(name.endswith("layers.3.source.weight") for name in moved)
    own = "synthesis.colours" if isinstance(player, StyleGanPlayer) else "generator.colours"
    assert not any("layers.4" in name or "layers.5" in name or own in name for name in moved)


# -- the discriminator -----------------------------------------------------------------------------------------------


@torch.no_grad()
def test_the_grown_discriminator_is_one_that_never_grew(condition):
    grown, plain = make_discriminator(), make_discriminator(start=0)
    assert not list(plain.entries.parameters())
    plain.load_state_dict({key: own for key, own in grown.state_dict().items() if not key.startswith("entries.")})
    pictures = torch.randn(ROWS, 1, 16, 16)
    assert torch.equal(grown(pictures, condition), plain(pictures, condition))


@torch.no_grad()
@pytest.mark.parametrize("size", SIZES[1:])
def test_the_entry_that_fades_in_begins_with_the_score_of_the_halved_picture(condition, size):
    discriminator, pictures = make_discriminator(), torch.randn(ROWS, 1, size, size)
    scores = [discriminator(pictures, condition, share) for share in (0.0, 0.5, 1.0)]
    torch.testing.assert_close(scores[0], discriminator(F.avg_pool2d(pictures, 2), condition))
    assert torch.equal(scores[2], discriminator(pictures, condition))
    assert not torch.allclose(scores[1], scores[0])
    assert not torch.allclose(scores[1], scores[2])


@pytest.mark.parametrize("share", [0.5, 1.0])
@pytest.mark.parametrize("size", SIZES[1:])
def test_its_entries_are_bounded_as_its_ladder_is(size, share):
    discriminator = make_discriminator(normalised=True)
    pictures = torch.randn(ROWS, 1, size, size, requires_grad=True)
    for _ in range(30):  # of the power iteration
        discriminator(pictures, None, share)
    (gradient,) = torch.autograd.grad(discriminator(100 * pictures, None, share).sum(), pictures)
    assert gradient.flatten(1).norm(dim=1).max() / 100 <= 2**2
