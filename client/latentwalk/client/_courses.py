"""What has arrived of a stream, and with which request it goes on when it breaks off."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Generic, TypeVar

from google.protobuf.message import Message

from latentwalk.client._errors import ModelChanged, Overloaded, ServiceError, Unavailable
from latentwalk.client._rpcs import Reply
from latentwalk.v1 import generation_service_pb2 as pb
from latentwalk.v1 import training_service_pb2 as pb_training

FrameEvent = pb.WalkResponse | pb.InterpolateResponse
"""What both streams of frames consist of: a header first, then frames, one by one or several in a bundle."""

Event = TypeVar("Event", bound=FrameEvent)
Request = TypeVar("Request", bound=Message)

# Losses in a row, by the pauses of _calls: about a minute, in which a service is started anew and warmed.
_A_MINUTE = 30


class Course(Generic[Reply]):
    """The course of a stream that cannot go on where it broke off."""

    def __init__(self, request: Message) -> None:
        self.request = request
        """What is sent to begin, or to begin anew."""
        self._has_begun = False

    def most_losses(self, retries: int) -> int:
        """How often in a row the connection of a client with so many `retries` may be lost without a reply."""
        return retries

    @property
    def is_complete(self) -> bool:
        """Whether everything has arrived, even if the stream does not end well."""
        return False

    def survives(self, error: ServiceError) -> bool:
        """Whether the request may be sent again after this error: if it was refused at the door, nothing was done."""
        return (isinstance(error, Overloaded) or error.reason == "NOT_SERVING") and not self._has_begun

    def news(self, reply: Reply) -> Iterator[Reply]:
        """What of a reply is news for the reader, one after the other."""
        self._has_begun = True
        yield reply


class ResumedCourse(Course[Reply], Generic[Request, Reply]):
    """The course of a stream that goes on where it broke off. A service that is away is waited for, a minute."""

    def __init__(self, request: Request) -> None:
        # A copy, which is told where to go on: a call is a value, which may be made to happen again.
        self._request = deepcopy(request)
        super().__init__(self._request)

    def most_losses(self, retries: int) -> int:
        """A minute of them, unless the client has no retries."""
        return retries + _A_MINUTE if retries else 0

    def survives(self, error: ServiceError) -> bool:
        """To go on from another place does nothing that was not done before: the request may always be sent again."""
        return isinstance(error, Overloaded | Unavailable)


class EventsCourse(ResumedCourse[pb_training.WatchJobRequest, pb_training.WatchJobResponse]):
    """The course of watching a job: it goes on with the next event."""

    def news(self, reply: pb_training.WatchJobResponse) -> Iterator[pb_training.WatchJobResponse]:
        """Every event is."""
        self._request.after_sequence = reply.event.sequence
        yield reply


class FramesCourse(ResumedCourse[pb.WalkRequest | pb.InterpolateRequest, Event]):
    """The course of a stream of frames: it goes on with the first one that is missing, drawn by the same weights.

    Only a server that goes away after it has begun is waited for, not one that is not there at all.
    """

    def __init__(self, request: pb.WalkRequest | pb.InterpolateRequest) -> None:
        super().__init__(request)
        self._header: pb.StreamHeader | None = None
        self._next = request.delivery.first_frame

    def most_losses(self, retries: int) -> int:
        """A minute of them, once the stream has begun."""
        return retries if self._header is None else super().most_losses(retries)

    @property
    def is_complete(self) -> bool:
        """Whether the last frame has arrived."""
        return self._header is not None and self._next >= self._header.frames

    def news(self, reply: Event) -> Iterator[Event]:
        """The first header, and every frame that is the next one. Raises ModelChanged for a header of other weights."""
        if reply.HasField("bundle"):
            for frame in reply.bundle.frames:
                yield from self.news(type(reply)(frame=frame))
        elif reply.HasField("header"):
            if self._is_first(reply.header):
                yield reply
        elif reply.frame.index == self._next:
            self._next += 1
            self._request.delivery.first_frame = self._next
            yield reply

    def _is_first(self, header: pb.StreamHeader) -> bool:
        before, self._header = self._header, header
        if before and before.model_digest != header.model_digest:
            raise ModelChanged(self._next, before.model_digest, header.model_digest)
        return before is None
