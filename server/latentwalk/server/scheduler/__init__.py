"""Shares one device among all requests, picture by picture. Knows no gRPC and no torch.

    stream.take  <-  finished pictures  <-  step (device thread)  <-  backlog  <-  refill, as credit comes back

A stream is the ordered pictures of one request. The unit of work is one picture, so that a batch may hold pictures of
many streams, and a stream may join and leave between any two batches.
"""

from latentwalk.server.scheduler.core import QueueFull, Scheduler, SchedulerClosed
from latentwalk.server.scheduler.device import DeviceThread
from latentwalk.server.scheduler.stream import DeadlinePassed, PictureFailed, Stream

__all__ = [
    "DeadlinePassed",
    "DeviceThread",
    "PictureFailed",
    "QueueFull",
    "Scheduler",
    "SchedulerClosed",
    "Stream",
]
