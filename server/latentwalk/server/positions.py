"""Where the sliders stand, in the words of the wire."""

from latentwalk.server.frames import Frames
from latentwalk.v1 import generation_service_pb2 as pb


def positions_of(frames: Frames, index: int) -> list[pb.Position]:
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
