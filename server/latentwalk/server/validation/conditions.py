"""Classes and mixtures of classes. Shapes: N latents, K classes."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from latentwalk.gan.spec import GeneratorSpec
from latentwalk.rpc.errors import InvalidRequest
from latentwalk.v1 import latent_pb2


def read_conditions(
    names: Sequence[str], latents: Sequence[latent_pb2.Latent], spec: GeneratorSpec, given: Mapping[int, Tensor]
) -> Tensor | None:
    """The conditions float32 [N, K] of the latents of these names; None without classes.

    Those of the indices that are `given` have it in their code already, and need to say none: then it is all zeros.
    """
    if spec.classes == 0:
        for name, latent in zip(names, latents, strict=True):
            if latent.HasField("condition"):
                raise InvalidRequest(f"{name}.condition", "the generator has no classes; leave it out")
        return None
    conditions = np.zeros((len(latents), spec.classes), np.float32)
    for index, (name, latent) in enumerate(zip(names, latents, strict=True)):
        for class_id, weight in _weights(f"{name}.condition", latent, spec, is_needed=index not in given).items():
            conditions[index, class_id] = weight
    return torch.from_numpy(conditions)


def _weights(field: str, latent: latent_pb2.Latent, spec: GeneratorSpec, *, is_needed: bool) -> Mapping[int, float]:
    """The weights of classes that one latent names; the kinds of its condition are the oneof of the wire."""
    kind = latent.condition.WhichOneof("kind")
    if kind == "class_id":
        _check_class(f"{field}.class_id", latent.condition.class_id, spec)
        return {latent.condition.class_id: 1.0}
    if kind == "class_mix":
        return _mixture(f"{field}.class_mix.weights", latent.condition.class_mix.weights, spec)
    if is_needed:
        raise InvalidRequest(field, f"is required; the generator has {spec.classes} classes")
    return {}


def _mixture(field: str, weights: Mapping[int, float], spec: GeneratorSpec) -> Mapping[int, float]:
    """The weights, so scaled that they sum to 1."""
    for class_id, weight in weights.items():
        _check_class(f"{field}[{class_id}]", class_id, spec)
        if not (math.isfinite(weight) and weight >= 0):
            raise InvalidRequest(f"{field}[{class_id}]", f"{weight} must be finite and not negative")
    if (total := math.fsum(weights.values())) == 0:
        raise InvalidRequest(field, "at least one weight must be above 0")
    return {class_id: weight / total for class_id, weight in weights.items()}


def _check_class(field: str, class_id: int, spec: GeneratorSpec) -> None:
    if class_id >= spec.classes:
        raise InvalidRequest(field, f"class {class_id} is not one of 0 to {spec.classes - 1}")
