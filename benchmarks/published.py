"""The generators that are measured: the real faces, and of their shape, or heavier, with random weights."""

from dataclasses import replace
from pathlib import Path

import torch

from latentwalk.gan.artifacts import ArtifactStore, load_generator, save_direction, save_generator
from latentwalk.gan.directions import LinearDirection, Slider
from latentwalk.gan.families import build_generator
from latentwalk.gan.generator import Generator
from latentwalk.gan.spec import GeneratorSpec

STORE = Path("data/store")
SPEC = GeneratorSpec("dcgan", latent_size=100, classes=0, resolution=64, channels=3, config={"width": 64})
HEAVY = replace(SPEC, config={"width": 208})
"""More than ten times as many multiplications for each picture."""
LIGHT = replace(SPEC, resolution=16, config={"width": 32})
"""Small pictures, of which one costs less to draw than a message does to send."""


def publish(folder: Path, spec: GeneratorSpec = SPEC) -> tuple[Generator, LinearDirection]:
    """Put a generator "bench" with random weights, and a direction "ahead" with a random vector, into a store."""
    generator = random_generator(spec)
    slider = Slider(name="ahead", edit="", unit="", scale=1.0, trained=(-1.0, 1.0), limit=(-3.0, 3.0))
    direction = LinearDirection("ahead", generator.digest, (slider,), torch.randn(1, spec.latent_size))
    store, origin = ArtifactStore(str(folder)), {"made_by": "benchmarks", "weights": "random"}
    save_generator(store, "bench", generator, provenance=origin, created="")
    save_direction(store, "bench", direction, provenance=origin, created="")
    return generator, direction


def random_generator(spec: GeneratorSpec = SPEC) -> Generator:
    """A frozen generator of that shape, with random weights."""
    torch.manual_seed(0)
    generator = build_generator(spec)
    for _ in range(20):  # until the batch statistics are those of its own pictures: else every one of them is grey
        generator.train()(torch.randn(32, spec.latent_size))
    return generator.freeze()


def faces_or_alike() -> tuple[Generator, str]:
    """The real one where `latentwalk pull faces` has put it, else one of the same shape; and which of them it is."""
    if (STORE / "generators" / "faces").is_dir():
        generator, ref = load_generator(ArtifactStore(str(STORE)), "faces")
        return generator, f"faces, version {ref.version}"
    return random_generator(), "random weights in the shape of faces"
