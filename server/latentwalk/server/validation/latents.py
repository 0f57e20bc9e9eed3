"""Latents and conditions. Shapes: N latents, Z latent size, K classes."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from latentwalk.gan.latents import latents_from_seeds, one_hot
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.rpc.errors import InvalidRequest
from latentwalk.v1 import latent_pb2, tensor_pb2

_DTYPES: Mapping[int, np.dtype[np.generic]] = {
    tensor_pb2.DATA_TYPE_FLOAT32: np.dtype("<f4"),
    tensor_pb2.DATA_TYPE_FLOAT16: np.dtype("<f2"),
}
_SPACES: Mapping[str, str] = {"w": "w", "w_plus": "w+"}


def read_latents(field: str, latents: Sequence[latent_pb2.Latent], spec: GeneratorSpec) -> tuple[Tensor, Tensor | None]:
    """The codes float32 [N, Z] and conditions float32 [N, K] (None without classes) of at least one latent."""
    codes = np.empty((len(latents), spec.latent_size), np.float32)
    seeded: list[int] = []
    for index, latent in enumerate(latents):
        kind = latent.WhichOneof("code")
        if kind == "seed":
            seeded.append(index)
        elif kind == "z":
            codes[index] = _code(f"{field}[{index}].z", latent.z, spec)
        elif kind is None:
            raise InvalidRequest(f"{field}[{index}]", "has no code; give a seed or a z")
        else:
            raise InvalidRequest(
                f"{field}[{index}].{kind}",
                f"the generator has no space {_SPACES[kind]}; it has {', '.join(spec.spaces)}",
            )
    if seeded:
        codes[seeded] = latents_from_seeds([latents[index].seed for index in seeded], spec).numpy()
    rows = [_condition(f"{field}[{index}]", latent, spec) for index, latent in enumerate(latents)]
    conditions = [row for row in rows if row is not None]
    return torch.from_numpy(codes), torch.stack(conditions) if conditions else None


def _code(field: str, tensor: tensor_pb2.Tensor, spec: GeneratorSpec) -> NDArray[np.float32]:
    dtype = _DTYPES.get(tensor.dtype)
    if dtype is None:
        raise InvalidRequest(f"{field}.dtype", f"{tensor.dtype} is none of FLOAT32 (1) and FLOAT16 (2)")
    if len(tensor.shape) != 1 or tensor.shape[0] != spec.latent_size:
        raise InvalidRequest(f"{field}.shape", f"{_listed(tensor.shape)} must be [{spec.latent_size}]")
    expected = spec.latent_size * dtype.itemsize
    if len(tensor.data) != expected:
        raise InvalidRequest(f"{field}.data", f"has {len(tensor.data):,} bytes; this shape and dtype need {expected:,}")
    values = np.frombuffer(tensor.data, dtype).astype(np.float32)
    if not np.isfinite(values).all():
        worst = int(np.flatnonzero(~np.isfinite(values))[0])
        raise InvalidRequest(f"{field}.data", f"number {worst} is {values[worst]}; all must be finite")
    return values


def _condition(field: str, latent: latent_pb2.Latent, spec: GeneratorSpec) -> Tensor | None:
    """The condition [K] of one latent; its kinds are the oneof of the wire."""
    field = f"{field}.condition"
    kind = latent.condition.WhichOneof("kind")
    if spec.classes == 0:
        if latent.HasField("condition"):
            raise InvalidRequest(field, "the generator has no classes; leave it out")
        return None
    if kind is None:
        raise InvalidRequest(field, f"is required; the generator has {spec.classes} classes")
    if kind == "class_id":
        _check_class(f"{field}.class_id", latent.condition.class_id, spec)
        return one_hot([latent.condition.class_id], spec.classes)[0]
    return _mixture(f"{field}.class_mix.weights", latent.condition.class_mix.weights, spec)


def _mixture(field: str, weights: Mapping[int, float], spec: GeneratorSpec) -> Tensor:
    mixture = torch.zeros(spec.classes, dtype=torch.float64)
    for class_id, weight in weights.items():
        _check_class(f"{field}[{class_id}]", class_id, spec)
        if not (math.isfinite(weight) and weight >= 0):
            raise InvalidRequest(f"{field}[{class_id}]", f"{weight} must be finite and not negative")
        mixture[class_id] = weight
    if (total := mixture.sum()) == 0:
        raise InvalidRequest(field, "at least one weight must be above 0")
    return (mixture / total).float()


def _check_class(field: str, class_id: int, spec: GeneratorSpec) -> None:
    if class_id >= spec.classes:
        raise InvalidRequest(field, f"class {class_id} is not one of 0 to {spec.classes - 1}")


def _listed(shape: Sequence[int]) -> str:
    return f"[{', '.join(map(str, shape[:8]))}{', ...' if len(shape) > 8 else ''}]"
