"""Interactive steering, in an event loop. `_sync_steering` is its twin, method for method."""

import asyncio
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any, Self, TypeVar

import grpc

from latentwalk.client._calls import Attempts, DuplexCall
from latentwalk.client._steering import Helm, Slot, SteerAnswer
from latentwalk.v1 import generation_service_pb2 as pb

T = TypeVar("T")


class AsyncNewest(Slot[T], AsyncIterator[T]):
    """A slot between two tasks."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = asyncio.Event()

    def put(self, value: T) -> None:
        """Puts the value in the place of the one before."""
        super().put(value)
        self._changed.set()

    def end(self, error: Exception | None = None) -> None:
        """No more values will come; the first end stands."""
        super().end(error)
        self._changed.set()

    async def __anext__(self) -> T:
        while not self._has_news():
            self._changed.clear()
            await self._changed.wait()
        return self._take(StopAsyncIteration())


class AsyncSteering(Helm, AsyncIterator[SteerAnswer]):
    """An interactive stream: `move` as often as you like, and see the newest picture. Use it in an `async with`.

    Nothing waits in line: a position that has not been sent, or not been drawn, when the next one comes is dropped; so
    is an answer that has not been looked at. Iterating waits for the next answer, and skips those that are overtaken
    meanwhile; it ends after `finish()` or `close()`. When the stream breaks, every method raises the reason.
    """

    def __init__(
        self,
        call: DuplexCall[pb.SteerResponse, SteerAnswer],
        start: Callable[[AsyncIterator[Any]], Any],
        attempts: Attempts,
    ) -> None:
        positions, answers = AsyncNewest[pb.SteerRequest](), AsyncNewest[SteerAnswer]()
        super().__init__(positions, answers)
        self._arriving = answers
        replies = start(_chain(call.request, positions))
        # The loop itself keeps no task alive: the finalizer does.
        reading = asyncio.create_task(_read(replies, call, attempts, positions, answers))
        # Also when it is forgotten: the tasks know the slots, but not this object.
        self._leave = weakref.finalize(self, _leave, replies, reading, positions, answers)

    async def close(self) -> None:
        """Ends the stream at once."""
        self._leave()

    async def __anext__(self) -> SteerAnswer:
        return await anext(self._arriving)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def _read(
    replies: Any,
    call: DuplexCall[pb.SteerResponse, SteerAnswer],
    attempts: Attempts,
    positions: Slot[pb.SteerRequest],
    answers: Slot[SteerAnswer],
) -> None:
    """Keeps the newest answer, in a task of its own, so that none waits in the transport."""
    try:
        async for reply in replies:
            answers.put(call.parse(reply))
    except grpc.RpcError as error:
        answers.end(attempts.failure(error))
    finally:
        answers.end()
        positions.end()


async def _chain(first: Any, others: AsyncIterator[Any]) -> AsyncGenerator[Any]:
    yield first
    async for one in others:
        yield one


def _leave(
    replies: Any,
    reading: asyncio.Task[None],
    positions: Slot[pb.SteerRequest],
    answers: Slot[SteerAnswer],
) -> None:
    answers.end()
    positions.end()
    replies.cancel()
    reading.cancel()
