"""The GenerationService: translates, delegates, and writes frames as they become ready."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from latentwalk.rpc.roles import Role
from latentwalk.server.making import Making
from latentwalk.server.metrics import CallMetrics
from latentwalk.server.orders import Order
from latentwalk.server.pictures import Pictures, PictureStream, explained
from latentwalk.server.replies import FrameResponse, code_message, find_message, frames_response, header_response
from latentwalk.server.repository import Repository
from latentwalk.server.scheduler import PictureFailed
from latentwalk.server.searching import Seeker
from latentwalk.server.steering import Session
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
from latentwalk.v1 import generation_service_pb2_grpc

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


class GenerationServicer(generation_service_pb2_grpc.GenerationServiceServicer):
    """Pictures, and walks through latent space.

    `draining` is set when interactive streams, which have no end of their own, should end, and searches, which have
    found something before their end.
    """

    def __init__(
        self,
        repository: Repository,
        making: Making,
        pictures: Pictures,
        metrics: CallMetrics,
        draining: asyncio.Event,
    ) -> None:
        self._repository = repository
        self._making = making
        self._pictures = pictures
        self._metrics = metrics
        self._draining = draining

    async def Generate(self, request: pb.GenerateRequest, context: Any) -> pb.GenerateResponse:  # noqa: N802
        """Draws one picture for each latent."""
        model = self._repository.model(request.model)
        delivery = read_still_delivery(request.delivery)
        with self._pictures.open_early(model, delivery, len(request.latents), 1, context) as stream:
            order = await self._making.order(model, generate_order, request, model, delivery)
            pace = self._metrics.pace(model.name, order.kind)
            stream.begin(iter(await self._making.rows(order)))
            images = await self._pictures.frame(order, stream, 0)
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
        with self._pictures.open_early(model, delivery, len(request.starts), frames, context) as stream:
            order = await self._making.order(model, walk_order, request, model, delivery)
            await self._write_frames(order, stream, context, pb.WalkResponse)

    async def Interpolate(  # noqa: N802  # pyright: ignore[reportIncompatibleMethodOverride]
        self, request: pb.InterpolateRequest, context: Any
    ) -> None:
        """Travels from keyframe to keyframe."""
        model = self._repository.model(request.model)
        delivery = read_delivery(request.delivery, frames := count_interpolation_frames(request, model))
        with self._pictures.open_early(model, delivery, 1, frames, context) as stream:
            order = await self._making.order(model, interpolate_order, request, model, delivery)
            await self._write_frames(order, stream, context, pb.InterpolateResponse)

    async def Steer(  # noqa: N802  # pyright: ignore[reportIncompatibleMethodOverride]
        self, request_iterator: AsyncIterator[pb.SteerRequest], context: Any
    ) -> None:
        """Draws the newest position of the caller, again and again."""
        session = Session(self._repository.model, self._making, self._pictures, self._metrics, self._draining, context)
        await session.run(request_iterator)

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
        with self._pictures.open_early(model, delivery, len(request.starts), 1, context) as stream:
            # The picture may have to be decoded.
            order = await self._making.elsewhere(search_order, request, model, delivery)
            pace = self._metrics.pace(model.name, order.starts.kind)
            rows = await self._making.rows(order.starts)
            stream.begin(iter(rows))
            # Many large pictures take a second to compare.
            start = await self._making.elsewhere(order.nearest, await self._pictures.pixels(order.starts, stream, 0))
        seeker = Seeker(order.search_from(start, rows[start]))
        try:
            with self._pictures.open_search(model, delivery, seeker.looks, context) as steps:
                async for step, find in seeker.finds(steps, order.report_every, self._draining):
                    pace.ready()
                    [image] = await self._pictures.encoded([find.picture], order.starts)
                    await context.write(find_message(request, model, start, step, find, image))
                    pace.sent(1)
        except PictureFailed as failed:
            raise explained(failed, f"starts[{start}]", f"step {failed.index}") from failed

    async def _write_frames(
        self, order: Order, stream: PictureStream, context: Any, response: type[FrameResponse]
    ) -> None:
        """Writes the header and the frames. Leaving `with`, in whatever way, gives back all that the stream holds."""
        frames, model, indices = order.frames, order.model, order.indices
        pace = self._metrics.pace(model.name, order.kind)
        async with self._making.feeding(stream, order):
            await context.write(header_response(response, frames, model, order.delivery.first_frame))
            while indices:
                bundle = await self._pictures.bundle(order, stream, indices)
                pace.ready(len(bundle))
                await context.write(frames_response(response, frames, indices[0], bundle))
                pace.sent(len(bundle) * frames.rows)
                indices = indices[len(bundle) :]
