"""Classes and mixtures of classes. Shapes: N latents, K classes."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from latentwalk.gan.latents import one_hot
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.rpc.errors import InvalidRequest
from latentwalk.v1 import latent_pb2


def read_conditions(
    names: Sequence[str], latents: Sequence[latent_pb2.Latent], spec: GeneratorSpec, given: Mapping[int, Tensor]
) -> Tensor | None:
    """The conditions float32 [N, K] of the latents of these names; None without classes.

    Those of the indices that are `given` have it in their code already, and need to say none: then it is all zeros.
    """
    rows = [
        _condition(f"{name}.condition", latent, spec, is_needed=index not in given)
        for index, (name, latent) in enumerate(zip(names, latents, strict=True))
    ]
    conditions = [row for row in rows if row is not None]
    return torch.stack(conditions) if conditions else None


def _condition(field: str, latent: latent_pb2.Latent, spec: GeneratorSpec, *, is_needed: bool) -> Tensor | None:
    """The condition [K] of one latent; its kinds are the oneof of the wire."""
    kind = latent.condition.WhichOneof("kind")
    if spec.classes == 0:
        if latent.HasField("condition"):
            raise InvalidRequest(field, "the generator has no classes; leave it out")
        return None
    if kind is None:
        if not is_needed:
            return torch.zeros(spec.classes)
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
