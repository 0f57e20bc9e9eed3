"""What a stream of frames consists of."""

from collections.abc import Sequence
from typing import TypeVar

from latentwalk.server.frames import Frames
from latentwalk.server.replies.positions import position_messages
from latentwalk.server.served import ServedModel
from latentwalk.v1 import generation_service_pb2 as pb
from latentwalk.v1 import image_pb2

FrameResponse = TypeVar("FrameResponse", pb.WalkResponse, pb.InterpolateResponse)


def header_response(
    response: type[FrameResponse], frames: Frames, model: ServedModel, first_frame: int
) -> FrameResponse:
    """The first message."""
    header = pb.StreamHeader(
        frames=len(frames),
        rows=frames.rows,
        model_version=str(model.version),
        model_digest=model.digest,
        first_frame=first_frame,
    )
    return response(header=header)


def frames_response(
    response: type[FrameResponse], frames: Frames, first: int, pictures: Sequence[Sequence[image_pb2.Image]]
) -> FrameResponse:
    """A later message: with the frame of that index or, where there are the pictures of several, those after it."""
    bundle = [
        pb.Frame(index=index, images=images, positions=position_messages(frames, index))
        for index, images in enumerate(pictures, first)
    ]
    return response(frame=bundle[0]) if len(bundle) == 1 else response(bundle=pb.FrameBundle(frames=bundle))
