"""The demo, step by step: fetch a generator, start the services, train directions, walk them, measure, clean up."""

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from latentwalk.cli.demo.processes import running_services
from latentwalk.cli.demo.sheets import draw_sheets
from latentwalk.cli.demo.speed import frames_per_second
from latentwalk.cli.demo.summary import Summary
from latentwalk.cli.demo.tour import TOUR
from latentwalk.cli.demo.training import train_directions
from latentwalk.cli.pull import FACES, publish, published
from latentwalk.cli.services import require
from latentwalk.client import Client


def demo(
    out: Annotated[Path, typer.Option(help="where the pictures go")] = Path("demo"),
    data: Annotated[Path, typer.Option(help="where the store, the jobs and the logs go")] = Path("data"),
    steps: Annotated[int, typer.Option(min=1, help="of training, for each direction")] = 250,
) -> None:
    """Steers a real face generator from end to end, and leaves pictures and numbers in --out."""
    # A plain SIGTERM would skip the clean-up: let it unwind the stack, as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    require("latentwalk.server", "all")
    require("latentwalk.trainer", "all")
    store = data / "store"
    if not published(store, FACES):
        typer.echo(f"fetching {FACES.requirement} from PyPI")
        publish(store, FACES)
    out.mkdir(parents=True, exist_ok=True)
    typer.echo("starting the server and the trainer")
    with running_services(data) as (server, trainer), Client(server, trainer_address=trainer) as client:
        jobs = asyncio.run(train_directions(server, trainer, FACES.name, steps))
        typer.echo("walking")
        draw_sheets(client, FACES.name, out)
        speed = asyncio.run(frames_per_second(server, FACES.name, next(iter(TOUR))))
        summary = Summary(client.model(FACES.name), jobs, speed)
    Path(out, "summary.json").write_text(json.dumps(summary.as_json(), indent=2) + "\n")
    summary.show(out)
