"""What a picture depends on, as a key: equal keys mean equal pictures."""

from collections.abc import Hashable

from latentwalk.server.device import RemoteEngine
from latentwalk.server.engine import Row
from latentwalk.server.scheduler import Late


def picture_key(engine: RemoteEngine, work: Row | Late) -> Hashable:
    """The weights, their form, the latent and the options, to the last bit; None for a row that is not settled yet.

    The form that draws a picture alone draws the same bytes as those of the other batch sizes, but not as another that
    was chosen for the same weights at another time.
    """
    if isinstance(work, Late):
        return None
    condition = None if work.condition is None else work.condition.tobytes()
    return engine.digest, engine.choice.variants[1], work.code.tobytes(), condition, work.strict, work.noise


def entry_bytes(key: Hashable, picture: bytes) -> int:
    """What a key of `picture_key` and its picture take, roughly."""
    return bytes_of(key) + len(picture)


def bytes_of(key: Hashable) -> int:
    """What the latents in a key take."""
    parts = key if isinstance(key, tuple) else ()
    return sum(len(part) for part in parts if isinstance(part, bytes))
