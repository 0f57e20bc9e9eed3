"""Latents to look at, without training on them."""

from collections.abc import Sequence

import torch
from torch import Tensor

from latentwalk.gan.generator import Generator
from latentwalk.gan.latents import latents_from_seeds, noise_from_seeds, one_hot
from latentwalk.trainer import seeds
from latentwalk.trainer.specs.closed_form import SAMPLES_PER_STEP

DRAWN_AT_ONCE = 64
"""Pictures that are held at once, of the samples of a step."""


def sample(
    generator: Generator,
    job_seed: int,
    step: int,
    samples: int,
    threshold: float | None = None,
    class_ids: Sequence[int] = (),
) -> tuple[Tensor, Tensor | None]:
    """The latents [N, Z] of one step, and their classes, drawn uniformly, [N, K]; the last step has what is left.

    Both are where the generator is. The numbers of z are cut off at +- the threshold, if there is one. The classes are
    of the given ones, by default of all.
    """
    rows = min(SAMPLES_PER_STEP, samples - step * SAMPLES_PER_STEP)
    z = latents(generator, job_seed, step, rows, threshold)
    classes = generator.spec.classes
    if not classes:
        return z, None
    known = class_ids or range(classes)
    drawn = torch.randint(len(known), (rows,), generator=seeds.draw_generator(job_seed, step))
    return z, one_hot([known[place] for place in drawn.tolist()], classes).to(z.device)


@torch.no_grad()
def count_first_features(generator: Generator) -> int:
    """F of its first features, see Generator.first_features. Raises GanError for a family without such."""
    return generator.first_features(*sample(generator, 0, 0, 2)).shape[1]


def latents(generator: Generator, job_seed: int, step: int, rows: int, threshold: float | None = None) -> Tensor:
    """The latents [N, Z] of so many rows of one step, cut off at +- a threshold, where the generator is."""
    of_rows = seeds.training_seeds(job_seed, step, range(rows))
    return latents_from_seeds(of_rows, generator.spec, threshold).to(generator.device)


def noise(generator: Generator, job_seed: int, step: int, rows: Tensor) -> Tensor:
    """The noise [N, P] of some rows int64 [N] of one step, each its own, where the generator is; P is 0 without noise.

    That of all rows of a step does not fit into every memory: a StyleGAN of 1024 px takes 11 MiB for each.
    """
    of_rows = seeds.training_seeds(job_seed, step, rows.tolist())
    return noise_from_seeds(of_rows, len(generator.noise)).to(generator.device)


def drawn(generator: Generator, code: Tensor, space: str, condition: Tensor | None, noise: Tensor) -> Tensor:
    """Pictures [N, C, H, W] of codes in a space, with their noise [N, P], if the generator takes any."""
    if space == "z" and generator.spec.layers:  # where noise is drawn with w
        code, space = generator.encode(code, "w", condition), "w"
    return generator.draw(code, space, condition, noise)
