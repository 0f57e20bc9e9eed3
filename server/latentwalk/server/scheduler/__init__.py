"""Shares one device among all requests, picture by picture. Knows no gRPC and no torch.

    stream.take  <-  finished pictures  <-  step (device)  <-  backlog  <-  refill, as credit comes back

A stream is the ordered pictures of one request. The unit of work is one picture, so that a batch may hold pictures of
many streams, and a stream may join and leave between any two batches.
"""

from latentwalk.server.scheduler.admission import Limits
from latentwalk.server.scheduler.core import Scheduler
from latentwalk.server.scheduler.errors import (
    DeadlinePassed,
    DeviceFailed,
    DeviceLost,
    DeviceOutOfMemory,
    NeverBegun,
    PictureFailed,
    QueueFull,
    SchedulerClosed,
)
from latentwalk.server.scheduler.experience import LONGEST_SECONDS
from latentwalk.server.scheduler.hooks import Hooks
from latentwalk.server.scheduler.lane import DEFAULT_FPS, Priority, Terms
from latentwalk.server.scheduler.reuse import Reuse
from latentwalk.server.scheduler.stream import Stream
from latentwalk.server.scheduler.watch import seek_device, watch_device
from latentwalk.server.scheduler.worker import Late, Worker

__all__ = [
    "DEFAULT_FPS",
    "LONGEST_SECONDS",
    "DeadlinePassed",
    "DeviceFailed",
    "DeviceLost",
    "DeviceOutOfMemory",
    "Hooks",
    "Late",
    "Limits",
    "NeverBegun",
    "PictureFailed",
    "Priority",
    "QueueFull",
    "Reuse",
    "Scheduler",
    "SchedulerClosed",
    "Stream",
    "Terms",
    "Worker",
    "seek_device",
    "watch_device",
]
