"""What styles, truncation and noise do to pictures: the figures of the StyleGAN paper, for a model of one's own.

Source: Karras et al., "A style-based generator architecture for generative adversarial networks" (2019), figures 3 to 5
and 8. Shapes: N pictures, H, W, C as for pictures.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentwalk.client import _catalog as catalog
from latentwalk.client import _generation as generation
from latentwalk.client._calls import UnaryCall
from latentwalk.client._errors import InvalidRequest
from latentwalk.client._latents import Seeds
from latentwalk.client._models import Model
from latentwalk.client._numbers import number, whole, wholes
from latentwalk.client._pictures import Picture, Pictures
from latentwalk.client._plans import Plan
from latentwalk.client._sheets import labelled_sheet
from latentwalk.client._styles import Mix, Style
from latentwalk.client._values import elements

_BLOCKS = (range(4), range(4, 8), range(8, 64))
"""The layers that the paper calls coarse, middle and fine."""
_PSIS = (1.0, 0.7, 0.5, 0.0, -0.5, -1.0)
_AT_ONCE = 8
"""Pictures of one call where many are drawn: a server may take few, and their pixels are to fit a message."""


def mixing_figure(
    model: str,
    *,
    rows: Seeds = (0, 1, 2),
    columns: Seeds = (3, 4, 5, 6),
    layers: Iterable[Iterable[int]] | None = None,
    class_id: int | None = None,
    truncation: float = 1.0,
) -> Plan[Picture]:
    """Style mixing (figure 3): the pictures of `rows`, with the styles of `columns` in some layers.

    Above stand the pictures that lend their styles, on the left those that they are lent to.
    layers: one block of the sheet for each list of them, 0 is the coarsest; by default three, the coarse (0 to 3),
    middle (4 to 7) and fine ones (from 8 on) of the paper, as far as the model has them.
    class_id: for a conditional model. truncation: of all latents, as in Style.
    """
    keepers, lenders = _seeds("rows", rows), _seeds("columns", columns)
    found = yield from _with_mapping(model)
    blocks = _blocks(layers, found)
    lent: Pictures = yield _drawn(model, lenders, class_id, [Style(truncation)] * len(lenders))
    kept: Pictures = yield _drawn(model, keepers, class_id, [Style(truncation)] * len(keepers))
    blank = Picture.from_array(np.full_like(lent[0].array, 255))
    lines: list[tuple[str, Sequence[Picture]]] = []
    for block in blocks:
        lines.append((f"layers {block[0]} to {block[-1]}" if len(block) > 1 else f"layer {block[0]}", (blank, *lent)))
        styles = [Style(truncation, mix=Mix(seed, block, class_id, truncation)) for seed in lenders]
        for seed, own in zip(keepers, kept, strict=True):
            mixed: Pictures = yield _drawn(model, [seed] * len(lenders), class_id, styles)
            lines.append((f"seed {seed}", (own, *mixed)))
    return labelled_sheet(lines, ["", *(f"seed {seed}" for seed in lenders)])


def truncation_figure(
    model: str, *, seeds: Seeds = (0, 1, 2), psis: Iterable[float] = _PSIS, class_id: int | None = None
) -> Plan[Picture]:
    """The truncation trick (figure 8): each seed a row, each psi a column, from the picture itself through the mean.

    psis: as truncation in Style, from -2 to 2. class_id: for a conditional model.
    """
    rows, columns = _seeds("seeds", seeds), [number("psis", psi) for psi in elements("psis", psis, "a list of numbers")]
    if not columns:
        raise InvalidRequest.of("psis", "are none; give at least 1")
    yield from _with_mapping(model)
    styles, lines = [Style(psi) for psi in columns], list[tuple[str, Sequence[Picture]]]()
    for seed in rows:
        drawn: Pictures = yield _drawn(model, [seed] * len(columns), class_id, styles)
        lines.append((f"seed {seed}", drawn))
    return labelled_sheet(lines, [f"{psi:g}" for psi in columns])


def noise_figure(
    model: str,
    *,
    seeds: Seeds = (0, 1, 2),
    realisations: int = 100,
    class_id: int | None = None,
    truncation: float = 1.0,
) -> Plan[Picture]:
    """Stochastic variation (figures 4 and 5): each seed a row, with noise in all layers, in none, in the coarse ones
    only, in the fine ones only, twice drawn anew, and at last how much each pixel varies.

    The coarse layers are the first 8, as in the paper, or the first half of fewer. The last column is the standard
    deviation of each pixel over so many `realisations` of the noise, the brightest of the sheet white.
    class_id: for a conditional model. truncation: as in Style.
    """
    rows, times = _seeds("seeds", seeds), whole("realisations", realisations, low=2)
    found = yield from _with_mapping(model)
    coarse = range(min(8, found.layers // 2))
    fine = range(len(coarse), found.layers)
    kinds = {
        "all": Style(truncation),
        "none": Style(truncation, noise="none"),
        "coarse": Style(truncation, noise="none", noise_layers=fine),
        "fine": Style(truncation, noise="none", noise_layers=coarse),
        "anew": Style(truncation, noise=1),
        "again": Style(truncation, noise=2),
    }
    drawn, deviations = list[Pictures](), list[NDArray[np.float64]]()
    for seed in rows:
        pictures: Pictures = yield _drawn(model, [seed] * len(kinds), class_id, list(kinds.values()))
        drawn.append(pictures)
        deviations.append((yield from _deviation(model, seed, times, class_id, truncation)))
    brightest = max(float(deviation.max()) for deviation in deviations) or 1.0
    maps = [Picture.from_array(np.rint(255 / brightest * one).astype(np.uint8)) for one in deviations]
    lines = [(f"seed {seed}", (*own, last)) for seed, own, last in zip(rows, drawn, maps, strict=True)]
    return labelled_sheet(lines, [*kinds, "varies"])


def _deviation(model: str, seed: int, times: int, class_id: int | None, truncation: float) -> Plan[NDArray[np.float64]]:
    """How much each value of a picture varies with its noise, float64 [H, W, C], the mean of the channels in each."""
    total = squares = np.zeros(1)
    for start in range(0, times, _AT_ONCE):
        styles = [Style(truncation, noise=noise) for noise in range(start, min(start + _AT_ONCE, times))]
        drawn: Pictures = yield _drawn(model, [seed] * len(styles), class_id, styles)
        values = drawn.array.astype(np.float64)
        total, squares = total + values.sum(0), squares + (values**2).sum(0)
    variance = squares / times - (total / times) ** 2
    deviation = np.sqrt(np.maximum(variance, 0)).mean(-1, keepdims=True)
    return np.broadcast_to(deviation, variance.shape)


def _drawn(model: str, seeds: list[int], class_id: int | None, styles: list[Style]) -> UnaryCall[Any, Pictures]:
    return generation.generate(model, seeds=seeds, classes=class_id, styles=styles)


def _with_mapping(model: str) -> Plan[Model]:
    """The model. InvalidRequest if it has no mapping network, and so no styles."""
    found: Model = yield catalog.model(model)
    if "w" not in found.spaces:
        raise InvalidRequest.of("model", f"{model!r} is a {found.family} without a mapping network: it has no styles")
    return found


def _seeds(field: str, seeds: Seeds) -> list[int]:
    listed = list(seeds) if isinstance(seeds, Iterable) else [seeds]
    if not listed:
        raise InvalidRequest.of(field, "are none; give at least 1")
    return listed


def _blocks(layers: Iterable[Iterable[int]] | None, model: Model) -> list[list[int]]:
    if layers is None:
        return [kept for block in _BLOCKS if (kept := [layer for layer in block if layer < model.layers])]
    listed = elements("layers", layers, "a list of lists of layers")
    blocks = [wholes(f"layers[{index}]", block) for index, block in enumerate(listed)]
    if not blocks or not all(blocks):
        raise InvalidRequest.of("layers", "are none, or one has none; give at least 1")
    return blocks
