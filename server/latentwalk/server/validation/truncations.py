"""The truncation of a latent: of w where there is a mapping network, and else of z. Shapes: L layers."""

import torch
from torch import Tensor

from latentwalk.gan.families import family_of
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.rpc.errors import InvalidRequest
from latentwalk.v1 import latent_pb2

_MOST_PSI = 2.0
_MOST_THRESHOLD = 100.0


def read_psi(name: str, latent: latent_pb2.Latent, layers: int) -> Tensor:
    """How much of the distance from the mean w is left in each of the layers: [L]."""
    psi = torch.ones(layers)
    if latent.HasField("truncation"):
        truncation, pulled = latent.truncation, layers
        if truncation.HasField("threshold"):
            problem = "is for a generator that draws z itself; this one has a mapping network, give a psi"
            raise InvalidRequest(f"{name}.truncation.threshold", problem)
        if not -_MOST_PSI <= truncation.psi <= _MOST_PSI:
            raise InvalidRequest(
                f"{name}.truncation.psi", f"{truncation.psi:g} must be from {-_MOST_PSI:g} to {_MOST_PSI:g}"
            )
        if truncation.HasField("layers"):
            pulled = truncation.layers
            if not 1 <= pulled <= layers:
                raise InvalidRequest(f"{name}.truncation.layers", f"{pulled} must be from 1 to {layers}")
        psi[:pulled] = truncation.psi
    return psi


def why_no_threshold(spec: GeneratorSpec) -> str | None:
    """Why the seeds of a generator that draws z itself are not cut off by request; None if they may be."""
    if spec.truncation is not None:
        keeps = f"the generator is normalised for truncation {spec.truncation:g}, to which its seeds keep"
        return f"{keeps}; leave it out, or import the generator for another one"
    if family_of(spec.family).normalises_z:
        return f"has no use: a {spec.family} brings every z to one length; leave it out"
    return None


def read_threshold(name: str, latent: latent_pb2.Latent, spec: GeneratorSpec) -> float | None:
    """Where the numbers of a seed are cut off, for a generator that draws z itself; None for nowhere."""
    if not latent.HasField("truncation"):
        return None
    truncation, field = latent.truncation, f"{name}.truncation.threshold"
    for pull in ("psi", "layers"):
        if truncation.HasField(pull):
            problem = "is a matter of w, and the generator has no mapping network; give a threshold, which cuts off z"
            raise InvalidRequest(f"{name}.truncation.{pull}", problem)
    if not truncation.HasField("threshold"):
        raise InvalidRequest(field, "is needed; leave the truncation out for z as it comes")
    if problem := why_no_threshold(spec):
        raise InvalidRequest(field, problem)
    if not 0 < truncation.threshold <= _MOST_THRESHOLD:
        raise InvalidRequest(field, f"{truncation.threshold:g} must be above 0 and at most {_MOST_THRESHOLD:g}")
    if latent.WhichOneof("code") != "seed":
        raise InvalidRequest(field, "is for a seed; a z that is given is not drawn, leave it out")
    return truncation.threshold
