"""`latentwalk look`: serves the page to whoever sits at this machine, until Ctrl-C."""

import os
import sys
import threading
import webbrowser
from typing import Annotated

import typer

from latentwalk.cli.connection import Target, connect
from latentwalk.cli.failures import CommandFailed
from latentwalk.cli.look.looking import Looking
from latentwalk.cli.look.web import HOST, LookServer
from latentwalk.cli.models import Name
from latentwalk.client import Client, LoadState


def look(
    context: typer.Context,
    model: Name,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="of 127.0.0.1, for the page; 0: any free one")] = 0,
    browser: Annotated[bool, typer.Option(help="open the page, where there is a desktop to open it on")] = True,
) -> None:
    """Opens a page on which the sliders of a model's directions are dragged, and its pictures follow at once.

    The address of the page is printed, and holds a secret: who has it can look, too. Ctrl-C ends it.
    """
    target = context.find_object(Target) or Target()
    with connect(context) as client:
        _check_ready(client, model)
        looking = Looking(client, model, target.server_flags())
        with _listening(port, looking) as server:
            typer.echo(server.url)
            sys.stdout.flush()
            if browser and _has_desktop():
                # A browser that is started, rather than told, may take its time to come back.
                threading.Thread(target=webbrowser.open, args=(server.url,), daemon=True).start()
            server.serve_forever()


def _check_ready(client: Client, name: str) -> None:
    state = client.model(name).state
    if state is not LoadState.READY:
        raise CommandFailed(f"model {name!r} is {state}, not ready; load it: latentwalk models load {name}")


def _listening(port: int, looking: Looking) -> LookServer:
    try:
        return LookServer(port, looking)
    except OSError as error:
        raise CommandFailed(f"{HOST}:{port} cannot be listened on: {error.strerror}; give another --port") from error


def _has_desktop() -> bool:
    """Elsewhere, a browser would be one of text, in the place of this terminal."""
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
