"""What every peer serves: the same weights, as they were loaded or in the form that our engine has chosen."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
import torch

from latentwalk.gan.artifacts import ArtifactStore, load_generator
from latentwalk.gan.generator import Generator
from latentwalk.gan.images import to_uint8
from latentwalk.server.engine import Row, Tuning, find_devices

Draw = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.uint8]]
"""Latents z [N, Z] in, pixels [N, H, W, C] out."""

NAME = "bench"
SIDE, CHANNELS, LATENT_SIZE = 64, 3, 100
BATCH, WINDOW_SECONDS, THREADS = 16, 0.005, 1
_VARIABLE = "LATENTWALK_PEER"


@dataclass(frozen=True)
class PeerSettings:
    """What a peer is told when it is started."""

    store: str
    cache: str
    form: str
    """One of FORMS."""
    port: int
    http_port: int
    """For HTTP beside gRPC, where the peer insists."""
    metrics_port: int
    """For metrics, where the peer insists."""

    def to_environment(self) -> Mapping[str, str]:
        """As a variable of the environment, which every process of the peer inherits."""
        return {_VARIABLE: json.dumps(asdict(self))}

    @classmethod
    def from_environment(cls) -> "PeerSettings":
        """The inverse of to_environment."""
        return cls(**json.loads(os.environ[_VARIABLE]))


def make_draw(settings: PeerSettings) -> Draw:
    """The model as a peer's worker calls it, with one thread, and warm."""
    torch.set_num_threads(THREADS)
    generator, _ = load_generator(ArtifactStore(settings.store), NAME)
    draw = FORMS[settings.form](generator, settings)
    for size in range(1, BATCH + 1):
        draw(np.zeros((size, LATENT_SIZE), np.float32))
    return draw


def _plain(generator: Generator, settings: PeerSettings) -> Draw:
    """As a user would write it."""

    @torch.inference_mode()
    def draw(z: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
        return to_uint8(generator(torch.from_numpy(z)), generator.spec.range).numpy()

    return draw


def _engine(generator: Generator, settings: PeerSettings) -> Draw:
    """In the form that was chosen for our own server: it is found in the cache, and not measured again."""
    engine = Tuning(find_devices("auto"), BATCH, 5.0, 0.5, settings.cache).make_engine(generator)

    def draw(z: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
        pictures = engine.draw([Row(code, None) for code in z])
        pixels = b"".join(picture for picture in pictures if isinstance(picture, bytes))
        return np.frombuffer(pixels, np.uint8).reshape(len(z), SIDE, SIDE, CHANNELS)

    return draw


FORMS: Mapping[str, Callable[[Generator, PeerSettings], Draw]] = {"plain": _plain, "engine": _engine}
