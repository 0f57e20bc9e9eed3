"""BigGAN-deep in the layout of ajbrock's code, and what is drawn of it."""

import pytest
import torch
from golden import golden

from latentwalk.gan.errors import GanError
from latentwalk.gan.families.biggan import BigGAN, BigGANDeep
from latentwalk.gan.spec import GeneratorSpec

PUBLISHED = golden("biggan_deep_ajbrock")
SPEC = GeneratorSpec("biggan_deep", 5, 4, 16, 3, {"width": 2, "blocks": "16 4^ @ 4 1^"}, truncation=1.0)


@pytest.mark.parametrize("truncation", [None, 0.5, 0.01])
def test_it_draws_what_the_published_code_draws_whatever_the_truncation(truncation: float | None) -> None:
    expected = PUBLISHED.pictures[1.0]
    assert expected.std() > 0.2
    generator = BigGANDeep.from_checkpoint(PUBLISHED.checkpoint, truncation=truncation).freeze()
    assert (generator(PUBLISHED.z, PUBLISHED.condition) - expected).abs().max() < 1e-5


def test_a_small_variance_is_one_there_too() -> None:
    """What is added to it there is a tenth of what is added here."""
    checkpoint = dict(PUBLISHED.checkpoint)
    name = "blocks.2.0.bn2.stored_var"
    checkpoint[name] = torch.tensor([2e-6, 0.0])
    own = BigGANDeep.translate(checkpoint)["layers.3.bn_1.running_vars"]
    assert own.shape == (51, 2)
    torch.testing.assert_close(own[0] + 1e-4, checkpoint[name] + 1e-5, rtol=1e-5, atol=0)


def test_the_spec_is_read_off_the_shapes() -> None:
    assert BigGANDeep.infer_spec(BigGANDeep.translate(PUBLISHED.checkpoint), classes=4) == SPEC


def test_what_was_imported_can_be_imported_again() -> None:
    once = BigGANDeep.from_checkpoint(PUBLISHED.checkpoint).freeze()
    assert BigGANDeep.from_checkpoint(once.state_dict()).freeze().digest == once.digest


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda c: c.pop("shared.weight"), "embeddings.weight is missing"),
        (lambda c: c.pop("linear.weight"), "a spectral norm is of no matrix: linear.weight is missing"),
        (lambda c: c.pop("blocks.1.1.gamma"), "layers.2.g.weight is .*, expected nothing"),
        (lambda c: c.pop("blocks.2.0.bn4.stored_var"), "layers.3.bn_3.running_vars is missing"),
        (lambda c: c.update({"shared.weight": torch.ones(4, 3)}), r"gen_z.weight is \(512, 10\), expected \(512, 6\)"),
        (lambda c: c.update({"blocks.3.0.bn5.bias.weight": torch.ones(1)}), "layers.4.bn5.bias.weight is"),
        (lambda c: c.update({"output_layer.0.gain": torch.ones(3)}), "blocks of a biggan_deep are"),
        (lambda c: c.update({"linear.bias": torch.ones(17)}), r"gen_z.bias is \(17,\)"),
    ],
)
def test_what_is_not_this_layout_is_refused_by_the_name_of_the_tensor(change, named: str) -> None:
    checkpoint = dict(PUBLISHED.checkpoint)
    change(checkpoint)
    with pytest.raises(GanError, match=named):
        BigGANDeep.from_checkpoint(checkpoint)


def test_it_is_no_biggan() -> None:
    with pytest.raises(GanError, match="not a biggan"):
        BigGAN.from_checkpoint(PUBLISHED.checkpoint)
