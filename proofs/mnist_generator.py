"""Claim: a conditional generator of MNIST, trained here in under an hour of two cores, draws the digit it is asked for.

The judge is a classifier that a job trains too, and that is right about at least 99 % of MNIST's test part. The Frechet
distance between drawn and real pictures, on its features, stands beside that between two halves of the test part.
"""

import time
from dataclasses import replace

import torch

from benchmarks.report import Claim, report
from latentwalk.client import Gan, JobHandle
from latentwalk.gan.artifacts import load_classifier, load_generator
from latentwalk.gan.likeness import Moments, frechet_distance
from latentwalk.trainer.data import Library
from proofs.likeness import drawn, told
from proofs.options import RESULTS, Options
from proofs.workshop import Workshop, request_id, workshop

NAME = "mnist_generator"
PICTURES = 10_000
DIGITS = Gan(data="MNIST", conditional=True)
"""The defaults: 32 px, width 32, non-saturating with R1, 5,000 steps of batch 64."""
STEPS, CLASSIFIER_STEPS = 5_000, 2_000


def main(options: Options) -> bool:
    """Train, measure, print and write the result, and say whether the claims hold."""
    with workshop(options, NAME) as shop:
        seconds = _train(options, shop)
        claims, remarks = _measure(options, shop)
    claims.append(Claim("hours of training, generator and judge side by side", seconds / 3600, "h", 1, at_most=True))
    return report(NAME, claims, remarks, RESULTS)


def ask(options: Options, shop: Workshop) -> JobHandle:
    """Queue the job of the generator, or find it."""
    gan = replace(DIGITS, steps=options.steps(STEPS))
    return shop.client.train_gan("digits", gan, request_id=request_id("digits", options))


def _train(options: Options, shop: Workshop) -> float:
    """Train both; returns the seconds that the longer of the two has trained."""
    steps = options.steps(CLASSIFIER_STEPS)
    judge = shop.client.train_classifier("judge", "MNIST", steps=steps, request_id=request_id("judge", options))
    jobs = judge, ask(options, shop)
    started = time.monotonic()
    shop.finish(*jobs)
    print(f"  trained in {time.monotonic() - started:.0f} s")
    return max(job.describe().progress.elapsed.total_seconds() for job in jobs)


def _measure(options: Options, shop: Workshop) -> tuple[list[Claim], list[str]]:
    generator, judge = load_generator(shop.store, "digits")[0], load_classifier(shop.store, "judge")[0]
    test = Library(options.data).read("dataset", "MNIST", "test", generator.spec.resolution)
    assert test.labels is not None
    wanted = [row % generator.spec.classes for row in range(PICTURES)]
    seen, features = told(judge, drawn(generator, wanted))
    right, real = told(judge, test.pictures(torch.arange(len(test))))
    accuracy = float((right == test.labels).float().mean())
    agreement = float((seen == torch.tensor(wanted)).float().mean())
    distance = frechet_distance(Moments.of(features), Moments.of(real))
    halves = frechet_distance(Moments.of(real[::2]), Moments.of(real[1::2]))
    claims = [
        Claim("the judge is right about the test part", 100 * accuracy, "%", 99),
        Claim(f"the judge sees the wanted digit in {PICTURES:,} pictures", 100 * agreement, "%", 97),
    ]
    return claims, [f"Frechet distance to the test part {distance:.3f}; between two halves of it {halves:.3f}"]
