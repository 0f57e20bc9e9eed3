"""Direction variation: how much of what a direction changes there is among real pictures."""

import pytest
import torch

from latentwalk.gan.directions import LinearDirection, Slider
from latentwalk.trainer.data import Pictures
from latentwalk.trainer.loop import Interrupted
from latentwalk.trainer.methods.variation import Variation
from latentwalk.trainer.starts import Drawn


class Shades(Drawn):
    """Draws plain pictures: a shade that follows from the first number of z, and stripes whose place does from the
    second."""

    def draw(self, z, condition):
        stripes = 0.3 * torch.sin(torch.arange(16) / 2 + z[:, 1:2])
        return (0.4 * z[:, 0, None].tanh() + stripes)[:, None, None].expand(-1, 3, 16, -1)


def pictures(shades):
    """Plain pictures of these shades, 0 to 255, with some noise."""
    noise = torch.randint(-20, 20, (len(shades), 3, 16, 16), generator=torch.Generator().manual_seed(0))
    return Pictures((torch.as_tensor(shades)[:, None, None, None] + noise).clamp(0, 255).to(torch.uint8), None, ())


VARIED = pictures([75 + row % 100 for row in range(300)])
ALIKE = pictures([127] * 300)


def direction(generator, *vectors):
    sliders = tuple(Slider(str(place), "", "", 1.0, (-3.0, 3.0), (-6.0, 6.0)) for place in range(len(vectors)))
    rows = torch.nn.functional.one_hot(torch.tensor(vectors), 8).float()
    return LinearDirection("d", generator.digest, sliders, rows)


def test_what_real_pictures_differ_in_is_learnt_from_them_alone(generator):
    brighter = direction(generator, 0)
    assert Variation(Shades(generator), VARIED, lambda: None).of(brighter, 0) > 0.9


def test_what_real_pictures_do_not_differ_in_cannot_be_learnt_from_them(generator):
    variation = Variation(Shades(generator), ALIKE, lambda: None)
    assert variation.of(direction(generator, 0), 0) == pytest.approx(0.5, abs=0.2)


def test_a_direction_that_changes_nothing_is_told_by_chance(generator):
    variation = Variation(Shades(generator), VARIED, lambda: None)
    assert variation.of(direction(generator, 0, 5), 1) == pytest.approx(0.5, abs=0.15)


def test_the_order_in_which_sliders_are_asked_for_is_of_no_account(generator):
    both = direction(generator, 0, 1)
    first, second = (Variation(Drawn(generator), VARIED, lambda: None) for _ in range(2))
    assert [first.of(both, 0), first.of(both, 1)] == [second.of(both, 1), second.of(both, 0)][::-1]


def test_it_can_be_interrupted_within_each_slider(generator):
    pauses = []

    def pause():
        pauses.append(None)
        if len(pauses) == 70:
            raise Interrupted

    variation = Variation(Drawn(generator), VARIED, pause)
    with pytest.raises(Interrupted):
        variation.of(direction(generator, 0), 0)
    assert len(pauses) == 70
