"""The ladder draws what the DCGAN draws that it was made of."""

import pytest
import torch

from latentwalk.gan.processor import has_bf16
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.server.engine.ladder import Ladder
from latentwalk.server.engine.onednn import packed_doubling, side_by_side
from latentwalk.server.engine.rows import sample_rows, stack

SPECS = {
    "the smallest": GeneratorSpec("dcgan", 1, 0, 8, 1, {"width": 1}),
    "odd widths": GeneratorSpec("dcgan", 7, 0, 16, 3, {"width": 5}),
    "classes": GeneratorSpec("dcgan", 6, 3, 32, 1, {"width": 4}),
    "many channels": GeneratorSpec("dcgan", 16, 0, 16, 20, {"width": 16}),
    "64x64": GeneratorSpec("dcgan", 100, 0, 64, 3, {"width": 8}),
}


def difference(generator, precision, count=5):
    z, condition, _ = stack(sample_rows(generator, count))
    with torch.inference_mode():
        drawn = Ladder(generator, precision)(z, condition)
        expected = generator(z, condition)
    assert drawn.shape == expected.shape
    assert drawn.dtype == torch.float32
    return (drawn - expected).abs()


@pytest.mark.parametrize("count", [1, 5])
@pytest.mark.parametrize("name", SPECS)
def test_in_fp32_only_the_rounding_differs(name, count, generator_of):
    assert difference(generator_of(SPECS[name]), torch.float32, count).max() < 1e-4


@pytest.mark.parametrize("name", SPECS)
def test_in_bf16_pixels_are_near(name, generator_of):
    if not has_bf16():
        pytest.skip("this processor has no bf16")
    apart = difference(generator_of(SPECS[name]), torch.bfloat16)
    assert 0 < apart.max() < 0.1
    assert apart.mean() < 0.01


def test_a_generator_whose_last_layer_has_a_bias_keeps_it(faces, generator_of):
    generator = generator_of(faces.spec, seed=3)
    generator.main[-2].bias = torch.nn.Parameter(torch.tensor([0.5, -0.25, 0.1]))
    assert difference(generator.freeze(), torch.float32).max() < 1e-4


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_pictures_side_by_side_double_to_the_same_bits(precision, count):
    if precision == torch.bfloat16 and not has_bf16():
        pytest.skip("this processor has no bf16")
    weight, bias, signal = torch.randn(32, 24, 4, 4), torch.randn(24), torch.randn(count, 32, 4, 4)
    signal = signal.to(precision).contiguous(memory_format=torch.channels_last)
    doubling = packed_doubling(weight, bias, precision, 4)
    with torch.inference_mode():
        alone, beside = doubling(signal), side_by_side(doubling)(signal)
    assert torch.equal(beside, alone)
    assert beside.is_contiguous(memory_format=torch.channels_last)
