"""From the options of the command line to a client."""

from dataclasses import dataclass
from pathlib import Path

import typer

from latentwalk.client import Client

DEFAULT_SERVER = "127.0.0.1:50051"
DEFAULT_TRAINER = "127.0.0.1:50052"


@dataclass(frozen=True, slots=True)
class Target:
    """Whom the commands talk to."""

    server: str = DEFAULT_SERVER
    trainer: str = DEFAULT_TRAINER
    token: str | None = None
    tls_root: Path | None = None


def connect(context: typer.Context) -> Client:
    """A client of the services that the options name; use it in a `with` statement."""
    target = context.find_object(Target) or Target()
    return Client(target.server, trainer_address=target.trainer, token=target.token, tls=target.tls_root or False)
