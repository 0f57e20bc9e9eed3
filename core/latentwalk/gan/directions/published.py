"""Directions that others have published as bare arrays, which say neither what they move nor how far.

The boundaries of InterFaceGAN (Shen et al. 2020) are [1, 512] in z or in w, the vectors of SeFa (Shen and Zhou 2021)
[K, 512], and those for the w+ of a StyleGAN of 1024 px [18, 512].
"""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from latentwalk.gan.directions.linear import LinearDirection
from latentwalk.gan.directions.slider import SHOWN, Slider, check_range, check_slider_name
from latentwalk.gan.edits import Span
from latentwalk.gan.errors import GanError, InvalidLayers
from latentwalk.gan.spec import GeneratorSpec

MOST_SLIDERS = 4_096


@dataclass(frozen=True, slots=True)
class Reading:
    """How an array is to be understood."""

    space: str = ""
    """"z", "w" or "w+"; empty for the only one that its shape fits."""
    layers: tuple[int, ...] = ()
    """The layers of w+ to move, rising; empty for all. A vector in w is the same in each of them."""
    in_columns: bool = False
    """Whether each column is a vector, and not each row."""
    normalise: bool = False
    """Whether vectors are brought to length 1; else they are as long as in the array."""


@dataclass(frozen=True, eq=False, slots=True)
class Vectors:
    """What an array says, once it is understood."""

    rows: Tensor
    """float32 [S, D]: as LinearDirection has them."""
    space: str
    layers: tuple[int, ...]
    lengths: Tensor
    """[S], of the vectors as the array has them, in the layers that are moved."""


def read_vectors(array: Tensor, spec: GeneratorSpec, reading: Reading) -> Vectors:
    """The vectors of an array for a generator.

    In z it is [Z] or [K, Z], in w [W] or [K, W], in w+ [L, W] or [K, L, W], with all layers or just those that are to
    be moved, whose numbers may also lie in one row. Raises GanError saying what was found, and what would fit.
    """
    _check_layers(reading, spec)
    found, array = f"it holds an array of {list(array.shape)}", _in_rows(array, reading)
    if not array.is_floating_point():
        raise GanError(f"{found} of {array.dtype}: directions are floating-point numbers")
    spaces = _spaces(reading, spec)
    fitting = [space for space in spaces if _rows(array, spec, space, reading.layers) is not None]
    if len(fitting) != 1:
        wanted = " or ".join(_shape(spec, space, reading.layers) for space in fitting or spaces)
        means = f"may be {wanted}: say which space it is of" if fitting else f"must be {wanted}; without K for one"
        raise GanError(f"{found}, it {means}")
    (space,) = fitting
    rows = _rows(array, spec, space, reading.layers)
    assert rows is not None  # noqa: S101 - it fits
    return _vectors(rows.float(), space, reading)


def published_direction(
    name: str, generator_digest: str, vectors: Vectors, *, sliders: Sequence[str] = (), shown: Span = SHOWN
) -> LinearDirection:
    """The direction of vectors, for the generator of this digest.

    ``sliders`` are their names; by default that of the direction for one, "0", "1", ... for several. Requests may go
    twice as far as is ``shown``. Raises GanError for names that do not fit, and for a range without 0 in it.
    """
    count = len(vectors.rows)
    names = list(sliders) or ([name] if count == 1 else [str(number) for number in range(count)])
    if len(names) != count:
        raise GanError(f"{len(names)} names were given for {count} sliders: give one for each, or none")
    for one in names:
        check_slider_name(one)
    check_range(shown)
    low, high = shown
    return LinearDirection(
        name=name,
        generator_digest=generator_digest,
        sliders=tuple(Slider(one, "", "", 1.0, shown, (2 * low, 2 * high)) for one in names),
        vectors=vectors.rows,
        space=vectors.space,
        layers=vectors.layers,
    )


def _check_layers(reading: Reading, spec: GeneratorSpec) -> None:
    if reading.layers and (reading.space == "z" or not spec.layers):
        raise InvalidLayers("z has none; leave them out")
    for layer in reading.layers:
        if not 0 <= layer < spec.layers:
            raise InvalidLayers(f"{layer} must be from 0 to {spec.layers - 1}")


def _in_rows(array: Tensor, reading: Reading) -> Tensor:
    if reading.in_columns and array.ndim != 2:
        raise GanError(f"it holds an array of {list(array.shape)}: only one of two sides has vectors in its columns")
    return array.T if reading.in_columns else array


def _spaces(reading: Reading, spec: GeneratorSpec) -> tuple[str, ...]:
    """Those that may be meant. Raises InvalidLatent for one that the generator has not."""
    if reading.space:
        spec.size_of(reading.space)
        return (reading.space,)
    return tuple(space for space in spec.spaces if space != "z" or not reading.layers)


def _rows(array: Tensor, spec: GeneratorSpec, space: str, layers: tuple[int, ...]) -> Tensor | None:
    """The array as rows [S, D] of the layers that are moved; None if it does not fit the space."""
    if space == "w+" and array.ndim > 1 and array.shape[-1] == spec.w_size:
        array = array.flatten(-2)
    if array.ndim not in (1, 2) or not array.numel():
        return None
    if array.shape[-1] == spec.size_of(space, len(layers)):
        return array.reshape(-1, array.shape[-1])
    if array.shape[-1] == spec.size_of(space):
        return array.reshape(-1, spec.layers, spec.w_size)[:, list(layers)].flatten(1)
    return None


def _shape(spec: GeneratorSpec, space: str, layers: tuple[int, ...]) -> str:
    """What fits a space, for people."""
    moved = f"{len(layers)}, {spec.w_size}] or [K, " if layers and len(layers) != spec.layers else ""
    form = f"{moved}{spec.layers}, {spec.w_size}" if space == "w+" else f"{spec.size_of(space)}"
    return f"[K, {form}] in {space}"


def _vectors(rows: Tensor, space: str, reading: Reading) -> Vectors:
    _check_rows(rows)
    lengths = rows.double().norm(dim=1)
    if reading.normalise:
        rows = (rows.double() / lengths[:, None]).float()
    if space == "w" and reading.layers:
        space, rows = "w+", rows.repeat(1, len(reading.layers))
    return Vectors(rows.contiguous(), space, reading.layers, lengths)


def _check_rows(rows: Tensor) -> None:
    """Raises GanError for too many vectors, or for one that leads nowhere."""
    if len(rows) > MOST_SLIDERS:
        raise GanError(f"it holds {len(rows):,} vectors, the limit is {MOST_SLIDERS:,}")
    for number, row in enumerate(rows):
        if count := int((~row.isfinite()).sum()):
            raise GanError(f"vector {number} has {count} of {len(row)} numbers that are not finite as float32")
        if not row.any():
            raise GanError(f"vector {number} is nothing but zeros, which lead nowhere")
