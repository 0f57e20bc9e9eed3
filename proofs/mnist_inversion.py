"""Claim: the latent of a picture of one's own is found, and can be walked like any other.

Through a real server of the digits that come with the package: real digits, of MNIST's test part, and the generator's
own pictures, which have a latent to be found. What is found must be as long as latents are: only there does a generator
draw, and do its directions do, what they were trained for. The sheet results/mnist_inversion.png has a real digit a
row: as it is, as it was found, and what was found turned from -20 to 20 degrees.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from benchmarks.report import Claim, report
from benchmarks.served import served
from latentwalk.client import AsyncClient, Found, Picture
from latentwalk.server.builtin import BUILTIN
from latentwalk.trainer.data import Library
from proofs.options import RESULTS, Options

NAME, MODEL = "mnist_inversion", "digits"
PICTURES, STEPS, SHOWN = 100, 200, 12
AT_ONCE = 16
# Of the generator's own pictures, seeds that no search begins at.
FIRST_SEED = 1_000
# A picture is found again if its pixels are off by no more than this, by the root of their mean square.
FOUND_AGAIN = 8 / 255
# The mean of 100 squares of standard normal numbers is 1, give or take three times its deviation.
LENGTH = 3 * (2 / 100) ** 0.5
DEGREES = (-20.0, 20.0)
SIDE = 32


@dataclass(frozen=True)
class Sought:
    """A picture, and the class that it is of."""

    picture: Picture
    digit: int


@dataclass(frozen=True)
class Search:
    """What a search began with, and what it found."""

    first: Found
    last: Found


def main(options: Options) -> bool:
    """Search, walk, print and write the result, and say whether the claims hold."""
    steps = options.steps(STEPS)
    with served("--store", str(BUILTIN)) as running:
        real, own, sheet = asyncio.run(_measure(running.address, _real_digits(options), steps))
    RESULTS.mkdir(exist_ok=True)
    sheet.save(RESULTS / f"{NAME}.png")
    errors = np.array([search.last.error for search in real])
    beginnings = np.array([search.first.error for search in real])
    again = np.mean([search.last.error <= FOUND_AGAIN**2 for search in own])
    off = max(abs(float(np.square(search.last.code).mean()) - 1) for search in (*real, *own))
    claims = [
        Claim(
            f"error of {len(real)} real digits, found, of that of the best of 32 seeds",
            float(errors.mean() / beginnings.mean()),
            "",
            0.1,
            at_most=True,
        ),
        Claim(f"of {len(own)} of its own pictures, found again within 8/255", 100 * float(again), "%", 90),
        Claim("mean square of the numbers of a latent found, off 1 at most", off, "", LENGTH, at_most=True),
    ]
    remarks = [f"real digits: {255 * errors.mean() ** 0.5:.1f}/255 off by the root of the mean square; {steps} steps"]
    return report(NAME, claims, remarks, RESULTS)


def _real_digits(options: Options) -> list[Sought]:
    """The first pictures of the test part, as the generator's were scaled for its training."""
    pictures = Library(options.data).read("dataset", "MNIST", "test", SIDE)
    rows = torch.arange(PICTURES)
    pixels = pictures.images[rows].permute(0, 2, 3, 1).numpy()
    digits = pictures.classes_of(rows).tolist()
    return [Sought(Picture.from_array(one), digit) for one, digit in zip(pixels, digits, strict=True)]


async def _measure(address: str, digits: Sequence[Sought], steps: int) -> tuple[list[Search], list[Search], Picture]:
    async with AsyncClient(address) as client:
        classes = [row % 10 for row in range(PICTURES)]
        drawn = [
            await client.generate(MODEL, seeds=FIRST_SEED + row, classes=digit) for row, digit in enumerate(classes)
        ]
        own = [Sought(pictures[0], digit) for pictures, digit in zip(drawn, classes, strict=True)]
        real = await _search(client, digits, steps)
        return real, await _search(client, own, steps), await _sheet(client, digits, real)


async def _search(client: AsyncClient, sought: Sequence[Sought], steps: int) -> list[Search]:
    """All searches, so many at once."""
    places = asyncio.Semaphore(AT_ONCE)

    async def search(one: Sought) -> Search:
        async with places, client.invert(MODEL, one.picture, classes=one.digit, steps=steps) as finds:
            return Search(await anext(finds), await finds.result())

    return await asyncio.gather(*map(search, sought))


async def _sheet(client: AsyncClient, sought: Sequence[Sought], searches: Sequence[Search]) -> Picture:
    rows: list[np.ndarray] = []
    for one, search in zip(sought[:SHOWN], searches[:SHOWN], strict=True):
        walk = await client.walk(MODEL, "rotate", amount=DEGREES, frames=7, **search.last.latent).collect()
        turned = [frame.pictures[0] for frame in walk]
        rows.append(np.hstack([picture.array for picture in (one.picture, search.last.picture, *turned)]))
    sheet = Image.fromarray(np.vstack(rows)[:, :, 0])
    return Picture.from_image(sheet.resize((2 * sheet.width, 2 * sheet.height), Image.Resampling.NEAREST))
