"""`latentwalk`: puts the commands together."""

from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from latentwalk.cli import (
    directions,
    figure,
    inverting,
    jobs,
    models,
    moving,
    pictures,
    pull,
    services,
    store,
    style_figures,
    train,
    train_discovery,
    train_evaluation,
    train_gans,
)
from latentwalk.cli.connection import (
    DEFAULT_SERVER,
    DEFAULT_TRAINER,
    ConnectedCommands,
    Target,
    choose_tls,
    pem_file,
)
from latentwalk.cli.demo import command as demo
from latentwalk.cli.look import command as look

app = typer.Typer(
    cls=ConnectedCommands,
    name="latentwalk",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

training = typer.Typer(no_args_is_help=True, help="Trains, and follows the job. Ctrl-C stops watching, not the job.")


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"latentwalk {version('latentwalk')}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    server: Annotated[
        str, typer.Option(envvar="LATENTWALK_SERVER", help="host[:port] of the server; port 50051 unless told")
    ] = DEFAULT_SERVER,
    trainer: Annotated[
        str, typer.Option(envvar="LATENTWALK_TRAINER", help="host[:port] of the trainer; port 50052 unless told")
    ] = DEFAULT_TRAINER,
    token: Annotated[str | None, typer.Option(envvar="LATENTWALK_TOKEN", help="bearer token", show_envvar=True)] = None,
    tls: Annotated[bool, typer.Option("--tls", help="TLS, with the system's root certificates")] = False,
    tls_root: Annotated[Path | None, pem_file("root certificates other than the system's; turns TLS on")] = None,
    tls_certificate: Annotated[Path | None, pem_file("a certificate to show when asked; turns TLS on")] = None,
    tls_key: Annotated[Path | None, pem_file("its key")] = None,
    _: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Steers image generators through their latent space."""
    context.obj = Target(server, trainer, token, choose_tls(tls, tls_root, tls_certificate, tls_key))


app.add_typer(models.app, name="models")
directions.app.command()(figure.figure)
app.add_typer(directions.app, name="directions")
app.add_typer(style_figures.app, name="figure")
app.add_typer(store.app, name="store")
app.command()(pictures.generate)
app.command()(moving.walk)
app.command()(moving.interpolate)
app.command()(inverting.invert)
app.command()(look.look)
for command in (
    *(train.edit, train_discovery.discover, train_discovery.class_directions, train.boundary, train.sefa, train.pca),
    *(train_gans.gan, train_gans.joint, train_gans.classifier, train_evaluation.evaluation),
):
    training.command()(command)
app.add_typer(training, name="train")
app.add_typer(jobs.app, name="jobs")
app.command(**services.PASS_THROUGH)(services.serve)
app.command(**services.PASS_THROUGH)(services.trainer)
app.command("import", **services.PASS_THROUGH)(services.import_generator)
app.command("import-direction", **services.PASS_THROUGH)(services.import_direction)
app.add_typer(pull.app, name="pull")
app.command()(demo.demo)
