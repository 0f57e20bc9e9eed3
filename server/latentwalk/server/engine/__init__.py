"""The engine: rows of latents in, pixels out, in the fastest form of the generator that this machine has.

Shapes: N batch, Z latent size, K classes, C channels, H height, W width.
"""

from latentwalk.server.engine.choice import Choice
from latentwalk.server.engine.core import Engine
from latentwalk.server.engine.devices import NoSuchDevice, find_device, find_devices, is_lost, settle_on
from latentwalk.server.engine.pixels import NonFinitePicture
from latentwalk.server.engine.rows import Noise, PictureSize, Row
from latentwalk.server.engine.threads import use_threads
from latentwalk.server.engine.tuning import Tuning

__all__ = [
    "Choice",
    "Engine",
    "NoSuchDevice",
    "Noise",
    "NonFinitePicture",
    "PictureSize",
    "Row",
    "Tuning",
    "find_device",
    "find_devices",
    "is_lost",
    "settle_on",
    "use_threads",
]
