"""What the scheduler says no with, and what its engine may say to it."""


class QueueFull(Exception):
    """A request would wait too long or not fit the queue; it may be sent again after `retry_after_seconds`."""

    def __init__(self, message: str, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class DeadlinePassed(Exception):
    """The deadline of a stream passed while its pictures waited, or is too near for even an idle device."""


class PictureFailed(Exception):
    """One picture could not be drawn; `index` is its place in the stream, from 0, and the cause is chained."""

    def __init__(self, index: int, cause: Exception) -> None:
        super().__init__(f"picture {index}: {cause}")
        self.index = index
        self.__cause__ = cause


class DeviceFailed(Exception):
    """The device hangs, and the picture with it; the same request may succeed elsewhere, or later."""


class DeviceLost(DeviceFailed):
    """There is no device to draw with any more; nobody's picture is at fault."""


class NeverBegun(DeviceFailed):
    """The device failed at what it was given before, and never came to this."""


class DeviceOutOfMemory(Exception):
    """Raised by an engine: the batch was too large for the memory of the device. Smaller ones are tried."""


class SchedulerClosed(Exception):
    """The scheduler was closed; nothing more is drawn."""
