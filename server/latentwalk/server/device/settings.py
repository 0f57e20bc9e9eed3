"""What the device's process is told when it starts."""

from dataclasses import dataclass

import torch

from latentwalk.server.engine import Tuning


@dataclass(frozen=True, slots=True)
class DeviceSettings:
    """The part of the server's settings that its device needs; each is explained there."""

    device: str
    threads: int
    max_batch: int
    engine_seconds: float
    engine_tolerance: float
    engine_cache: str
    log_level: str

    def tuning(self, devices: tuple[torch.device, ...]) -> Tuning:
        """How engines are made on these devices."""
        return Tuning(devices, self.max_batch, self.engine_seconds, self.engine_tolerance, self.engine_cache)
