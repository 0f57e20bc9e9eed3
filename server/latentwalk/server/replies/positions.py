"""Where the sliders stand."""

from latentwalk.server.frames import Frames
from latentwalk.v1 import generation_service_pb2 as pb


def position_messages(frames: Frames, index: int) -> list[pb.Position]:
    """Where every slider stands in one frame."""
    return [
        pb.Position(
            direction=standing.direction,
            slider=standing.slider,
            alpha=standing.alpha,
            amount=standing.amount,
            layers=standing.layers,
        )
        for standing in frames.standings_at(index)
    ]
