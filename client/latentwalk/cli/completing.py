"""What a shell offers for a name that is being typed: those that the services have, if they answer at once.

Nothing is said of what goes wrong: there is no place for it beside a line that is being typed.
"""

from collections.abc import Callable, Iterable

import typer

from latentwalk.cli.connection import Target, choose_tls
from latentwalk.client import Client, LatentwalkError

PATIENCE = 2.0
"""Seconds."""

Offer = Callable[[typer.Context, str], list[str]]


def _offering(names: Callable[[Client, typer.Context], Iterable[str]]) -> Offer:
    """For `autocompletion=` of an argument: the names that begin with what is there of one."""

    def offer(context: typer.Context, incomplete: str) -> list[str]:
        try:
            with _target(context).client(timeout=PATIENCE, retries=0, overload_retries=0) as client:
                return [name for name in names(client, context) if name.startswith(incomplete)]
        except (LatentwalkError, typer.BadParameter, OSError):
            return []

    return offer


def _target(context: typer.Context) -> Target:
    """The services that the line so far names: the command itself, which sees to that, has not been run."""
    given = context.find_root().params
    tls = choose_tls(given["tls"], given["tls_root"], given["tls_certificate"], given["tls_key"])
    return Target(given["server"], given["trainer"], given["token"], tls)


models = _offering(lambda client, _: [one.name for one in client.models()])
directions = _offering(
    lambda client, context: [one.name for one in client.directions(context.params.get("model") or "")]
)
jobs = _offering(lambda client, _: [one.id for one in client.jobs(limit=100)])
