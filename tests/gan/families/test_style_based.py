"""What the families of the StyleGAN papers have in common."""

import pytest
import torch

from latentwalk.gan.errors import GanError, InvalidLatent, OutOfRange
from latentwalk.gan.families import build_generator
from latentwalk.gan.spec import SPACES, GeneratorSpec

CONFIG = {"width": 4, "max_width": 6, "mapping_layers": 3}

pytestmark = pytest.mark.parametrize("family", ["stylegan", "stylegan2"])


def build(family: str, resolution: int = 16, layers: int = 6, classes: int = 0, config: dict | None = None):
    shape = {"spaces": SPACES, "layers": layers, "w_size": 7}
    return build_generator(GeneratorSpec(family, 6, classes, resolution, 3, config or CONFIG, **shape))


@pytest.mark.parametrize(
    ("spec", "named"),
    [
        ({"resolution": 24}, "resolution of a {} is 24: it must be a power of two"),
        ({"layers": 5}, "layers of a {} of 16 pixels are 5: they must be 6"),
        ({"config": {"width": 4}}, "config of a {} is"),
        ({"config": CONFIG | {"width": True}}, "width of a {} is True"),
    ],
)
def test_a_spec_that_none_has_is_refused(family: str, spec: dict, named: str) -> None:
    with pytest.raises(GanError, match=named.format(family)):
        build(family, **spec)


def test_a_width_out_of_range_and_a_missing_condition_are_refused(family: str) -> None:
    with pytest.raises(OutOfRange, match=f"mapping_layers of a {family} "):
        build(family, config=CONFIG | {"mapping_layers": 0})
    with pytest.raises(InvalidLatent, match="none was given to a generator of 2 classes"):
        build(family, classes=2)(torch.zeros(1, 6))
