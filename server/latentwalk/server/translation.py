"""Which error of the inner layers is which error of the wire: one table."""

from collections.abc import Callable, Mapping
from typing import Any

from latentwalk.gan import errors as gan
from latentwalk.rpc import errors as rpc
from latentwalk.server.engine import NonFinitePicture
from latentwalk.server.scheduler import (
    DeadlinePassed,
    DeviceFailed,
    DeviceLost,
    DeviceOutOfMemory,
    NeverBegun,
    QueueFull,
    SchedulerClosed,
)


def translate(error: Exception) -> rpc.ServiceError | None:
    """The error of the wire for an exception of an inner layer; None for one that nobody foresaw."""
    rule = _RULES.get(type(error))
    return None if rule is None else rule(error)


def _mismatch(error: gan.GeneratorMismatch) -> rpc.ServiceError:
    return rpc.GeneratorMismatch(
        str(error), direction=error.direction, expected_digest=error.expected, actual_digest=error.actual
    )


def _corrupt(error: gan.CorruptArtifact) -> rpc.ServiceError:
    return rpc.CorruptArtifact(str(error), file=error.path, problem=error.reason)


def _no_picture(error: NonFinitePicture) -> rpc.ServiceError:
    return rpc.CorruptArtifact(f"the model draws no pictures: {error}; are its weights damaged?")


def _full(error: QueueFull) -> rpc.ServiceError:
    return rpc.QueueFull(str(error), error.retry_after_seconds)


def _out_of_memory(error: DeviceOutOfMemory) -> rpc.ServiceError:
    return rpc.DeviceOutOfMemory(
        "the device has no memory left for a single picture, or for the model: unload another model, or serve this one "
        f"on a larger device ({error})"
    )


_RULES: Mapping[type[Exception], Callable[[Any], rpc.ServiceError]] = {
    gan.GeneratorMismatch: _mismatch,
    gan.CorruptArtifact: _corrupt,
    gan.UnknownArtifact: lambda error: rpc.UnknownArtifact(str(error)),
    NonFinitePicture: _no_picture,
    QueueFull: _full,
    DeadlinePassed: lambda error: rpc.DeadlineExceeded(str(error)),
    DeviceFailed: lambda error: rpc.DeviceFailed(str(error)),
    DeviceLost: lambda error: rpc.DeviceFailed(str(error)),
    NeverBegun: lambda error: rpc.DeviceFailed(str(error)),
    DeviceOutOfMemory: _out_of_memory,
    SchedulerClosed: lambda _: rpc.NotServing("the service is shutting down"),
}
