"""What the keyframes of an interpolation are blended as. Shapes: K keyframes, Z and W sizes, L layers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from latentwalk.gan.spec import GeneratorSpec
from latentwalk.gan.styles import Lift
from latentwalk.rpc.errors import InvalidRequest
from latentwalk.server.validation.latents import Latents
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
    """What is blended."""

    codes: Tensor
    """z [K, Z] or w+ [K, L, W]."""
    conditions: Tensor | None
    """[K, classes] of z; None without classes, and for w+, which has them in it."""
    lift: Callable[[Tensor, Tensor | None], Tensor] | None = None
    """From a blended z [1, Z] and condition [1, classes] or None to w+ [1, L, W]; None if what is blended is drawn."""


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


def blend(keyframes: Latents, latents: Sequence[latent_pb2.Latent], space: str) -> Blended:
    """The keyframes that these latents are, in that space. Raises InvalidRequest for what does not change gradually."""
    _check_alike("noise", keyframes.noise)
    if keyframes.lift is None:
        return Blended(keyframes.z, keyframes.condition)
    if space == "w":
        return Blended(keyframes.lift(keyframes.z), None)
    if (given := keyframes.first_given()) is not None:
        raise InvalidRequest(f"keyframes[{given}]", "is given in w, and cannot be blended in z")
    _check_alike("truncation", keyframes.lift.psi.tolist())
    _check_alike("styles", [list(latent.styles) for latent in latents])
    return Blended(keyframes.z, keyframes.condition, _lift_one(keyframes.lift))


def _lift_one(lift: Lift) -> Callable[[Tensor, Tensor | None], Tensor]:
    """The lift of any row, with the truncation and styles of the first."""
    rows = {name: getattr(lift, name)[:1] for name in ("psi", "given", "is_given", "mixed")}
    return lambda z, condition: replace(lift, condition=condition, **rows)(z)


def _check_alike(field: str, values: Sequence[object]) -> None:
    for index, value in enumerate(values):
        if value != values[0]:
            raise InvalidRequest(f"keyframes[{index}].{field}", "differs from that of keyframes[0]; give all the same")
