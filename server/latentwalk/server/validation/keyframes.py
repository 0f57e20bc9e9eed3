"""What the keyframes of an interpolation are blended as. Shapes: K keyframes, Z and W sizes, L layers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from latentwalk.gan.spec import GeneratorSpec
from latentwalk.gan.styles import Lift
from latentwalk.rpc.errors import InvalidRequest
from latentwalk.server.engine import Noise
from latentwalk.server.served import ServedModel
from latentwalk.server.validation.latents import read_latents
from latentwalk.v1 import generation_service_pb2 as pb
from latentwalk.v1 import latent_pb2

_METHODS: Mapping[str, Mapping[int, str]] = {
    "z": {
        pb.INTERPOLATION_UNSPECIFIED: "slerp",
        pb.INTERPOLATION_LERP: "lerp",
        pb.INTERPOLATION_SLERP: "slerp",
    },
    "w": {pb.INTERPOLATION_UNSPECIFIED: "lerp", pb.INTERPOLATION_LERP: "lerp"},
}
"""By space and the number of the wire. An arc has a meaning only around the origin of z."""


@dataclass(frozen=True, slots=True)
class Blended:
    """What is blended: the z of keyframes, or the w+ that becomes of it."""

    z: Tensor
    """[K, Z]."""
    conditions: Tensor | None = None
    """[K, classes] of z; None without classes, and where w+ is blended, which has them in it."""
    before: Lift | None = None
    """Of all keyframes, from z to the w+ that is blended; None where z is."""
    after: Lift | None = None
    """Of one row, from the z that was blended to the w+ that is drawn; None where z is drawn, or w+ was blended."""


def read_blending(request: pb.InterpolateRequest, spec: GeneratorSpec) -> tuple[str, str]:
    """The space in which latents are blended, "z" or "w", and the method."""
    space = request.space or ("w" if spec.space == "w+" else "z")
    if space not in _METHODS or space not in spec.spaces:
        spaces = [known for known in _METHODS if known in spec.spaces]
        raise InvalidRequest("space", f"{space!r} is none of {', '.join(spaces)}, in which this generator blends")
    methods = _METHODS[space]
    if request.interpolation not in methods:
        names = {pb.INTERPOLATION_LERP: "LERP (1)", pb.INTERPOLATION_SLERP: "SLERP (2)"}
        known = " and ".join(name for number, name in names.items() if number in methods)
        raise InvalidRequest("interpolation", f"{request.interpolation} is none of {known}, the methods in {space}")
    return space, methods[request.interpolation]


def blend(latents: Sequence[latent_pb2.Latent], model: ServedModel, space: str) -> tuple[Blended, Noise | None]:
    """The keyframes that these latents are, in that space, and their noise.

    Raises InvalidRequest for what does not change gradually.
    """
    keyframes = read_latents("keyframes", latents, model)
    _check_alike("noise", keyframes.noise)
    noise = keyframes.noise[0]
    if keyframes.lift is None:
        return Blended(keyframes.z, keyframes.condition), noise
    if space == "w":
        return Blended(keyframes.z, before=keyframes.lift), noise
    if (given := keyframes.first_given()) is not None:
        raise InvalidRequest(f"keyframes[{given}]", "is given in w, and cannot be blended in z")
    _check_alike("truncation", keyframes.lift.psi.tolist())
    _check_alike("styles", [list(latent.styles) for latent in latents])
    # All that is blended has the truncation and the styles of the first.
    first = read_latents("keyframes", latents[:1], model)
    return Blended(keyframes.z, keyframes.condition, after=first.lift), noise


def _check_alike(field: str, values: Sequence[object]) -> None:
    for index, value in enumerate(values):
        if value != values[0]:
            raise InvalidRequest(f"keyframes[{index}].{field}", "differs from that of keyframes[0]; give all the same")
