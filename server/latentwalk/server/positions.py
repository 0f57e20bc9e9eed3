"""Where the sliders stand, in the words of the wire."""

from latentwalk.server.paths import Path
from latentwalk.v1 import generation_service_pb2 as pb


def positions_of(path: Path, index: int) -> list[pb.Position]:
    """Where every slider of the path stands in one frame."""
    return [
        pb.Position(
            direction=standing.direction,
            slider=standing.slider,
            alpha=standing.alpha,
            amount=standing.amount,
            layers=standing.layers,
        )
        for standing in path.standings_at(index)
    ]
