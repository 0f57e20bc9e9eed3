"""Claims: how far the real face generator can be steered, by linear walks, and what nonlinear ones add.

Each edit is a job of its own, linear and then nonlinear, with the trainer's defaults and the same budget: 1,000 steps
of batch 16, after which linear walks get no better. What counts is the masked squared error on held-out latents, below
that of doing nothing (question 4 of the steerability paper: does a nonlinear walk do better?). "colour" is the mean of
red, green and blue.
"""

from collections.abc import Mapping
from typing import Literal

from benchmarks.report import Claim, report
from latentwalk.cli.pull import FACES, publish, published
from latentwalk.client import JobHandle
from proofs.options import RESULTS, Options
from proofs.workshop import Workshop, request_id, workshop

NAME = "faces_walks"
STEPS = 1_000
HELD_OUT = 8_192
"""Latents to measure on: more than a job's own default, since half a point decides."""
COLOURS = ("red", "green", "blue")
EDITS = ("brightness", *COLOURS, "lab_l", "lab_a", "lab_b", "zoom", "shift_x", "shift_y", "rotate", "rotate3d")
TARGETS = {"brightness": 75.0, "colour": 60.0, "zoom": 16.0, "shift_x": 12.0, "shift_y": 8.0, "rotate": 4.0}

Form = Literal["linear", "nonlinear"]
FORMS: tuple[Form, ...] = ("linear", "nonlinear")


def main(options: Options) -> bool:
    """Train all walks, print and write the result, and say whether the claims hold."""
    with workshop(options, NAME) as shop:
        store = options.work / NAME / "store"
        if not published(store, FACES):
            publish(store, FACES)
        linear, nonlinear = (_gains(options, shop, form) for form in FORMS)
    claims = [
        Claim(f"{edit}, linear, below doing nothing", linear[edit], "%", least) for edit, least in TARGETS.items()
    ]
    rows = [f"{edit:<11} linear {linear[edit]:6.1f} %   nonlinear {nonlinear[edit]:6.1f} %" for edit in linear]
    return report(NAME, claims, rows, RESULTS)


def _gains(options: Options, shop: Workshop, form: Form) -> Mapping[str, float]:
    """Percent below doing nothing of walks of one form, by edit, and the mean of the three colours."""
    jobs = [_ask(options, shop, form, edit) for edit in EDITS]
    results = zip(EDITS, shop.finish(*jobs), strict=True)
    gains = {edit: 100 * result.evaluations[0].gain for edit, result in results}
    return {**gains, "colour": sum(gains[colour] for colour in COLOURS) / len(COLOURS)}


def _ask(options: Options, shop: Workshop, form: Form, edit: str) -> JobHandle:
    """Queue a job, or find it."""
    return shop.client.train_edit(
        FACES.name,
        f"{edit}-{form}",
        edits=edit,
        form=form,
        steps=options.steps(STEPS),
        evaluation_size=HELD_OUT,
        request_id=request_id(NAME, options, form, edit, HELD_OUT),
    )
