"""From the options of the command line to a client."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from latentwalk.client import Client, Tls

DEFAULT_SERVER = "127.0.0.1:50051"
DEFAULT_TRAINER = "127.0.0.1:50052"


@dataclass(frozen=True, slots=True)
class Target:
    """Whom the commands talk to."""

    server: str = DEFAULT_SERVER
    trainer: str = DEFAULT_TRAINER
    token: str | None = None
    tls: bool | Tls = False


def connect(context: typer.Context) -> Client:
    """A client of the services that the options name; use it in a `with` statement."""
    target = context.find_object(Target) or Target()
    return Client(target.server, trainer_address=target.trainer, token=target.token, tls=target.tls)


def pem_file(help: str) -> Any:
    """An option that takes the path of a PEM file."""
    return typer.Option(help=f"PEM file: {help}", exists=True, dir_okay=False)


def choose_tls(asked: bool, root: Path | None, certificate: Path | None, key: Path | None) -> bool | Tls:
    """Plain text, unless TLS or one of its files was asked for."""
    if (root, certificate, key) == (None, None, None):
        return asked
    try:
        return Tls(root, certificate, key)
    except ValueError as error:
        raise typer.BadParameter("give both, or neither", param_hint="--tls-certificate, --tls-key") from error
