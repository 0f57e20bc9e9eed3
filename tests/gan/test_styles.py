"""From z to w+: what a row becomes does not depend on its company."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from latentwalk.gan.families import build_generator
from latentwalk.gan.latents import classes_in_turn, one_hot, z_from_seeds
from latentwalk.gan.spec import SPACES, GeneratorSpec
from latentwalk.gan.styles import map_rows

CONFIG = {"width": 4, "max_width": 4, "mapping_layers": 3}


@settings(deadline=None, max_examples=25)
@given(
    latent_size=st.integers(1, 130),
    w_size=st.integers(1, 130),
    classes=st.sampled_from([0, 3]),
    company=st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=20),
    place=st.integers(0, 19),
)
def test_a_row_is_mapped_to_the_same_bits_alone_and_in_any_company(latent_size, w_size, classes, company, place):
    torch.manual_seed(0)
    shape = {"spaces": SPACES, "layers": 4, "w_size": w_size}
    generator = build_generator(GeneratorSpec("stylegan", latent_size, classes, 8, 3, CONFIG, **shape)).freeze()
    place %= len(company)
    z, condition = z_from_seeds(company, latent_size), classes_in_turn(len(company), classes)
    together = map_rows(generator, z, condition)
    [alone] = map_rows(generator, z[place, None], None if condition is None else condition[place, None])
    assert [row.shape for row in together] == [(4, w_size)] * len(company)
    assert torch.equal(together[place], alone)


def test_classes_come_one_after_the_other():
    assert torch.equal(classes_in_turn(5, 3), one_hot([0, 1, 2, 0, 1], 3))
    assert torch.equal(classes_in_turn(5, 3, (2, 0)), one_hot([2, 0, 2, 0, 2], 3))
    assert classes_in_turn(5, 0) is None
