"""Claim: of 64 orthonormal directions found without labels, a predictor tells 90 % of held-out shifts on MNIST.

Voynov and Babenko 2020, table 1, with the generator of the proof mnist_generator, whose two pictures of a pair have one
class. Beside it, the accuracies of the best and of the worst told direction, and the variation of the directions among
the real digits (DVN in the paper); and, without a target, the table's other two rows: random orthonormal directions and
the axes of the latent space, of which only the predictor is trained, for as long.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

from benchmarks.report import Claim, report
from latentwalk.client import JobHandle
from proofs import mnist_generator
from proofs.options import RESULTS, Options
from proofs.workshop import Workshop, request_id, workshop

NAME = "mnist_discovery"
DIRECTIONS = 64
Kind: TypeAlias = Literal["orthonormal", "random", "coordinate"]
STEPS, BATCH = 16_000, 64
UNTRAINED: Sequence[Kind] = ("random", "coordinate")


def main(options: Options) -> bool:
    """Train, print and write the result, and say whether the claim holds."""
    with workshop(options, mnist_generator.NAME) as shop:
        shop.finish(mnist_generator.ask(options, shop))
        job = _ask(options, shop, "orthonormal", "found")
        others = [_ask(options, shop, kind, kind) for kind in UNTRAINED]
        result, *compared = shop.finish(job, *others)
        seconds = job.describe().progress.elapsed.total_seconds()
    measures = result.measures
    by_slider = sorted(value for name, value in measures.items() if name.startswith("accuracy."))
    claim = Claim(f"reconstruction accuracy, K = {DIRECTIONS}", measures["reconstruction_accuracy"], "", 0.90)
    remarks = [
        f"by direction from {by_slider[0]:.3f} to {by_slider[-1]:.3f}",
        f"direction variation {measures['direction_variation']:.3f}",
        f"how far is missed by {measures['shift_error']:.2f}",
        f"trained in {seconds:.0f} s, beside others",
        *(f"{kind}, not trained: {_row(one.measures)}" for kind, one in zip(UNTRAINED, compared, strict=True)),
    ]
    return report(NAME, [claim], remarks, RESULTS)


def _ask(options: Options, shop: Workshop, deformator: Kind, direction: str) -> JobHandle:
    """Queue the job of one row, or find it."""
    return shop.client.train_discovery(
        "digits",
        direction,
        deformator=deformator,
        directions=DIRECTIONS,
        steps=options.steps(STEPS),
        batch_size=BATCH,
        learning_rate=0.004,
        predictor_learning_rate=0.002,
        data="MNIST",
        checkpoint_every=1_000,
        request_id=request_id(direction, options, "real"),
    )


def _row(measures: Mapping[str, float]) -> str:
    accuracy, variation = measures["reconstruction_accuracy"], measures["direction_variation"]
    return f"reconstruction accuracy {accuracy:.3f}, direction variation {variation:.3f}"
