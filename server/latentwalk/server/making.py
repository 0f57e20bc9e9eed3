"""Requests are read, and rows made: on the event loop what takes a moment, and elsewhere what takes longer."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, ParamSpec, TypeVar

from google.protobuf.message import Message

from latentwalk.gan.steps import finish, one_step
from latentwalk.server.engine import Row
from latentwalk.server.frames import Frames
from latentwalk.server.latent_work import LatentWork
from latentwalk.server.orders import Order
from latentwalk.server.scheduler import Stream
from latentwalk.server.served import ServedModel

T = TypeVar("T")
P = ParamSpec("P")

# Of a larger request, such as keyframes that are each a mixture of a thousand classes, reading may take half a second.
_MOST_AT_ONCE_BYTES = 1 << 18


class Making:
    """Makes orders of requests, and rows of orders. All methods raise QueueFull as `LatentWork.do`."""

    def __init__(self, work: LatentWork) -> None:
        self._work = work

    async def order(self, model: ServedModel, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What a request for the model asks for. Raises what reading it raises."""
        # Latents of a generator with a mapping network may have a style of another for each layer.
        if model.spec.space != "z" or _bytes_of(args) > _MOST_AT_ONCE_BYTES:
            return await self.elsewhere(read, *args, **kwargs)
        return read(*args, **kwargs)

    async def elsewhere(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """A call that takes longer than a moment, whatever it is called for."""
        return await self._work.do(one_step(call, *args, **kwargs))

    async def rows(self, order: Order, earlier: Frames | None = None) -> list[Row]:
        """The rows of the first frame that is asked for; what earlier frames have done is not done again."""
        steps = order.rows_at(order.indices[0], earlier)
        return await self._work.do(steps) if order.is_dear else finish(steps)

    @asynccontextmanager
    async def feeding(self, stream: Stream[Any, Any, Any], order: Order) -> AsyncGenerator[None]:
        """Within the context, the stream is given the rows of the frames, no further ahead than its credit allows."""
        if not order.is_dear:
            stream.begin(order.rows())
            yield
            return
        stream.feed(await self.rows(order))
        task = asyncio.create_task(self._feed(stream, order))
        try:
            yield
        finally:
            task.cancel()

    async def _feed(self, stream: Stream[Any, Any, Any], order: Order) -> None:
        try:
            for index in order.indices[1:]:
                await stream.wants()
                stream.feed(await self._work.do(order.rows_at(index), is_new=False))
        except Exception as error:  # noqa: BLE001 - it goes to the reader of the stream
            stream.fail(error)


def _bytes_of(arguments: Iterable[object]) -> int:
    """How long the messages among them are."""
    return sum(one.ByteSize() for one in arguments if isinstance(one, Message))
