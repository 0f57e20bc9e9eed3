"""Claims: the engine, from rows to bytes, against the plain generator in fp32 and against the machine's own rate.

Plain means `generator(z)` as it was loaded, with the pictures left as tensors: the engine is charged for stacking the
latents, for the conversion to uint8 and for the copies, the plain generator is not. All in one process, with the
threads that the server would use. The machine's rate is that of a matrix product of 2048 x 2048 x 2048, in bf16, or in
fp32 on a processor that has no bf16.

Useful work is what a DCGAN must compute however it is computed: a multiplication and an addition for each pair of an
input value and a weight that meet in a pixel of the picture. Along one axis, 4 taps with stride 2 and padding 1 over
H inputs meet 4 H - 2 times, since the outermost tap at each end falls beside the picture.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.published import faces_or_alike
from benchmarks.report import Claim, report
from latentwalk.gan.families.dcgan import DCGAN
from latentwalk.gan.generator import Generator
from latentwalk.gan.images import to_uint8
from latentwalk.gan.processor import has_bf16
from latentwalk.server.engine import Engine, Row, Tuning, find_device, use_threads
from latentwalk.server.engine.rows import sample_rows, stack

TARGETS = {1: 2.5, 32: 2.2}
SIZES = (1, 2, 4, 8, 16, 32)
TARGET_SHARE = 0.7
ROUNDS, SECONDS = 9, 0.15
TOLERANCE = 0.5
SIDE = 2048
PRECISION = torch.bfloat16 if has_bf16() else torch.float32


@dataclass(frozen=True)
class Round:
    """Pictures per second by batch size, and the operations per second of the matrix product, of one round."""

    engine: dict[int, float]
    plain: dict[int, float]
    machine: float


def main() -> bool:
    """Measure in alternating rounds, print and write the result, and say whether the claims hold."""
    use_threads(0)
    generator, weights = faces_or_alike()
    with tempfile.TemporaryDirectory() as cache:
        tuning = Tuning((find_device("cpu"),), max(SIZES), seconds=10.0, tolerance=TOLERANCE, cache=cache)
        engine = tuning.make_engine(generator)
    mean, most, apart = _check(engine, generator)
    rounds = [_round(engine, generator) for _ in range(ROUNDS + 1)][1:]  # the first one warms up
    speedups = {size: [one.engine[size] / one.plain[size] for one in rounds] for size in SIZES}
    operations = 2 * multiplications(generator)
    shares = {size: [one.engine[size] * operations / one.machine for one in rounds] for size in SIZES}
    best = max(SIZES, key=lambda size: statistics.median(shares[size]))
    claims = [
        Claim(f"engine against plain fp32, batch {size}", statistics.median(speedups[size]), "x", target)
        for size, target in TARGETS.items()
    ]
    share, product = statistics.median(shares[best]), f"{'bf16' if has_bf16() else 'fp32'} matrix product"
    claims.append(Claim(f"useful work against a {product}, batch {best}", share, "", TARGET_SHARE))
    claims.append(Claim("pictures within 1/255 alone and in any batch", float(apart <= 1), "", 1.0))
    remarks = [
        f"{weights}; {torch.get_num_threads()} thread(s); median of {ROUNDS} rounds, [least to most]",
        f"{product}: {statistics.median(one.machine for one in rounds) / 1e9:.0f} GFLOP/s; "
        f"a picture: {operations / 1e9:.3f} GFLOP",
        f"pixels against fp32: {mean:.2f}/255 off on average, {most}/255 at most",
        *(_line(size, engine, rounds, speedups[size], shares[size]) for size in SIZES),
    ]
    return report("engine_against_eager", claims, remarks)


def multiplications(generator: Generator) -> int:
    """How many multiplications one picture needs; as many additions go with them."""
    if not isinstance(generator, DCGAN):
        raise TypeError(f"the work of a {generator.spec.family} is not known here")
    kernels = [layer.weight for layer in generator.main if isinstance(layer, torch.nn.ConvTranspose2d)]
    from_code, *doubling = kernels
    taps = [(4 * (4 << rung) - 2) ** 2 for rung in range(len(doubling))]
    return from_code.numel() + sum(
        kernel.shape[0] * kernel.shape[1] * meetings for kernel, meetings in zip(doubling, taps, strict=True)
    )


def _check(engine: Engine, generator: Generator) -> tuple[float, int, int]:
    """Mean and largest error of the engine's pixels against fp32, and how far a picture varies with its company."""
    rows = sample_rows(engine.generator, max(SIZES))
    z, condition, _ = stack(rows)
    with torch.inference_mode():
        expected = to_uint8(generator(z, condition), engine.spec.range).flatten(1).numpy().astype(np.int16)
    drawn = {size: _pixels(engine, rows[:size]) for size in range(1, len(rows) + 1)}
    errors = np.abs(drawn[len(rows)] - expected)
    if errors.mean() > TOLERANCE:
        raise AssertionError(f"the engine's pixels are {errors.mean():.2f}/255 off on average")
    apart = max(int(np.abs(some - drawn[len(rows)][:size]).max()) for size, some in drawn.items())
    return float(errors.mean()), int(errors.max()), apart


def _pixels(engine: Engine, rows: Sequence[Row]) -> npt.NDArray[np.int16]:
    pictures = [picture for picture in engine.draw(rows) if isinstance(picture, bytes)]
    return np.stack([np.frombuffer(picture, np.uint8) for picture in pictures]).astype(np.int16)


def _round(engine: Engine, generator: Generator) -> Round:
    fast, plain = dict[int, float](), dict[int, float]()
    left, right = (torch.randn(SIDE, SIDE).to(PRECISION) for _ in range(2))
    with torch.inference_mode():
        machine = 2 * SIDE**3 * _rate(lambda: left @ right)
        for size in SIZES:
            rows = sample_rows(engine.generator, size)
            z, condition, _ = stack(rows)
            fast[size] = size * _rate(lambda rows=rows: engine.draw(rows))
            plain[size] = size * _rate(lambda z=z, condition=condition: generator(z, condition))
    return Round(fast, plain, machine)


def _rate(work: Callable[[], object]) -> float:
    """How often a second it is done; after the first time, which does not count."""
    work()
    done, started = 0, time.perf_counter()
    while done < 2 or time.perf_counter() - started < SECONDS:
        work()
        done += 1
    return done / (time.perf_counter() - started)


def _line(
    size: int, engine: Engine, rounds: Sequence[Round], speedups: Sequence[float], shares: Sequence[float]
) -> str:
    fast, plain = (statistics.median(by[size] for by in side) for side in _sides(rounds))
    return (
        f"batch {size:>2}: {engine.variants[size]}, {fast:5.0f} against {plain:4.0f} pictures/s, "
        f"{statistics.median(speedups):.2f} x [{min(speedups):.2f} to {max(speedups):.2f}], "
        f"{statistics.median(shares):.0%} of the machine's rate"
    )


def _sides(rounds: Sequence[Round]) -> tuple[Sequence[dict[int, float]], Sequence[dict[int, float]]]:
    return [one.engine for one in rounds], [one.plain for one in rounds]
