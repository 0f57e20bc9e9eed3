"""Publishes what others have published, generators and directions, in an artifact store, offline."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from torch import Tensor

from latentwalk.gan.artifacts import ArtifactStore, load_generator, save_direction, save_generator
from latentwalk.gan.artifacts.manifest import describe
from latentwalk.gan.checkpoints import find_state_dict, find_tensor, read_checkpoint
from latentwalk.gan.directions import SHOWN
from latentwalk.gan.directions.published import Reading, published_direction, read_vectors
from latentwalk.gan.errors import CheckpointRefused, GanError
from latentwalk.gan.families import family_names, family_of
from latentwalk.gan.spec import LIMITS, SPACES

_AddParser: TypeAlias = Callable[..., argparse.ArgumentParser]
_Run: TypeAlias = Callable[[argparse.Namespace], dict[str, Any]]

# That of both services.
_STORE = "data/store"
_MOST_LAYERS = LIMITS["layers"][1]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command: prints the new artifact and its digest as JSON, or one line of error (status 2)."""
    options = _parser().parse_args(arguments)
    try:
        print(json.dumps(options.run(options)))
    except (GanError, OSError) as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 2
    return 0


def _import(options: argparse.Namespace) -> dict[str, Any]:
    """Publishes a foreign checkpoint as a generator."""
    tree = read_checkpoint(options.file)
    weights: Mapping[str, Tensor] = {}
    try:
        weights = find_state_dict(tree, options.key)
        generator = family_of(options.family).from_checkpoint(weights, options.classes, options.truncation)
    except GanError as failure:
        others = [name for name in family_names() if name != options.family and _is_of(name, weights, options.classes)]
        hint = f"; it is of --family {' or '.join(others)}" if others else ""
        raise CheckpointRefused(str(options.file), f"{failure}{hint}") from failure
    ref = save_generator(
        ArtifactStore(options.store),
        options.name,
        generator,
        provenance={"imported": _source(options)},
        created=_now(),
    )
    return {"kind": ref.kind, "name": ref.name, "version": ref.version, "digest": generator.digest}


def _import_direction(options: argparse.Namespace) -> dict[str, Any]:
    """Publishes a foreign array of vectors as a direction of a generator in the store."""
    tree, store = read_checkpoint(options.file), ArtifactStore(options.store)
    generator, owner = load_generator(store, options.generator, options.version)
    reading = Reading(options.space, options.layers, in_columns=options.columns, normalise=options.normalise)
    try:
        vectors = read_vectors(find_tensor(tree, options.key), generator.spec, reading)
    except GanError as failure:
        raise CheckpointRefused(str(options.file), str(failure)) from failure
    low, high = options.range
    direction = published_direction(options.name, generator.digest, vectors, sliders=options.sliders, shown=(low, high))
    source = {**_source(options), "normalised": options.normalise, "columns": options.columns}
    belongs = {"name": owner.name, "version": owner.version, "digest": generator.digest}
    provenance = {"method": "import", "imported": source, "generator": belongs}
    ref = save_direction(store, owner.name, direction, provenance=provenance, created=_now())
    return {
        "kind": ref.kind,
        "name": ref.name,
        "version": ref.version,
        "generator_digest": generator.digest,
        "space": direction.space,
        "sliders": [slider.name for slider in direction.sliders],
        "lengths_in_file": [round(float(end), 4) for end in vectors.lengths.aminmax()],
    }


def _source(options: argparse.Namespace) -> dict[str, str | None]:
    """What was imported, for its provenance."""
    sha256 = describe(options.file.read_bytes())["sha256"]
    return {"file": options.file.name, "sha256": sha256, "key": options.key}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _is_of(family: str, weights: Mapping[str, Tensor], classes: int) -> bool:
    """Whether the weights have the names and shapes of a family."""
    with suppress(GanError):
        family_of(family).infer_spec(family_of(family).translate(weights), classes)
        return True
    return False


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="latentwalk", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_import(commands.add_parser)
    _add_import_direction(commands.add_parser)
    return parser


def _add_import(add_parser: _AddParser) -> None:
    command = _command(
        add_parser, "import", _import, "the checkpoint: of torch.save, of safetensors, or of NVlabs (.pkl)"
    )
    command.add_argument("--family", required=True, choices=sorted(family_names()), help="what the weights are of")
    command.add_argument("--name", required=True, help="the name of the generator in the store")
    command.add_argument("--key", help="which weights to take if the checkpoint holds several")
    command.add_argument("--classes", type=int, default=0, metavar="N", help="inputs that are a class; default 0")
    command.add_argument("--truncation", type=float, metavar="T", help="above 0, up to 1; biggan_deep, default 1")


def _add_import_direction(add_parser: _AddParser) -> None:
    files = "the vectors: of numpy.save, safetensors or torch.save"
    command = _command(add_parser, "import-direction", _import_direction, files)
    add = command.add_argument
    add("--generator", required=True, metavar="NAME", help="whose direction it is; it is in the store")
    add("--version", type=int, metavar="N", help="of the generator; default: the newest")
    add("--name", required=True, help="the name of the direction in the store")
    add("--sliders", type=_names, default=(), metavar="NAMES", help="one a vector: smile,age; default: 0,1,...")
    shown = "alphas that are shown; requests may go twice as far; default: -3 3"
    add("--range", type=float, nargs=2, default=SHOWN, metavar=("LOW", "HIGH"), help=shown)
    add("--key", help="which tensor to take if the file holds several")
    add("--space", default="", choices=SPACES, help="default: the only one that the shape fits")
    add("--layers", type=_layers, default=(), metavar="LAYERS", help="of w+ only these, e.g. 0-3,6; default: all")
    add("--normalise", action="store_true", help="bring every vector to length 1; default: as it is")
    add("--columns", action="store_true", help="each column is a vector; default: each row")


def _command(add_parser: _AddParser, name: str, run: _Run, file: str) -> argparse.ArgumentParser:
    command = add_parser(name, help=run.__doc__, description=run.__doc__)
    command.set_defaults(run=run)
    command.add_argument("file", metavar="FILE", type=Path, help=file)
    command.add_argument(
        "--store", default=_STORE, metavar="URL", help=f"a local path or any fsspec URL; default: {_STORE}"
    )
    return command


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def _layers(text: str) -> tuple[int, ...]:
    """Numbers and ranges, both ends included: "0-3,6"."""
    layers = set[int]()
    for part in text.split(","):
        first, _, last = part.partition("-")
        low, high = (int(end) if end.isdecimal() and len(end) < 4 else -1 for end in (first, last or first))
        if not 0 <= low <= high < _MOST_LAYERS:
            raise argparse.ArgumentTypeError(f"{part!r} is neither a layer below {_MOST_LAYERS} nor a range like 0-3")
        layers.update(range(low, high + 1))
    return tuple(sorted(layers))


if __name__ == "__main__":
    sys.exit(main())
