"""What the device's process is told when it starts."""

from dataclasses import dataclass

import torch

from latentwalk.server.device import signs
from latentwalk.server.engine import Tuning
from latentwalk.server.engine.perception import Perception

# On a busy machine some come late.
_FEWEST_SIGNS = 10
# Of a socket.
_MOST_PATIENCE = 1e6


@dataclass(frozen=True, slots=True)
class DeviceSettings:
    """The part of the server's settings that its device needs; each is explained there."""

    device: str
    threads: int
    max_batch: int
    engine_seconds: float
    engine_tolerance: float
    engine_cache: str
    watchdog_seconds: float
    log_level: str
    lpips_backbone: str = ""

    @property
    def patience(self) -> float:
        """How many seconds the process may give no sign of life while it is at something that may take long."""
        return min(max(self.watchdog_seconds, _FEWEST_SIGNS * signs.SECONDS), _MOST_PATIENCE)

    def tuning(self, devices: tuple[torch.device, ...]) -> Tuning:
        """How engines are made on these devices."""
        seconds, tolerance = self.engine_seconds, self.engine_tolerance
        return Tuning(devices, self.max_batch, seconds, tolerance, self.engine_cache, self.perception)

    @property
    def perception(self) -> Perception:
        """What searches may compare pictures by."""
        return Perception(self.lpips_backbone)
