"""Real generators, small enough to build in a millisecond."""

from pathlib import Path

import pytest
import torch
from dcgan import make_dcgan

from latentwalk.gan.artifacts import ArtifactStore
from latentwalk.gan.directions import LinearDirection, Slider
from latentwalk.gan.generator import Generator
from latentwalk.gan.spec import GeneratorSpec

torch.set_num_threads(1)


def make_spec(classes: int = 0, resolution: int = 16, channels: int = 3, width: int = 4) -> GeneratorSpec:
    return GeneratorSpec("dcgan", 6, classes, resolution, channels, {"width": width})


@pytest.fixture
def spec() -> GeneratorSpec:
    return make_spec()


@pytest.fixture
def generator(spec: GeneratorSpec) -> Generator:
    return make_dcgan(spec)


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(str(tmp_path / "store"))


@pytest.fixture
def direction(generator: Generator) -> LinearDirection:
    """Two sliders: "zoom" reaches 4 x at alpha 1, "age" imitates no edit."""
    return LinearDirection(
        name="camera",
        generator_digest=generator.digest,
        sliders=(
            Slider("zoom", "zoom", "x", 1.3862943611198906, (-1.0, 1.0), (-2.0, 2.0)),
            Slider("age", "", "", 10.0, (-1.0, 1.0), (-3.0, 3.0)),
        ),
        vectors=torch.randn(2, generator.spec.latent_size, generator=torch.Generator().manual_seed(1)),
    )
