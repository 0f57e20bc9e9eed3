"""Latents: from codes in any space to what a path starts from.

Shapes: N latents, Z and W lengths of a z and a w, L layers, K classes.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from latentwalk.gan.latents import latents_from_seeds
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.gan.styles import Lift, Others
from latentwalk.rpc.errors import InvalidRequest
from latentwalk.server.engine import Noise
from latentwalk.server.served import ServedModel
from latentwalk.server.validation.conditions import read_conditions
from latentwalk.server.validation.shapes import is_shape, listed
from latentwalk.server.validation.styles import LayerStyle, check_unstyled, read_layer_styles, read_noise
from latentwalk.server.validation.truncations import read_psi, read_threshold
from latentwalk.v1 import latent_pb2, tensor_pb2

_DTYPES: Mapping[int, np.dtype[np.generic]] = {
    tensor_pb2.DATA_TYPE_FLOAT32: np.dtype("<f4"),
    tensor_pb2.DATA_TYPE_FLOAT16: np.dtype("<f2"),
}
MOST_LATENT_BYTES = 64 << 20
"""The most that the latents of one request, and those whose styles are mixed in, may take as w+."""

_SPACES: Mapping[str, str] = {"z": "z", "w": "w", "w_plus": "w+"}


@dataclass(frozen=True, slots=True)
class Latents:
    """What the latents of a request are."""

    z: Tensor
    """float32 [N, Z]; zeros for those that are given in w."""
    condition: Tensor | None
    """float32 [N, K]; None without classes."""
    lift: Lift | None
    """From z to w+; None without a mapping network."""
    noise: Sequence[Noise | None]

    def first_given(self) -> int | None:
        """The first one that is given in w, and so has no z; None if none is."""
        return None if self.lift is None else min(self.lift.given, default=None)

    def drawn_conditions(self) -> Sequence[NDArray[np.float32] | None]:
        """The condition [K] with which each is drawn; None without classes, and with a lift, which has it."""
        if self.condition is None or self.lift is not None:
            return [None] * len(self.z)
        return list(self.condition.numpy())


def read_latents(field: str, latents: Sequence[latent_pb2.Latent], model: ServedModel) -> Latents:
    """What at least one latent of the request's field is; nothing is mapped yet."""
    _check_count(field, latents, model)
    return _read([f"{field}[{index}]" for index in range(len(latents))], latents, model)


def _check_count(field: str, latents: Sequence[latent_pb2.Latent], model: ServedModel) -> None:
    """Raises InvalidRequest for more latents, with those whose styles are mixed in, than may be held at once."""
    count = len(latents) + sum(len(latent.styles) for latent in latents)
    each = 4 * max(model.spec.latent_size, model.spec.layers * model.spec.w_size)
    most = max(MOST_LATENT_BYTES // each, model.max_rows)
    if count > most:
        raise InvalidRequest(
            field,
            f"{count:,} latents, with those of their styles, are more than {most:,} of {each:,} bytes; send fewer",
        )


def _read(names: Sequence[str], latents: Sequence[latent_pb2.Latent], model: ServedModel) -> Latents:
    spec = model.spec
    z, given = _codes(names, latents, spec)
    condition = read_conditions(names, latents, spec, given)
    if spec.space == "z":
        for name, latent in zip(names, latents, strict=True):
            check_unstyled(name, latent)
        return Latents(z, condition, None, [None] * len(latents))
    layers = spec.layers, len(model.generator.noise_sizes)
    noise = [read_noise(name, latent, *layers) for name, latent in zip(names, latents, strict=True)]
    psi = torch.stack([read_psi(name, latent, spec) for name, latent in zip(names, latents, strict=True)])
    styles = [read_layer_styles(name, latent, spec.layers) for name, latent in zip(names, latents, strict=True)]
    lift = Lift(model.generator, model.mapper, condition, psi, given, *_mixed(styles, model))
    return Latents(z, condition, lift, noise)


def _codes(
    names: Sequence[str], latents: Sequence[latent_pb2.Latent], spec: GeneratorSpec
) -> tuple[Tensor, dict[int, Tensor]]:
    """The z [N, Z], and by index the w+ [L, W] of those that are given in w."""
    z = np.zeros((len(latents), spec.latent_size), np.float32)
    seeded: defaultdict[float | None, list[int]] = defaultdict(list)
    given: dict[int, Tensor] = {}
    for index, latent in enumerate(latents):
        kind = latent.WhichOneof("code")
        threshold = read_threshold(names[index], latent, spec) if spec.space == "z" else None
        if kind == "seed":
            seeded[threshold].append(index)
        elif kind is None:
            raise InvalidRequest(names[index], f"has no code; give a seed or a code in {', '.join(spec.spaces)}")
        else:
            code = _code(f"{names[index]}.{kind}", getattr(latent, kind), _SPACES[kind], spec)
            if kind == "z":
                z[index] = code
            else:
                given[index] = torch.from_numpy(code).expand(spec.layers, spec.w_size)
    for threshold, rows in seeded.items():
        z[rows] = latents_from_seeds([latents[row].seed for row in rows], spec, threshold).numpy()
    return torch.from_numpy(z), given


def _mixed(styles: Sequence[Sequence[LayerStyle]], model: ServedModel) -> tuple[Others | None, Tensor]:
    """The latents whose styles are mixed in, and which of them it is in each layer, int64 [N, L]; -1 for none."""
    mixed = torch.full((len(styles), model.spec.layers), -1)
    flat = [(row, style) for row, own in enumerate(styles) for style in own]
    if not flat:
        return None, mixed
    for index, (row, style) in enumerate(flat):
        mixed[row, style.layers] = index
    others = _read([style.name for _, style in flat], [style.latent for _, style in flat], model)
    assert others.lift is not None  # noqa: S101 - the generator has a mapping network
    return Others(others.z, others.lift), mixed


def _code(field: str, tensor: tensor_pb2.Tensor, space: str, spec: GeneratorSpec) -> NDArray[np.float32]:
    """A code in a space: [Z], [W] or [L, W]."""
    if space not in spec.spaces:
        raise InvalidRequest(field, f"the generator has no space {space}; it has {', '.join(spec.spaces)}")
    dtype = _DTYPES.get(tensor.dtype)
    if dtype is None:
        raise InvalidRequest(f"{field}.dtype", f"{tensor.dtype} is none of FLOAT32 (1) and FLOAT16 (2)")
    shape = {"z": (spec.latent_size,), "w": (spec.w_size,), "w+": (spec.layers, spec.w_size)}[space]
    if not is_shape(tensor.shape, shape):
        raise InvalidRequest(f"{field}.shape", f"{listed(tensor.shape)} must be {listed(shape)}")
    expected = spec.size_of(space) * dtype.itemsize
    if len(tensor.data) != expected:
        raise InvalidRequest(f"{field}.data", f"has {len(tensor.data):,} bytes; this shape and dtype need {expected:,}")
    values = np.frombuffer(tensor.data, dtype).astype(np.float32)
    if not np.isfinite(values).all():
        worst = int(np.flatnonzero(~np.isfinite(values))[0])
        raise InvalidRequest(f"{field}.data", f"number {worst} is {values[worst]}; all must be finite")
    return values.reshape(shape)
