"""Claim: how well the colour of the real faces can be steered when it is trained and tested as the paper does it.

The paper's code trains red, green and blue at once, each by an amount of its own, and tests them alike: all three by
one amount. `faces_walks` has them apart: three directions, each trained and measured alone. Here is one job of three
sliders, with that budget, measured in all three ways: alike, at once, and one alone.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from benchmarks.report import Claim, report
from latentwalk.cli.pull import FACES, publish, published
from latentwalk.gan.artifacts import load_direction, load_generator
from latentwalk.gan.directions import LinearDirection
from latentwalk.gan.edits import EDITS, masked_squared_error
from latentwalk.gan.generator import Generator
from latentwalk.gan.latents import latents_from_seeds
from proofs.faces_walks import COLOURS, HELD_OUT, STEPS
from proofs.likeness import in_batches
from proofs.options import RESULTS, Options
from proofs.workshop import Workshop, request_id, workshop

NAME = "faces_colours"
DIRECTION = "colour"
TARGET = 60.0
FURTHEST = 0.25
"""Of the full range of a channel, up or down: what is trained on."""


def main(options: Options) -> bool:
    """Train the three sliders, measure, print and write the result, and say whether the claim holds."""
    with workshop(options, NAME) as shop:
        store = options.work / NAME / "store"
        if not published(store, FACES):
            publish(store, FACES)
        alone = _train(options, shop)
        generator = load_generator(shop.store, FACES.name)[0]
        direction = load_direction(shop.store, FACES.name, DIRECTION)[0]
    assert isinstance(direction, LinearDirection)
    own = FURTHEST * (2 * torch.rand(HELD_OUT, len(COLOURS), generator=torch.Generator().manual_seed(0)) - 1)
    ways = {"alike": own[:, :1].expand_as(own), "at once": own}
    gains = {way: _gain(generator, direction, amounts) for way, amounts in ways.items()}
    rows = [f"{way:<8} {gain:5.1f} %" for way, gain in {**gains, **alone}.items()]
    claim = Claim("red, green and blue by one amount, linear, below doing nothing", gains["alike"], "%", TARGET)
    return report(NAME, [claim], rows, RESULTS)


def _train(options: Options, shop: Workshop) -> Mapping[str, float]:
    """Publish the direction; percent below doing nothing of each slider alone, as the job measures it."""
    job = shop.client.train_edit(
        FACES.name,
        DIRECTION,
        edits=list(COLOURS),
        together=True,
        steps=options.steps(STEPS),
        evaluation_size=HELD_OUT,
        request_id=request_id(NAME, options, HELD_OUT),
    )
    (result,) = shop.finish(job)
    return {one.slider: 100 * one.gain for one in result.evaluations}


def _gain(generator: Generator, direction: LinearDirection, amounts: Tensor) -> float:
    """Percent of the squared error below doing nothing, of held-out latents moved by amounts [N, 3]."""
    z = latents_from_seeds(range(len(amounts)), generator.spec)
    scales = torch.tensor([slider.scale for slider in direction.sliders])
    alphas = amounts / scales

    def errors(rows: slice) -> Tensor:
        pictures = generator(z[rows])
        target = pictures
        for colour, of_colour in zip(COLOURS, amounts[rows].unbind(dim=1), strict=True):
            target, _ = EDITS[colour](target, of_colour)
        mask = torch.ones_like(pictures[:, :1])
        walked = generator(direction.move(z[rows], alphas[rows]))
        both = [masked_squared_error(ours, target, mask) for ours in (walked, pictures)]
        return torch.stack(both, dim=1)

    walked, still = in_batches(len(z), errors).sum(dim=0).tolist()
    return 100 * (1 - walked / still)
