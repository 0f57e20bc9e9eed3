"""Streams that are read as they come: frames, and what a search finds. `_aio_streams` is their twin."""

from collections.abc import Generator, Iterator
from typing import Self

from latentwalk.client._courses import FrameEvent
from latentwalk.client._errors import ClientClosed
from latentwalk.client._files import StrPath, check_frames_file, moves, save_moving
from latentwalk.client._found import Found, best_found, show_search
from latentwalk.client._frames import Frame, Frames, Header, check_unread, show_reading
from latentwalk.client._pictures import Picture


class Walk(Iterator[Frame]):
    """The frames of a walk or an interpolation, as they arrive; in a `with` statement or not.

    Nothing is sent before the first frame (or the header) is asked for. Closing or forgetting it ends the stream, and
    the server stops drawing. It can be read once: `collect()` keeps the frames.

    A connection that is lost is opened again, and the frames go on where they broke off; ModelChanged if the server has
    other weights by then. Once the stream has begun, a server that is away, as while it is started anew, is waited for,
    a minute; not by a client without `retries`.
    """

    def __init__(self, events: Generator[FrameEvent], first_frame: int = 0) -> None:
        self._events = events
        self._header: Header | None = None
        self.next_index = first_frame
        """The index of the next frame. What came before it is good, also when the stream fails: go on from there."""

    def __repr__(self) -> str:
        return show_reading(type(self).__name__, self.next_index, self._header)

    def header(self) -> Header:
        """How many frames and rows there will be, and which weights draw them."""
        try:
            return self._first()
        except StopIteration:
            raise ClientClosed("the stream was closed before its header came") from None

    def _first(self) -> Header:
        if self._header is None:
            self._header = Header.from_message(next(self._events).header)
        return self._header

    def __next__(self) -> Frame:
        header = self._first()
        frame = Frame.from_message(next(self._events).frame, header)
        self.next_index = frame.index + 1
        return frame

    def collect(self) -> Frames:
        """Every frame that is still to come."""
        return Frames(tuple(self))

    def strip(self) -> Picture:
        """`collect().strip()`: one picture with a row for each start and a column for each frame."""
        check_unread(self._header, self.next_index)
        return self.collect().strip()

    def grid(self, columns: int) -> Picture:
        """`collect().grid(columns)`: one picture with the frames of each start in rows of `columns`."""
        check_unread(self._header, self.next_index)
        return self.collect().grid(columns)

    def save(self, path: StrPath, *, fps: float = 12.0) -> None:
        """As `Frames.save`: a GIF or WebP that plays for ever, an MP4, or a strip as PNG or JPEG, by the ending.

        A file that cannot be written, InvalidRequest or OSError, is told of before anything is drawn. An MP4 is written
        while the frames come: it may be as long as there is room for on the disk.
        """
        check_frames_file(path, fps)
        check_unread(self._header, self.next_index)
        if moves(path):
            save_moving((frame.image() for frame in self), path, fps)
        else:
            self.strip().save(path)

    def close(self) -> None:
        """Ends the stream."""
        self._events.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Search(Iterator[Found]):
    """What a search for the latent of a picture finds, as it comes on; in a `with` statement or not.

    Nothing is sent before the first is asked for. Closing or forgetting it ends the search.
    """

    def __init__(self, finds: Generator[Found]) -> None:
        self._finds = finds
        self._best: Found | None = None

    def __repr__(self) -> str:
        return show_search(type(self).__name__, self._best)

    def __next__(self) -> Found:
        self._best = next(self._finds)
        return self._best

    def result(self) -> Found:
        """Waits for the last, which is the best. After it was closed, or has failed, the best until then.

        Raises what ends the search early, such as Unavailable when the server shuts down; and InvalidRequest if it has
        ended before anything was found.
        """
        for _ in self:
            pass
        return best_found(self._best)

    def close(self) -> None:
        """Ends the search."""
        self._finds.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
