"""The truncation of a latent: of w where there is a mapping network, and else of z. Shapes: L layers."""

import torch
from torch import Tensor

from latentwalk.gan.errors import InvalidTruncation
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.gan.truncations import Truncation
from latentwalk.rpc.errors import InvalidRequest
from latentwalk.v1 import latent_pb2


def read_psi(name: str, latent: latent_pb2.Latent, spec: GeneratorSpec) -> Tensor:
    """How much of the distance from the mean w is left in each of the layers: [L]."""
    truncation = _read(name, latent, spec)
    return torch.ones(spec.layers) if truncation is None else truncation.psis(spec.layers)


def read_threshold(name: str, latent: latent_pb2.Latent, spec: GeneratorSpec) -> float | None:
    """Where the numbers of a seed are cut off, for a generator that draws z itself; None for nowhere."""
    truncation = _read(name, latent, spec)
    if truncation is not None and latent.WhichOneof("code") != "seed":
        problem = "is for a seed; a z that is given is not drawn, leave it out"
        raise InvalidRequest(f"{name}.truncation.threshold", problem)
    return None if truncation is None else truncation.threshold


def _read(name: str, latent: latent_pb2.Latent, spec: GeneratorSpec) -> Truncation | None:
    if not latent.HasField("truncation"):
        return None
    given = latent.truncation
    said = {part: getattr(given, part) for part in ("psi", "layers", "threshold") if given.HasField(part)}
    try:
        return Truncation(**said).of(spec)
    except InvalidTruncation as error:
        raise InvalidRequest(f"{name}.truncation.{error.part}", error.reason) from error
