"""`latentwalk models`: what the server holds."""

from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from latentwalk.cli import completing
from latentwalk.cli.connection import Everywhere, answers, connect
from latentwalk.cli.output import Json, show_digest, show_json, show_table
from latentwalk.client import Direction, Model

app = typer.Typer(no_args_is_help=True, help="Lists, shows, loads and unloads models.")

Name = Annotated[str, typer.Argument(metavar="MODEL", autocompletion=completing.models, help="the model's name")]


@app.command("list")
def list_models(context: typer.Context, as_json: Json = False) -> None:
    """Lists the models that are loaded or could be."""
    with connect(context) as client:
        models = client.models()
    if as_json:
        show_json(models)
    else:
        show_table(("name", "version", "state", "family", "size", "classes", "digest"), map(_row, models))


@app.command()
def show(context: typer.Context, name: Name, as_json: Json = False) -> None:
    """Describes one model: what it draws, from which latents, and along which directions."""
    with connect(context) as client:
        model, directions = client.model(name), client.directions(name)
    if as_json:
        show_json(model)
    else:
        show_table(("", ""), ((what, told) for what, told in _facts(model, directions) if told))


@app.command()
def load(
    context: typer.Context,
    name: Name,
    version: Annotated[str, typer.Option(help="default: the newest")] = "",
    everywhere: Everywhere = False,
    as_json: Json = False,
) -> None:
    """Loads a version of a model and swaps it in."""
    for told in answers(context, everywhere, lambda client: client.load_model(name, version=version)):
        loaded = told.answer
        if as_json:
            show_json(told.document(loaded))
            continue
        typer.echo(f"{name} version {loaded.model.version} serves{told.place}")
        for direction in loaded.dropped_directions:
            typer.echo(f"direction {direction} belongs to another generator and is no longer loaded{told.place}")


@app.command()
def unload(context: typer.Context, name: Name, everywhere: Everywhere = False, as_json: Json = False) -> None:
    """Takes a model, and its directions, out of service."""
    for told in answers(context, everywhere, lambda client: client.unload_model(name)):
        if as_json:
            show_json(told.document({"unloaded": name}))
        else:
            typer.echo(f"{name} is no longer loaded{told.place}")


def _row(model: Model) -> tuple[object, ...]:
    digest = show_digest(model.digest)
    return model.name, model.version, model.state, _kind(model), _size(model), model.classes or "", digest


def _facts(model: Model, directions: Sequence[Direction]) -> Iterator[tuple[str, str]]:
    yield "name", model.name
    yield "state", model.state
    yield "version", f"{model.version} of {', '.join(model.versions)} in the store"
    yield "family", _kind(model)
    yield "pictures", _size(model)
    yield "classes", f"{model.classes}, 0 to {model.classes - 1}" if model.classes else ""
    sizes = {"z": model.latent_size, "w": model.w_size, "w+": model.w_size}
    yield "latents", ", ".join(f"{space} of {sizes[space]}" for space in model.spaces if space in sizes)
    yield "at once", f"{model.max_rows:,} latents, {model.max_frames:,} frames" if model.max_rows else ""
    yield "digest", model.digest
    yield "directions", ", ".join(one.name for one in directions)


def _size(model: Model) -> str:
    return f"{model.width}x{model.height}x{model.channels}" if model.width else ""


def _kind(model: Model) -> str:
    """The family, and what a caller must know of it beyond that it has a z: other spaces, layers, truncation."""
    if model.layers:
        return f"{model.family} with {', '.join(model.spaces)} of {model.layers} layers"
    if model.truncation is not None:
        return f"{model.family} at truncation {model.truncation:g}"
    return model.family
