"""The verbs of GenerationService: pictures, walks, interpolations."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentwalk.client import _rpcs as rpcs
from latentwalk.client._calls import DuplexCall, StreamCall, UnaryCall
from latentwalk.client._choices import chosen
from latentwalk.client._courses import Course, Event, FramesCourse
from latentwalk.client._delivery import Determinism, Priority, delivery_message, frames_delivery_message
from latentwalk.client._latents import Classes, Seeds, latents
from latentwalk.client._numbers import whole
from latentwalk.client._options import NOT_SAID, Timeout
from latentwalk.client._paths import (
    Displacement,
    Easing,
    Leg,
    Stretch,
    displacement_messages,
    easing_message,
    leg_messages,
)
from latentwalk.client._pictures import Encoding, Picture, Pictures, encoding_message
from latentwalk.client._steering import SteerAnswer
from latentwalk.client._styles import Styles
from latentwalk.client._values import switch, text, text_or_empty
from latentwalk.v1 import generation_service_pb2 as pb

Interpolation = Literal["slerp", "lerp"]
"""How two latents are blended: along the arc, which keeps the length of a sampled latent, or along the line."""

INTERPOLATIONS: Mapping[str, pb.Interpolation.ValueType] = {
    "slerp": pb.INTERPOLATION_SLERP,
    "lerp": pb.INTERPOLATION_LERP,
}


@dataclass(frozen=True, slots=True)
class FramesCall(StreamCall[Event, Event]):
    """A stream of frames, which goes on where it broke off."""

    request: pb.WalkRequest | pb.InterpolateRequest

    def course(self) -> Course[Event]:
        """The course of making it happen once."""
        return FramesCourse(self.request)


def generate(
    model: str,
    *,
    seeds: Seeds | None = None,
    z: ArrayLike | None = None,
    w: ArrayLike | None = None,
    classes: Classes | None = None,
    styles: Styles | None = None,
    displacements: Displacement | Iterable[Displacement] = (),
    any_class: bool = False,
    encoding: Encoding = "raw",
    quality: int | None = None,
    determinism: Determinism = "default",
    priority: Priority = "normal",
    timeout: Timeout = NOT_SAID,
) -> UnaryCall[pb.GenerateResponse, Pictures]:
    """Draws one picture for each latent.

    seeds: one seed or several. z: instead of seeds, latents [Z] or [N, Z]. w: instead, for a generator with a mapping
    network, codes [W], [N, W] or, for each layer, [N, L, W], as from `map_latents`.
    classes: for a conditional generator: a class number, a mixture {class: weight}, or one of these for each latent.
    styles: truncation and, with a mapping network, mixing and noise: one for all latents or one for each.
    displacements: pushes along directions, applied to every latent; several add up.
    any_class: let sliders that were found for one class move latents of other classes too; without it, InvalidRequest.
    encoding: how the pictures travel. quality: 1 to 100, for "jpeg" and "webp" only.
    determinism: "strict" gives the same bytes in any company, and is slower. priority: who goes first on a busy device.
    """
    request = pb.GenerateRequest(
        model=text("model", model),
        latents=latents(seeds, z, w, classes, styles),
        displacements=displacement_messages(displacements),
        any_class=switch("any_class", any_class),
        encoding=encoding_message(encoding, quality),
        delivery=delivery_message(determinism, priority),
    )
    return UnaryCall(rpcs.GENERATE, request, _pictures, timeout)


def walk(
    model: str,
    direction: str,
    *,
    alpha: tuple[float, float] | None = None,
    amount: tuple[float, float] | None = None,
    slider: str = "",
    layers: Iterable[int] | None = None,
    frames: int = 16,
    easing: Easing = "linear",
    seeds: Seeds | None = None,
    z: ArrayLike | None = None,
    w: ArrayLike | None = None,
    classes: Classes | None = None,
    styles: Styles | None = None,
    any_class: bool = False,
    loop: bool = False,
    encoding: Encoding = "raw",
    quality: int | None = None,
    determinism: Determinism = "default",
    priority: Priority = "normal",
    fps: float | None = None,
    first_frame: int = 0,
    timeout: float | None = None,
) -> FramesCall[pb.WalkResponse]:
    """Walks along one direction; `walk_legs` walks along several.

    alpha, amount: (from, to), in the direction's own units or in the unit of its edit: amount=(0.5, 2) zooms from half
    to twice the size. Neither: over the whole range that the direction was trained on.
    layers: of a direction in w or w+, only these are moved, 0 is the coarsest; by default all that it moves.
    frames: how many, both ends included.
    seeds, z, w, classes, styles: where to start, as for `generate`. Every start walks; a frame has a picture of each.
    any_class: as for `generate`.
    loop: come back the way it went, so that the last frame is followed by the first.
    determinism, priority: as for `generate`.
    fps: how fast the frames are played, so that a busy device draws first what is wanted first.
    first_frame: go on with a walk of which the frames before this one have arrived; see `Walk.next_index`.
    timeout: seconds for the whole stream; by default it may take as long as it is read.
    """
    stretch = Stretch(direction, alpha=alpha, amount=amount, slider=slider, layers=layers)
    leg = Leg(stretch, frames=frames, easing=easing)
    return walk_legs(
        model,
        leg,
        seeds=seeds,
        z=z,
        w=w,
        classes=classes,
        styles=styles,
        any_class=any_class,
        loop=loop,
        encoding=encoding,
        quality=quality,
        determinism=determinism,
        priority=priority,
        fps=fps,
        first_frame=first_frame,
        timeout=timeout,
    )


def walk_legs(
    model: str,
    legs: Leg | Iterable[Leg],
    *,
    seeds: Seeds | None = None,
    z: ArrayLike | None = None,
    w: ArrayLike | None = None,
    classes: Classes | None = None,
    styles: Styles | None = None,
    any_class: bool = False,
    loop: bool = False,
    encoding: Encoding = "raw",
    quality: int | None = None,
    determinism: Determinism = "default",
    priority: Priority = "normal",
    fps: float | None = None,
    first_frame: int = 0,
    timeout: float | None = None,
) -> FramesCall[pb.WalkResponse]:
    """Walks leg after leg, each along one direction or along several at once. The rest is as for `walk`."""
    request = pb.WalkRequest(
        model=text("model", model),
        starts=latents(seeds, z, w, classes, styles),
        legs=leg_messages(legs),
        any_class=switch("any_class", any_class),
        loop=switch("loop", loop),
        encoding=encoding_message(encoding, quality),
        delivery=frames_delivery_message(determinism, priority, fps, first_frame),
    )
    return FramesCall(rpcs.WALK, request, _as_it_is, timeout)


def interpolate(
    model: str,
    *,
    seeds: Seeds | None = None,
    z: ArrayLike | None = None,
    w: ArrayLike | None = None,
    classes: Classes | None = None,
    styles: Styles | None = None,
    frames_per_leg: int = 12,
    space: Literal["z", "w"] | None = None,
    method: Interpolation | None = None,
    easing: Easing = "linear",
    loop: bool = False,
    encoding: Encoding = "raw",
    quality: int | None = None,
    determinism: Determinism = "default",
    priority: Priority = "normal",
    fps: float | None = None,
    first_frame: int = 0,
    timeout: float | None = None,
) -> FramesCall[pb.InterpolateResponse]:
    """Travels from latent to latent; every frame has one picture.

    seeds, z, w, classes, styles: the keyframes, at least two, as for `generate`; classes are blended along.
    space: where latents are blended, "z" or "w"; by default "w" for a generator with a mapping network.
    method: "slerp" along the arc, only in z and the default there, or "lerp" along the line.
    frames_per_leg: frames from one keyframe up to, and without, the next; the last keyframe closes the stream.
    loop: travel on from the last keyframe to the first, so that the last frame is followed by the first.
    determinism, priority, fps, first_frame, timeout: as for `walk`.
    """
    request = pb.InterpolateRequest(
        model=text("model", model),
        keyframes=latents(seeds, z, w, classes, styles),
        frames_per_leg=whole("frames_per_leg", frames_per_leg),
        space=text_or_empty("space", space),
        interpolation=pb.INTERPOLATION_UNSPECIFIED if method is None else chosen("method", method, INTERPOLATIONS),
        easing=easing_message(easing),
        loop=switch("loop", loop),
        encoding=encoding_message(encoding, quality),
        delivery=frames_delivery_message(determinism, priority, fps, first_frame),
    )
    return FramesCall(rpcs.INTERPOLATE, request, _as_it_is, timeout)


def map_latents(
    model: str,
    *,
    seeds: Seeds | None = None,
    z: ArrayLike | None = None,
    w: ArrayLike | None = None,
    classes: Classes | None = None,
    styles: Styles | None = None,
    displacements: Displacement | Iterable[Displacement] = (),
    any_class: bool = False,
    timeout: Timeout = NOT_SAID,
) -> UnaryCall[pb.MapLatentsResponse, NDArray[np.float32]]:
    """The codes float32 [N, L, W] that a generator with a mapping network draws from; all as for `generate`.

    Given to `generate` as `w`, they are the same pictures again: all but noise is in them.
    """
    request = pb.MapLatentsRequest(
        model=text("model", model),
        latents=latents(seeds, z, w, classes, styles),
        displacements=displacement_messages(displacements),
        any_class=switch("any_class", any_class),
    )
    return UnaryCall(rpcs.MAP_LATENTS, request, _codes, timeout)


def steer(
    model: str,
    *,
    encoding: Encoding = "raw",
    quality: int | None = None,
    determinism: Determinism = "default",
    priority: Priority = "normal",
    timeout: float | None = None,
) -> DuplexCall[pb.SteerResponse, SteerAnswer]:
    """Opens an interactive stream: say where you stand as often as you like, and see the newest picture.

    encoding, quality, determinism, priority: as for `generate`. timeout: seconds for the whole stream; by default it
    may stay open for ever.
    """
    setup = pb.SteerSetup(
        model=text("model", model),
        encoding=encoding_message(encoding, quality),
        delivery=delivery_message(determinism, priority),
    )
    return DuplexCall(rpcs.STEER, pb.SteerRequest(setup=setup), SteerAnswer.from_message, timeout)


def _pictures(reply: pb.GenerateResponse) -> Pictures:
    images = tuple(Picture.from_message(image) for image in reply.images)
    return Pictures(images, reply.model_version, reply.model_digest)


def _codes(reply: pb.MapLatentsResponse) -> NDArray[np.float32]:
    return np.stack([np.frombuffer(code.data, "<f4").reshape(code.shape) for code in reply.codes])


def _as_it_is(event: Event) -> Event:
    return event
