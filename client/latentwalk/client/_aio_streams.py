"""Streams that are read as they come: frames, and what a search finds. `_sync_streams` is their twin."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import closing
from typing import Self

from latentwalk.client._courses import FrameEvent
from latentwalk.client._errors import ClientClosed
from latentwalk.client._files import StrPath, check_frames_file, video_at
from latentwalk.client._found import Found, best_found, show_search
from latentwalk.client._frames import Frame, Frames, Header, check_unread, show_reading
from latentwalk.client._pictures import Picture


class AsyncWalk(AsyncIterator[Frame]):
    """The frames of a walk or an interpolation, as they arrive; in an `async with` statement or not.

    Nothing is sent before the first frame (or the header) is asked for. Closing or forgetting it ends the stream, and
    the server stops drawing. It can be read once: `collect()` keeps the frames.

    A connection that is lost is opened again, and the frames go on where they broke off; ModelChanged if the server has
    other weights by then. Once the stream has begun, a server that is away, as while it is started anew, is waited for,
    a minute; not by a client without `retries`.
    """

    def __init__(self, events: AsyncGenerator[FrameEvent], first_frame: int = 0) -> None:
        self._events = events
        self._header: Header | None = None
        self.next_index = first_frame
        """The index of the next frame. What came before it is good, also when the stream fails: go on from there."""

    def __repr__(self) -> str:
        return show_reading(type(self).__name__, self.next_index, self._header)

    async def header(self) -> Header:
        """How many frames and rows there will be, and which weights draw them."""
        try:
            return await self._first()
        except StopAsyncIteration:
            raise ClientClosed("the stream was closed before its header came") from None

    async def _first(self) -> Header:
        if self._header is None:
            self._header = Header.from_message((await anext(self._events)).header)
        return self._header

    async def __anext__(self) -> Frame:
        header = await self._first()
        frame = Frame.from_message((await anext(self._events)).frame, header)
        self.next_index = frame.index + 1
        return frame

    async def collect(self) -> Frames:
        """Every frame that is still to come."""
        return Frames(tuple([frame async for frame in self]))

    async def strip(self) -> Picture:
        """`collect().strip()`: one picture with a row for each start and a column for each frame."""
        check_unread(self._header, self.next_index)
        frames = await self.collect()
        return await asyncio.to_thread(frames.strip)

    async def grid(self, columns: int) -> Picture:
        """`collect().grid(columns)`: one picture with the frames of each start in rows of `columns`."""
        check_unread(self._header, self.next_index)
        frames = await self.collect()
        return await asyncio.to_thread(frames.grid, columns)

    async def save(self, path: StrPath, *, fps: float = 12.0) -> None:
        """As `Frames.save`: a GIF or WebP that plays for ever, an MP4, or a strip as PNG or JPEG, by the ending.

        A file that cannot be written, InvalidRequest or OSError, is told of before anything is drawn. An MP4 is written
        while the frames come: it may be as long as there is room for on the disk.
        """
        check_frames_file(path, fps)
        check_unread(self._header, self.next_index)
        if video := video_at(path, fps):
            with closing(video):
                async for frame in self:
                    image = await asyncio.to_thread(frame.image)
                    await asyncio.to_thread(video.add, image)
                await asyncio.to_thread(video.finish)
        else:
            frames = await self.collect()
            await asyncio.to_thread(frames.save, path, fps=fps)

    async def close(self) -> None:
        """Ends the stream."""
        await self._events.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class AsyncSearch(AsyncIterator[Found]):
    """`Search`, in an `async with` statement or not."""

    def __init__(self, finds: AsyncGenerator[Found]) -> None:
        self._finds = finds
        self._best: Found | None = None

    def __repr__(self) -> str:
        return show_search(type(self).__name__, self._best)

    async def __anext__(self) -> Found:
        self._best = await anext(self._finds)
        return self._best

    async def result(self) -> Found:
        """As `Search.result`."""
        async for _ in self:
            pass
        return best_found(self._best)

    async def close(self) -> None:
        """Ends the search."""
        await self._finds.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
