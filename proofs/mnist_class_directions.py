"""Claim: global and class directions of MNIST's digits are orthogonal, and the one is hardly ever taken for the other.

Kim and Lee, with the generator of the proof mnist_generator. Chance is a guess over all K (N + 1) directions alike. The
paper's figure 2 is drawn for each digit and for the global bank: results/mnist_class_directions.<digit|global>.png.
"""

import torch
from torchvision.utils import save_image

from benchmarks.report import Claim, report
from latentwalk.gan.artifacts import load_direction, load_generator
from latentwalk.gan.directions import Direction
from latentwalk.gan.generator import Generator
from latentwalk.gan.latents import latents_from_seeds, one_hot
from proofs import mnist_generator
from proofs.options import RESULTS, Options
from proofs.workshop import request_id, workshop

NAME = "mnist_class_directions"
CLASSES = 10
STEPS = 2_000
AMOUNTS = 13
SHOWN_DIGIT = 8
"""The digit that the global bank is shown on, as in the paper."""


def main(options: Options) -> bool:
    """Train, draw the figures, print and write the result, and say whether the claims hold."""
    with workshop(options, mnist_generator.NAME) as shop:
        shop.finish(mnist_generator.ask(options, shop))
        job = shop.client.train_class_directions(
            "digits",
            "banks",
            steps=options.steps(STEPS),
            checkpoint_every=500,
            request_id=request_id("banks", options),
        )
        [result] = shop.finish(job)
        _draw(load_generator(shop.store, "digits")[0], load_direction(shop.store, "digits", "banks")[0])
    found = result.measures
    as_class, as_global = CLASSES / (CLASSES + 1), 1 / (CLASSES + 1)
    claims = [
        Claim("max |W_G^T W_c|", found["max_abs_cross"], "", 1e-5, at_most=True),
        Claim("global shifts taken for class ones", found["leakage_global_as_class"], "", as_class / 4, at_most=True),
        Claim("class shifts taken for global ones", found["leakage_class_as_global"], "", as_global / 4, at_most=True),
    ]
    heads = ", ".join(f"{digit}: {found[f'rca_class{digit}']:.3f}" for digit in range(CLASSES))
    remarks = [
        f"max |W_G^T W_c| is {found['max_abs_cross']:.1e}",
        f"reconstruction accuracy {found['reconstruction_accuracy']:.3f} of all, global {found['rca_global']:.3f}",
        f"by class {heads}",
    ]
    return report(NAME, claims, remarks, RESULTS)


def _draw(generator: Generator, direction: Direction) -> None:
    """A sheet for each digit's own bank, and one for the global bank: directions in rows, amounts in columns."""
    RESULTS.mkdir(exist_ok=True)
    for bank in (None, *range(CLASSES)):
        sliders = [place for place, one in enumerate(direction.sliders) if one.class_id == bank]
        digit, name = (SHOWN_DIGIT, "global") if bank is None else (bank, str(bank))
        condition = one_hot([digit] * AMOUNTS, CLASSES)
        start = latents_from_seeds([0] * AMOUNTS, generator.spec)
        alphas = torch.linspace(*direction.sliders[0].trained, AMOUNTS)
        rows = [generator(direction.walk(start, slider, alphas), condition) for slider in sliders]
        save_image(torch.cat(rows), RESULTS / f"{NAME}.{name}.png", nrow=AMOUNTS, normalize=True, value_range=(-1, 1))
