"""Claim: of a StyleGAN of MNIST's digits, trained here, w is less entangled than z.

Karras, Laine and Aila, "A style-based generator architecture for generative adversarial networks" (CVPR 2019), section
4: on the way from one latent to another pictures change less in w, and planes tell their classes better there. What the
change of a picture is measured by are the features of the judge, the classifier whose classes are separated; it says
too whether a picture is of the digit that it was asked for. The sheet of samples is results/mnist_styles.styles.png.
"""

from dataclasses import replace

import torch

from benchmarks.report import Claim, report
from latentwalk.client import Gan
from latentwalk.gan.artifacts import load_classifier, load_generator
from proofs.likeness import drawn, told
from proofs.options import RESULTS, Options
from proofs.workshop import Workshop, request_id, workshop

NAME = "mnist_styles"
PICTURES = 10_000
STEPS, CLASSIFIER_STEPS = 3_000, 2_000
# The paper's mapping of 8 layers learns a hundredth as fast as the rest, and in so few steps hardly anything: what 8
# layers of random weights make of two latents is nearly the same (the judge then saw 75.8 % of the digits).
DIGITS = Gan(
    data="MNIST",
    conditional=True,
    family="stylegan",
    latent_size=64,
    width=16,
    max_width=64,
    mapping_layers=2,
    discriminator_width=32,
    discriminator_learning_rate=0.0005,
)


def main(options: Options) -> bool:
    """Train, measure, print and write the result, and say whether the claims hold."""
    with workshop(options, NAME) as shop:
        _train(options, shop)
        claims = [_agreement(shop), *_entanglement(options, shop)]
    return report(NAME, claims, results=RESULTS)


def _train(options: Options, shop: Workshop) -> None:
    steps = {"styles": options.steps(STEPS), "judge": options.steps(CLASSIFIER_STEPS)}
    gan = replace(DIGITS, steps=steps["styles"])
    common = {"checkpoint_every": 500}
    shop.finish(
        shop.client.train_gan("styles", gan, request_id=request_id("styles", options), **common),
        shop.client.train_classifier(
            "judge", "MNIST", steps=steps["judge"], request_id=request_id("judge", options), **common
        ),
    )


def _agreement(shop: Workshop) -> Claim:
    """How often a picture is of the digit that it was asked for."""
    generator, judge = load_generator(shop.store, "styles")[0], load_classifier(shop.store, "judge")[0]
    wanted = [row % generator.spec.classes for row in range(PICTURES)]
    seen, _ = told(judge, drawn(generator, wanted))
    agreement = float((seen == torch.tensor(wanted)).float().mean())
    return Claim(f"the judge sees the wanted digit in {PICTURES:,} pictures", 100 * agreement, "%", 90)


def _entanglement(options: Options, shop: Workshop) -> list[Claim]:
    """Each measure in w, of which the target is what it is in z."""
    job = shop.client.train_evaluation(
        "styles", classifier="judge", distance="features", samples=PICTURES, request_id=request_id("measured", options)
    )
    [result] = shop.finish(job)
    names = {
        "path_length.{}.full": "perceptual path length in w, in z at most, full",
        "path_length.{}.end": "the same at its end",
        "separability.{}": "linear separability in w, in z at most",
    }
    found = result.measures
    return [
        Claim(said, found[name.format("w")], "", found[name.format("z")], at_most=True) for name, said in names.items()
    ]
