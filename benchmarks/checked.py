"""The bytes that came back, held against the bare engine's or the plain generator's pictures."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from benchmarks.load import Answer, code_of
from latentwalk.gan.directions import LinearDirection
from latentwalk.gan.generator import Generator
from latentwalk.gan.images import to_uint8
from latentwalk.server.engine import Engine, Row

BATCH = 16


def check(
    answers: Sequence[Answer],
    draw: Callable[[Tensor], Sequence[bytes]],
    direction: LinearDirection | None = None,
    frames: int = 1,
) -> None:
    """Raise AssertionError unless every pixel of every answer is within 1/255 of what `draw` makes of its latent.

    `direction` and `frames` say which walk the answers are of.
    """
    alphas = torch.linspace(-1, 1, frames)
    for start in range(0, len(answers), BATCH):
        some = answers[start : start + BATCH]
        z = torch.stack([torch.from_numpy(code_of(answer.seed)) for answer in some])
        if direction:
            z = direction.move(z, torch.stack([alphas[answer.frame] for answer in some])[:, None])
        for answer, expected in zip(some, draw(z), strict=True):
            _compare(answer, expected)


def drawn_by(engine: Engine) -> Callable[[Tensor], list[bytes]]:
    """The bare engine's pictures of z [N, Z]."""

    def draw(z: Tensor) -> list[bytes]:
        pictures = engine.draw([Row(code, None) for code in z.numpy()])
        return [picture for picture in pictures if isinstance(picture, bytes)]

    return draw


def drawn_plainly(generator: Generator) -> Callable[[Tensor], list[bytes]]:
    """The pictures of the generator as it was loaded, of z [N, Z]."""

    @torch.inference_mode()
    def draw(z: Tensor) -> list[bytes]:
        return [picture.tobytes() for picture in to_uint8(generator(z), generator.spec.range).numpy()]

    return draw


def _compare(answer: Answer, expected: bytes) -> None:
    what = f"the picture of seed {answer.seed}, frame {answer.frame},"
    if len(answer.picture) != len(expected):
        raise AssertionError(f"{what} has {len(answer.picture)} bytes, not {len(expected)}")
    pixels, wanted = (np.frombuffer(one, np.uint8).astype(np.int16) for one in (answer.picture, expected))
    if (apart := np.abs(pixels - wanted).max()) > 1:
        raise AssertionError(f"{what} differs by {apart}/255 from what is expected")
