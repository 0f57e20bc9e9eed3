"""`latentwalk store`: what lies in the artifact store."""

from datetime import UTC, datetime
from typing import Annotated, Literal

import typer

from latentwalk.cli.connection import connect
from latentwalk.cli.output import Json, show_age, show_digest, show_json, show_table
from latentwalk.cli.parsing import Numbers, parse_numbers, write_numbers
from latentwalk.client import StoredVersion

app = typer.Typer(no_args_is_help=True, help="Lists and deletes versions in the server's artifact store.")

Kind = Literal["generator", "direction", "classifier"]


@app.command("list")
def list_versions(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="only of this name: MODEL, MODEL/DIRECTION or CLASSIFIER")] = "",
    kind: Annotated[Kind | None, typer.Option(help="only of this kind")] = None,
    as_json: Json = False,
) -> None:
    """Lists every version in the store, with its size and its age."""
    with connect(context) as client:
        versions = client.versions(kind, name)
    if as_json:
        show_json(versions)
    else:
        now = datetime.now(UTC)
        columns = ("name", "kind", "version", "size", "age", "loaded", "generator")
        show_table(columns, (_row(stored, now) for stored in versions))


@app.command()
def delete(
    context: typer.Context,
    kind: Annotated[Kind, typer.Argument(metavar="KIND", help="generator, direction or classifier")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="of a direction MODEL/DIRECTION")],
    versions: Annotated[Numbers, typer.Argument(parser=parse_numbers, metavar="VERSIONS", help="e.g. 3 or 1,2,5-8")],
    trainer: Annotated[bool, typer.Option(help="look through the trainer's jobs for those that need it")] = True,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask whether it is meant")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object a line for each version")] = False,
) -> None:
    """Deletes versions from the store, for ever; refused while they are served or needed."""
    if not yes:
        typer.confirm(f"Delete version {write_numbers(versions)} of {kind} {name} for ever?", abort=True, err=True)
    with connect(context) as client:
        for number in versions:
            deleted = client.delete_version(kind, name, number, ask_trainer=trainer)
            if as_json:
                show_json(deleted)
            else:
                typer.echo(f"{kind} {name} version {deleted.version} is deleted ({_size(deleted)})")


def _row(stored: StoredVersion, now: datetime) -> tuple[object, ...]:
    age = show_age(now - stored.create_time) if stored.create_time else ""
    about = stored.problem or show_digest(stored.generator_digest)
    loaded = "yes" if stored.loaded else ""
    return stored.name, stored.kind, stored.version, _size(stored), age, loaded, about


def _size(stored: StoredVersion) -> str:
    return f"{stored.size_bytes / 1e6:.3g} MB" if stored.size_bytes >= 100_000 else f"{stored.size_bytes / 1e3:.3g} kB"
