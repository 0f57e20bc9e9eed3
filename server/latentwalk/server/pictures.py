"""From an order to its pictures, drawn and encoded: what all calls have in common that show any."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from latentwalk.rpc.caller import caller
from latentwalk.rpc.errors import InvalidRequest
from latentwalk.rpc.tracing import mark, span
from latentwalk.server.device import RemoteEngine
from latentwalk.server.encoder import Encoder, Format
from latentwalk.server.engine import NonFinitePicture, Row
from latentwalk.server.orders import Delivery, Order
from latentwalk.server.replies import image_message
from latentwalk.server.scheduler import Late, PictureFailed, Scheduler, Stream, Terms
from latentwalk.server.searching import SearchStream
from latentwalk.server.served import ServedModel
from latentwalk.v1 import image_pb2

# Of larger frames, the message is no great part of what one costs.
_BUNDLE_BYTES = 1 << 18

PictureStream = Stream[RemoteEngine, Row | Late, bytes]


class Pictures:
    """Opens streams of pictures, takes frames from them, and encodes those.

    `credit` says how many pictures of so many bytes a stream may hold. `context` is that of the call, whose deadline
    holds for all its pictures.
    """

    def __init__(self, scheduler: Scheduler[Any, Any, Any], encoder: Encoder, credit: Callable[[int], int]) -> None:
        self._scheduler = scheduler
        self._encoder = encoder
        self._credit = credit

    def open_early(
        self, model: ServedModel, delivery: Delivery, latents: int, frames: int, context: Any
    ) -> PictureStream:
        """A stream for so many frames with a picture of each of so many latents, of which none has been read yet.

        Whoever cannot be served is told so before: to refuse must cost little. Raises what the scheduler refuses with.
        """
        rows = min(latents, model.max_rows)
        return self._stream(model, delivery, rows, (frames - delivery.first_frame) * rows, context)

    def open(self, order: Order, context: Any) -> PictureStream:
        """A stream for the frames of an order. Raises as `open_early`."""
        rows = order.frames.rows
        return self._stream(order.model, order.delivery, rows, len(order.indices) * rows, context)

    def open_search(self, model: ServedModel, delivery: Delivery, looks: int, context: Any) -> SearchStream:
        """A stream for a search that looks at so many pictures. Raises as `open_early`."""
        return self._scheduler.open(model.searcher, looks, credit=1, terms=_terms(delivery, 1, context))

    def _stream(self, model: ServedModel, delivery: Delivery, rows: int, pictures: int, context: Any) -> PictureStream:
        """A stream of so many pictures, `rows` of them a frame."""
        credit = self._credit(model.engine.size.bytes)
        return self._scheduler.open(model.engine, pictures, credit=credit, terms=_terms(delivery, rows, context))

    async def frame(self, order: Order, stream: PictureStream, index: int) -> list[image_pb2.Image]:
        """The encoded pictures of the next frame, which is the one of that index."""
        return await self.encoded(await self.pixels(order, stream, index), order)

    async def bundle(self, order: Order, stream: PictureStream, indices: range) -> list[list[image_pb2.Image]]:
        """The encoded pictures of the next frame, and those of the frames after it that are ready, too.

        Only as many as the order takes at once; indices: those of the frames that are left, at least 1.
        """
        frames = [await self.frame(order, stream, indices[0])]
        for index in indices[1 : _bundle_size(order)]:
            if not stream.has(order.frames.rows):
                break
            frames.append(await self.frame(order, stream, index))
        return frames

    async def pixels(self, order: Order, stream: PictureStream, index: int) -> list[bytes]:
        """The pixels of the next frame, which is the one of that index."""
        try:
            with span("draw"):
                pictures = await stream.take(order.frames.rows)
                mark("the device begins", stream.begun)
                return pictures
        except PictureFailed as failed:
            row = failed.index % order.frames.rows
            field = order.field if order.kind == "interpolate" else f"{order.field}[{row}]"
            raise explained(failed, field, f"frame {index}") from failed

    async def encoded(self, pictures: Sequence[bytes], order: Order) -> list[image_pb2.Image]:
        """Pictures, given as pixels, encoded as the order wants them."""
        size, encoding = order.model.engine.size, order.encoding
        with span("encode"):
            encoded = await self._encoder.encode(pictures, size, encoding)
        return [image_message(data, size, encoding.format) for data in encoded]


def _bundle_size(order: Order) -> int:
    """The most frames that are sent together. To encode them would take longer than to send them one by one."""
    if order.encoding.format is not Format.RAW:
        return 1
    frame_bytes = order.frames.rows * order.model.engine.size.bytes
    return min(order.delivery.frames_per_message, max(1, _BUNDLE_BYTES // frame_bytes))


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


def explained(failed: PictureFailed, field: str, what: str) -> BaseException:
    """A picture without finite pixels is told to its caller; whatever else went wrong is a fault of ours."""
    cause = failed.__cause__
    if not isinstance(cause, NonFinitePicture):
        return cause or failed
    return InvalidRequest(
        field, f"{what} is no picture, {cause}; is the latent too far out, or are the weights damaged?"
    )
