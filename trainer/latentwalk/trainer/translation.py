"""Which error of the inner layers is which error of the wire: one table."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy.exc import OperationalError

from latentwalk.gan import errors as gan
from latentwalk.rpc import errors as rpc
from latentwalk.trainer.jobs.database import reason_of


def translate(error: Exception) -> rpc.ServiceError | None:
    """The error of the wire for an exception of an inner layer; None for one that nobody foresaw."""
    rule = _RULES.get(type(error))
    return None if rule is None else rule(error)


def _corrupt(error: gan.CorruptArtifact) -> rpc.ServiceError:
    return rpc.CorruptArtifact(str(error), file=error.path, problem=error.reason)


def _no_database(error: OperationalError) -> rpc.ServiceError:
    return rpc.NotServing(f"the job database cannot be used now: {reason_of(error)}; try again when that is cured")


_RULES: Mapping[type[Exception], Callable[[Any], rpc.ServiceError]] = {
    gan.CorruptArtifact: _corrupt,
    OperationalError: _no_database,
}
