"""How generators draw while they are trained."""

import pytest
import torch

from latentwalk.gan.families import build_generator
from latentwalk.gan.families.stylegan import StyleGAN
from latentwalk.gan.latents import one_hot
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.trainer.methods.players import DcganPlayer, ProGanPlayer, StyleGanPlayer
from latentwalk.trainer.seat import Dice, Seat
from latentwalk.trainer.specs import GanFamily, GanSettings
from latentwalk.trainer.specs.growth import Stage

ROWS, CLASSES = 64, 3


@pytest.fixture
def stylegan() -> StyleGAN:
    """One whose noise has a say."""
    torch.manual_seed(0)
    settings = make_settings()
    shape = StyleGanPlayer.shape(settings)
    generator = build_generator(GeneratorSpec("stylegan", 6, CLASSES, 8, 1, **shape))
    assert isinstance(generator, StyleGAN)
    with torch.no_grad():
        for name, parameter in generator.named_parameters():
            if name.endswith("noise_strength"):
                parameter.fill_(0.5)
    return generator


def make_settings(style_mixing: float = 0.0) -> GanSettings:
    sizes = {"width": 2, "max_width": 4, "w_size": 5, "mapping_layers": 2, "resolution": 8, "latent_size": 6}
    return GanSettings(family=GanFamily.STYLEGAN, style_mixing=style_mixing, **sizes)


def begun(generator: StyleGAN, style_mixing: float, seed: int = 1, seat: Seat | None = None):
    """A player at the beginning of a step, with the latents and the condition of its own rows."""
    seat = seat or Seat()
    z, condition = torch.randn(ROWS, 6, generator=rolled(9)), one_hot([row % CLASSES for row in range(ROWS)], CLASSES)
    player = StyleGanPlayer(generator, make_settings(style_mixing))
    player.begin(seat.take(z), Dice(rolled(seed), seat), Stage(8))
    return player, seat.take(z), seat.take(condition)


def rolled(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@torch.no_grad()
def test_every_picture_has_noise_of_its_own_and_at_each_step_another(stylegan: StyleGAN):
    player, z, condition = begun(stylegan, style_mixing=0)
    alike = z[:1].expand(ROWS, -1), condition[:1].expand(ROWS, -1)
    pictures = player.draw(*alike)
    assert len(pictures.flatten(1).unique(dim=0)) == ROWS
    assert torch.equal(player.draw(*alike), pictures)
    other, *_ = begun(stylegan, style_mixing=0, seed=2)
    assert not torch.isclose(other.draw(*alike), pictures).flatten(1).all(dim=1).any()


@torch.no_grad()
def test_a_share_of_the_rows_takes_the_w_of_another_latent_from_a_random_layer_on(stylegan: StyleGAN):
    player, z, condition = begun(stylegan, style_mixing=0.75)
    own, other = stylegan.map(z, condition), stylegan.map(player._second, condition)
    layers, pictures = stylegan.spec.layers, player.draw(z, condition)
    begins = torch.full((ROWS,), -1)
    for first in range(1, layers + 1):
        mixed = torch.where((torch.arange(layers) >= first)[:, None], other, own)
        drawn = stylegan.synthesise(mixed, player._noise)
        begins[torch.isclose(drawn, pictures, atol=1e-5).flatten(1).all(dim=1)] = first
    counts = begins.bincount(minlength=layers + 1)  # a row that is none of these would be -1, and refused
    assert counts[0] == 0
    assert counts[1:layers].min() > 0
    assert counts[layers].item() / ROWS == pytest.approx(0.25, abs=0.15)


@torch.no_grad()
def test_what_is_moved_keeps_its_noise_and_both_its_latents_are_moved(stylegan: StyleGAN):
    player, z, condition = begun(stylegan, style_mixing=0.9)
    twice = condition.repeat(2, 1)
    plain, same = player.draw(z.repeat(2, 1), twice).chunk(2)
    torch.testing.assert_close(plain, same)
    shift = torch.ones(6)
    moved = player.draw(torch.cat([z, z + shift]), twice)[ROWS:]
    player._second = player._second + shift
    player._z = z + shift
    torch.testing.assert_close(moved, player.draw(z + shift, condition))


def test_together_seats_draw_what_one_alone_draws(stylegan: StyleGAN):
    def drawn(seat: Seat) -> torch.Tensor:
        player, z, condition = begun(stylegan, style_mixing=0.9, seat=seat)
        return player.draw(z, condition).detach()

    torch.testing.assert_close(torch.cat([drawn(Seat(0, 2)), drawn(Seat(1, 2))]), drawn(Seat()))


def test_the_mean_w_follows_the_batches(stylegan: StyleGAN):
    player, z, condition = begun(stylegan, style_mixing=0.9)
    mean = stylegan.map(z, condition)[:, 0].mean(dim=0)
    player.end(z, condition)
    torch.testing.assert_close(stylegan.mean_w, 0.005 * mean)
    for _ in range(2_000):
        player.end(z, condition)
    torch.testing.assert_close(stylegan.mean_w, mean, rtol=1e-3, atol=1e-4)


def test_the_optimiser_of_each_family_is_that_of_its_paper():
    assert (DcganPlayer.betas, ProGanPlayer.betas, StyleGanPlayer.betas) == ((0.5, 0.99), (0.0, 0.99), (0.0, 0.99))
