"""One reader for each request of the GenerationService. All raise InvalidRequest or UnknownDirection."""

from collections.abc import Mapping, Sequence
from itertools import islice

from latentwalk.gan.keyframes import Interpolation, interpolation_length
from latentwalk.gan.walks import Leg, Walk, walk_length
from latentwalk.rpc.errors import InvalidRequest
from latentwalk.server.frames import Frames, InterpolationFrames, WalkFrames
from latentwalk.server.orders import Delivery, Order
from latentwalk.server.served import ServedModel
from latentwalk.server.validation.classes import check_classes
from latentwalk.server.validation.encodings import read_encoding
from latentwalk.server.validation.keyframes import blend, read_blending
from latentwalk.server.validation.latents import Latents, read_latents
from latentwalk.server.validation.movements import MOST_MOVEMENTS, read_displacements, read_easing, read_legs
from latentwalk.v1 import generation_service_pb2 as pb
from latentwalk.v1 import image_pb2, latent_pb2

Stills = pb.GenerateRequest | pb.MapLatentsRequest | pb.SteerPosition
"""What has latents, of which each is displaced alike."""

MOST_KEYFRAMES = 1_024
"""The most keyframes of one interpolation, so that reading it cannot hold up the others."""


def generate_order(request: pb.GenerateRequest, model: ServedModel, delivery: Delivery) -> Order:
    """Pictures of displaced latents: a walk that stands still. Their delivery, here and below, was read before."""
    return still_order("generate", request, request.encoding, model, delivery)


def still_order(
    kind: str, stills: Stills, encoding: image_pb2.ImageEncoding, model: ServedModel, delivery: Delivery
) -> Order:
    """As generate_order, of whatever says latents; they are not copied, as there may be millions, to be refused."""
    read = read_encoding(encoding, model.engine.size)
    check_rows("latents", len(stills.latents), model)
    leg = read_displacements(stills.displacements, model)
    frames = _walk("latents", stills.latents, {"displacements": leg}, model, any_class=stills.any_class)
    return Order(kind, model, frames, read, "latents", delivery)


def walk_order(request: pb.WalkRequest, model: ServedModel, delivery: Delivery) -> Order:
    """A walk along directions."""
    encoding = read_encoding(request.encoding, model.engine.size)
    check_rows("starts", len(request.starts), model)
    legs = {f"legs[{index}].stretches": leg for index, leg in enumerate(read_legs(request.legs, model))}
    frames = _walk("starts", request.starts, legs, model, any_class=request.any_class, loop=request.loop)
    _check_frames("legs", frames, model)
    return Order("walk", model, frames, encoding, "starts", delivery)


def count_walk_frames(request: pb.WalkRequest, model: ServedModel) -> int:
    """How many frames it asks for, which is known before it is read; of no account for one that is not valid."""
    there = sum(leg.frames for leg in islice(request.legs, MOST_MOVEMENTS))
    return _frames(walk_length(there, loop=request.loop), model)


def interpolate_order(request: pb.InterpolateRequest, model: ServedModel, delivery: Delivery) -> Order:
    """A journey from keyframe to keyframe."""
    encoding = read_encoding(request.encoding, model.engine.size)
    if not 2 <= len(request.keyframes) <= MOST_KEYFRAMES:
        raise InvalidRequest("keyframes", f"{len(request.keyframes):,} must be from 2 to {MOST_KEYFRAMES:,}")
    if not 1 <= request.frames_per_leg <= model.max_frames:
        raise InvalidRequest("frames_per_leg", f"{request.frames_per_leg:,} must be from 1 to {model.max_frames:,}")
    space, method = read_blending(request, model.spec)
    blended, noise = blend(request.keyframes, model, space)
    frames = InterpolationFrames(
        Interpolation(
            blended.z,
            blended.conditions,
            request.frames_per_leg,
            method,
            read_easing("easing", request.easing),
            loop=request.loop,
            lift=blended.before,
        ),
        noise,
        lift=blended.after,
    )
    _check_frames("frames_per_leg", frames, model)
    return Order("interpolate", model, frames, encoding, "keyframes", delivery)


def count_interpolation_frames(request: pb.InterpolateRequest, model: ServedModel) -> int:
    """As count_walk_frames."""
    return _frames(interpolation_length(len(request.keyframes), request.frames_per_leg, loop=request.loop), model)


def map_order(request: pb.MapLatentsRequest, model: ServedModel) -> Order:
    """What a Generate with these latents would draw from."""
    if model.spec.space == "z":
        raise InvalidRequest("model", f"{model.name!r} has no mapping network; it draws from z itself")
    return still_order("generate", request, image_pb2.ImageEncoding(), model, Delivery())


def _walk(
    field: str,
    latents: Sequence[latent_pb2.Latent],
    legs: Mapping[str, Leg],
    model: ServedModel,
    *,
    any_class: bool,
    loop: bool = False,
) -> WalkFrames:
    """The walk along legs that are named by the fields of their movements."""
    start = read_latents(field, latents, model)
    for movements, leg in legs.items():
        _check_spaces(movements, leg, field, start)
        if not any_class:
            check_classes(movements, leg, field, start.condition)
    walk = Walk(start.z, tuple(legs.values()), loop, start.lift)
    return WalkFrames(walk, start.drawn_conditions(), start.noise)


def _check_spaces(field: str, leg: Leg, latents: str, start: Latents) -> None:
    """Raises InvalidRequest for a movement in z, if a latent is given in w."""
    given = start.first_given()
    for index, stretch in enumerate(leg.stretches):
        if given is not None and stretch.direction.space == "z":
            name = stretch.direction.name
            raise InvalidRequest(f"{field}[{index}]", f"direction {name!r} moves z; {latents}[{given}] is given in w")


def check_rows(field: str, count: int, model: ServedModel) -> None:
    """Raises InvalidRequest for no latents, or more than the model takes at once."""
    if not 1 <= count <= model.max_rows:
        raise InvalidRequest(field, f"{count:,} must be from 1 to {model.max_rows:,}")


def _frames(asked: int, model: ServedModel) -> int:
    return min(max(1, asked), model.max_frames)


def _check_frames(field: str, frames: Frames, model: ServedModel) -> None:
    if len(frames) > model.max_frames:
        raise InvalidRequest(field, f"makes {len(frames):,} frames in all; the most is {model.max_frames:,}")
