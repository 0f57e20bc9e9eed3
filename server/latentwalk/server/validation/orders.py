"""One reader for each request of the GenerationService. All raise InvalidRequest or UnknownDirection."""

from collections.abc import Mapping, Sequence

from latentwalk.gan.walks import Interpolation, Leg, Walk
from latentwalk.rpc.errors import InvalidRequest
from latentwalk.server.paths import Delivery, InterpolationPath, Order, Path, WalkPath
from latentwalk.server.served import ServedModel
from latentwalk.server.validation.classes import check_classes
from latentwalk.server.validation.deliveries import read_delivery
from latentwalk.server.validation.encodings import read_encoding
from latentwalk.server.validation.latents import read_latents
from latentwalk.server.validation.movements import read_displacements, read_easing, read_legs
from latentwalk.v1 import generation_service_pb2 as pb
from latentwalk.v1 import latent_pb2

MOST_KEYFRAMES = 1_024
"""The most keyframes of one interpolation, so that reading it cannot hold up the others."""

_INTERPOLATIONS: Mapping[int, str] = {
    pb.INTERPOLATION_UNSPECIFIED: "slerp",
    pb.INTERPOLATION_LERP: "lerp",
    pb.INTERPOLATION_SLERP: "slerp",
}


def generate_order(request: pb.GenerateRequest, model: ServedModel, delivery: Delivery) -> Order:
    """Pictures of displaced latents: a walk that stands still. Their delivery was read before."""
    encoding = read_encoding(request.encoding, model.engine.size)
    _check_rows("latents", len(request.latents), model)
    leg = read_displacements(request.displacements, model)
    path = _walk("latents", request.latents, {"displacements": leg}, model, any_class=request.any_class)
    return Order("generate", model, path, encoding, "latents", delivery)


def walk_order(request: pb.WalkRequest, model: ServedModel) -> Order:
    """A walk along directions."""
    encoding = read_encoding(request.encoding, model.engine.size)
    _check_rows("starts", len(request.starts), model)
    legs = {f"legs[{index}].stretches": leg for index, leg in enumerate(read_legs(request.legs, model))}
    path = _walk("starts", request.starts, legs, model, any_class=request.any_class, loop=request.loop)
    _check_frames("legs", path, model)
    return Order("walk", model, path, encoding, "starts", read_delivery(request.delivery, path.frames))


def interpolate_order(request: pb.InterpolateRequest, model: ServedModel) -> Order:
    """A journey from keyframe to keyframe."""
    encoding = read_encoding(request.encoding, model.engine.size)
    if not 2 <= len(request.keyframes) <= MOST_KEYFRAMES:
        raise InvalidRequest("keyframes", f"{len(request.keyframes):,} must be from 2 to {MOST_KEYFRAMES:,}")
    if not 1 <= request.frames_per_leg <= model.max_frames:
        raise InvalidRequest("frames_per_leg", f"{request.frames_per_leg:,} must be from 1 to {model.max_frames:,}")
    if request.interpolation not in _INTERPOLATIONS:
        raise InvalidRequest("interpolation", f"{request.interpolation} is none of LERP (1) and SLERP (2)")
    keyframes, conditions = read_latents("keyframes", request.keyframes, model.spec)
    path = InterpolationPath(
        Interpolation(
            keyframes,
            conditions,
            request.frames_per_leg,
            _INTERPOLATIONS[request.interpolation],
            read_easing("easing", request.easing),
            request.loop,
        )
    )
    _check_frames("frames_per_leg", path, model)
    return Order("interpolate", model, path, encoding, "keyframes", read_delivery(request.delivery, path.frames))


def _walk(
    field: str,
    latents: Sequence[latent_pb2.Latent],
    legs: Mapping[str, Leg],
    model: ServedModel,
    *,
    any_class: bool,
    loop: bool = False,
) -> WalkPath:
    """The walk along legs that are named by the fields of their movements."""
    start, condition = read_latents(field, latents, model.spec)
    if not any_class:
        for movements, leg in legs.items():
            check_classes(movements, leg, field, condition)
    sliders = {
        (stretch.direction.name, slider.name): slider
        for leg in legs.values()
        for stretch in leg.stretches
        for slider in (stretch.direction.sliders[stretch.slider],)
    }
    return WalkPath(Walk(start, tuple(legs.values()), loop), condition, sliders)


def _check_rows(field: str, count: int, model: ServedModel) -> None:
    if not 1 <= count <= model.max_rows:
        raise InvalidRequest(field, f"{count:,} must be from 1 to {model.max_rows:,}")


def _check_frames(field: str, path: Path, model: ServedModel) -> None:
    if path.frames > model.max_frames:
        raise InvalidRequest(field, f"makes {path.frames:,} frames in all; the most is {model.max_frames:,}")
