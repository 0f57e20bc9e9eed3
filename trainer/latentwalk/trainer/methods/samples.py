"""Latents to look at, without training on them."""

import torch
from torch import Tensor

from latentwalk.gan.generator import Generator
from latentwalk.gan.latents import latents_from_seeds, one_hot
from latentwalk.trainer import seeds
from latentwalk.trainer.specs.closed_form import SAMPLES_PER_STEP


def sample(generator: Generator, job_seed: int, step: int, samples: int) -> tuple[Tensor, Tensor | None]:
    """The latents [N, Z] of one step, and their classes, drawn uniformly, [N, K]; the last step has what is left.

    Both are where the generator is.
    """
    rows = min(SAMPLES_PER_STEP, samples - step * SAMPLES_PER_STEP)
    z = latents(generator, job_seed, step, rows)
    classes = generator.spec.classes
    if not classes:
        return z, None
    drawn = torch.randint(classes, (rows,), generator=seeds.draw_generator(job_seed, step))
    return z, one_hot(drawn.tolist(), classes).to(z.device)


def latents(generator: Generator, job_seed: int, step: int, rows: int) -> Tensor:
    """The latents [N, Z] of so many rows of one step, where the generator is."""
    return latents_from_seeds(seeds.training_seeds(job_seed, step, range(rows)), generator.spec).to(generator.device)
