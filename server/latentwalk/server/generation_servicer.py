"""The GenerationService: translates, delegates, and writes frames as they become ready."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from latentwalk.rpc.caller import caller
from latentwalk.rpc.errors import InvalidRequest
from latentwalk.rpc.roles import Role
from latentwalk.rpc.tracing import mark, span
from latentwalk.server.encoder import Encoder, Format
from latentwalk.server.engine import NonFinitePicture
from latentwalk.server.making import Making
from latentwalk.server.metrics import CallMetrics
from latentwalk.server.orders import Delivery, Order
from latentwalk.server.replies import code_message, find_message, position_messages
from latentwalk.server.repository import Repository
from latentwalk.server.scheduler import PictureFailed, Scheduler, Terms
from latentwalk.server.searching import Seeker
from latentwalk.server.served import ServedModel
from latentwalk.server.steering import PictureStream, Session
from latentwalk.server.validation import (
    count_interpolation_frames,
    count_walk_frames,
    generate_order,
    interpolate_order,
    map_order,
    read_delivery,
    read_still_delivery,
    search_order,
    walk_order,
)
from latentwalk.v1 import generation_service_pb2 as pb
from latentwalk.v1 import generation_service_pb2_grpc, image_pb2

SERVICE_NAME = pb.DESCRIPTOR.services_by_name["GenerationService"].full_name

ROLES: Mapping[str, Role] = {
    "Generate": Role.VIEWER,
    "Walk": Role.VIEWER,
    "Interpolate": Role.VIEWER,
    "Steer": Role.VIEWER,
    "MapLatents": Role.VIEWER,
    "Invert": Role.VIEWER,
}
"""The role that each rpc takes."""

_FORMATS: Mapping[Format, image_pb2.ImageFormat.ValueType] = {
    Format.RAW: image_pb2.IMAGE_FORMAT_RAW,
    Format.PNG: image_pb2.IMAGE_FORMAT_PNG,
    Format.JPEG: image_pb2.IMAGE_FORMAT_JPEG,
    Format.WEBP: image_pb2.IMAGE_FORMAT_WEBP,
}


class GenerationServicer(generation_service_pb2_grpc.GenerationServiceServicer):
    """Pictures, and walks through latent space.

    `credit` says how many pictures of so many bytes a stream may hold; `draining` is set when interactive streams,
    which have no end of their own, should end, and searches, which have found something before their end.
    """

    def __init__(
        self,
        repository: Repository,
        scheduler: Scheduler[Any, Any, Any],
        making: Making,
        encoder: Encoder,
        metrics: CallMetrics,
        credit: Callable[[int], int],
        draining: asyncio.Event,
    ) -> None:
        self._repository = repository
        self._scheduler = scheduler
        self._making = making
        self._encoder = encoder
        self._metrics = metrics
        self._credit = credit
        self._draining = draining

    async def Generate(self, request: pb.GenerateRequest, context: Any) -> pb.GenerateResponse:  # noqa: N802
        """Draws one picture for each latent."""
        model = self._repository.model(request.model)
        delivery = read_still_delivery(request.delivery)
        with self._open_early(model, delivery, len(request.latents), 1, context) as stream:
            order = await self._making.order(model, generate_order, request, model, delivery)
            pace = self._metrics.pace(model.name, order.kind)
            stream.begin(iter(await self._making.rows(order)))
            images = await self._images(order, stream, 0)
        pace.ready()
        pace.sent(len(images))
        return pb.GenerateResponse(images=images, model_version=str(model.version), model_digest=model.digest)

    # The stubs know only iterators of replies; grpc.aio also takes a coroutine that writes them.
    async def Walk(  # noqa: N802  # pyright: ignore[reportIncompatibleMethodOverride]
        self, request: pb.WalkRequest, context: Any
    ) -> None:
        """Walks latents along directions."""
        model = self._repository.model(request.model)
        delivery = read_delivery(request.delivery, frames := count_walk_frames(request, model))
        with self._open_early(model, delivery, len(request.starts), frames, context) as stream:
            order = await self._making.order(model, walk_order, request, model)
            await self._write_frames(order, stream, context, pb.WalkResponse)

    async def Interpolate(  # noqa: N802  # pyright: ignore[reportIncompatibleMethodOverride]
        self, request: pb.InterpolateRequest, context: Any
    ) -> None:
        """Travels from keyframe to keyframe."""
        model = self._repository.model(request.model)
        delivery = read_delivery(request.delivery, frames := count_interpolation_frames(request, model))
        with self._open_early(model, delivery, 1, frames, context) as stream:
            order = await self._making.order(model, interpolate_order, request, model)
            await self._write_frames(order, stream, context, pb.InterpolateResponse)

    async def Steer(  # noqa: N802  # pyright: ignore[reportIncompatibleMethodOverride]
        self, request_iterator: AsyncIterator[pb.SteerRequest], context: Any
    ) -> None:
        """Draws the newest position of the caller, again and again."""
        session = Session(
            self._repository.model,
            self._making,
            lambda order: self._open_for(order, context),
            lambda order, stream: self._images(order, stream, 0),
            self._metrics,
            self._draining,
        )
        await session.run(request_iterator, context.write)

    async def MapLatents(self, request: pb.MapLatentsRequest, context: Any) -> pb.MapLatentsResponse:  # noqa: N802
        """Maps latents to w+."""
        model = self._repository.model(request.model)
        order = await self._making.order(model, map_order, request, model)
        codes = [code_message(row.code) for row in await self._making.rows(order)]
        return pb.MapLatentsResponse(codes=codes, model_version=str(model.version), model_digest=model.digest)

    async def Invert(  # noqa: N802  # pyright: ignore[reportIncompatibleMethodOverride]
        self, request: pb.InvertRequest, context: Any
    ) -> None:
        """Searches for the latent of a picture."""
        model = self._repository.model(request.model)
        delivery = read_still_delivery(request.delivery)
        with self._open_early(model, delivery, len(request.starts), 1, context) as stream:
            # The picture may have to be decoded.
            order = await self._making.elsewhere(search_order, request, model, delivery)
            pace = self._metrics.pace(model.name, order.starts.kind)
            rows = await self._making.rows(order.starts)
            stream.begin(iter(rows))
            # Many large pictures take a second to compare.
            start = await self._making.elsewhere(order.nearest, await self._pictures(order.starts, stream, 0))
        seeker = Seeker(order.search_from(start, rows[start]))
        terms = _terms(delivery, 1, context)
        try:
            with self._scheduler.open(model.searcher, seeker.looks, credit=1, terms=terms) as steps:
                async for step, find in seeker.finds(steps, order.report_every, self._draining):
                    pace.ready()
                    [image] = await self._encoded([find.picture], order.starts)
                    await context.write(find_message(request, model, start, step, find, image))
                    pace.sent(1)
        except PictureFailed as failed:
            raise _explained(failed, f"starts[{start}]", f"step {failed.index}") from failed

    async def _write_frames(
        self,
        order: Order,
        stream: PictureStream,
        context: Any,
        response: type[pb.WalkResponse] | type[pb.InterpolateResponse],
    ) -> None:
        """Writes the header and the frames. Leaving `with`, in whatever way, gives back all that the stream holds."""
        frames, model = order.frames, order.model
        pace = self._metrics.pace(model.name, order.kind)
        async with self._making.feeding(stream, order):
            header = pb.StreamHeader(
                frames=len(frames),
                rows=frames.rows,
                model_version=str(model.version),
                model_digest=model.digest,
                first_frame=order.delivery.first_frame,
            )
            await context.write(response(header=header))
            for index in order.indices:
                images = await self._images(order, stream, index)
                pace.ready()
                frame = pb.Frame(index=index, images=images, positions=position_messages(frames, index))
                await context.write(response(frame=frame))
                pace.sent(len(images))

    def _open_early(
        self, model: ServedModel, delivery: Delivery, latents: int, frames: int, context: Any
    ) -> PictureStream:
        """A stream for so many frames with a picture of each of so many latents, of which none has been read yet.

        Whoever cannot be served is told so before: to refuse must cost little.
        """
        rows = min(latents, model.max_rows)
        return self._open(model, delivery, rows, (frames - delivery.first_frame) * rows, context)

    def _open_for(self, order: Order, context: Any) -> PictureStream:
        rows = order.frames.rows
        return self._open(order.model, order.delivery, rows, len(order.indices) * rows, context)

    def _open(self, model: ServedModel, delivery: Delivery, rows: int, pictures: int, context: Any) -> PictureStream:
        """A stream of so many pictures, `rows` of them a frame. Raises what the scheduler refuses it with."""
        credit = self._credit(model.engine.size.bytes)
        return self._scheduler.open(model.engine, pictures, credit=credit, terms=_terms(delivery, rows, context))

    async def _images(self, order: Order, stream: PictureStream, index: int) -> list[image_pb2.Image]:
        """The encoded pictures of the next frame, which is the one of that index."""
        return await self._encoded(await self._pictures(order, stream, index), order)

    async def _pictures(self, order: Order, stream: PictureStream, index: int) -> list[bytes]:
        """The pixels of the next frame, which is the one of that index."""
        try:
            with span("draw"):
                pictures = await stream.take(order.frames.rows)
                mark("the device begins", stream.begun)
                return pictures
        except PictureFailed as failed:
            row = failed.index % order.frames.rows
            field = order.field if order.kind == "interpolate" else f"{order.field}[{row}]"
            raise _explained(failed, field, f"frame {index}") from failed

    async def _encoded(self, pictures: Sequence[bytes], order: Order) -> list[image_pb2.Image]:
        size, encoding = order.model.engine.size, order.encoding
        with span("encode"):
            encoded = await self._encoder.encode(pictures, size, encoding)
        return [
            image_pb2.Image(
                format=_FORMATS[encoding.format],
                width=size.width,
                height=size.height,
                channels=size.channels,
                data=data,
            )
            for data in encoded
        ]


def _terms(delivery: Delivery, rows: int, context: Any) -> Terms:
    remaining: float | None = context.time_remaining()
    return Terms(
        deadline=float("inf") if remaining is None else time.monotonic() + remaining,
        rows=rows,
        strict=delivery.strict,
        priority=delivery.priority,
        fps=delivery.fps,
        client=caller.get(),
    )


def _explained(failed: PictureFailed, field: str, what: str) -> BaseException:
    """A picture without finite pixels is told to its caller; whatever else went wrong is a fault of ours."""
    cause = failed.__cause__
    if not isinstance(cause, NonFinitePicture):
        return cause or failed
    return InvalidRequest(
        field, f"{what} is no picture, {cause}; is the latent too far out, or are the weights damaged?"
    )
