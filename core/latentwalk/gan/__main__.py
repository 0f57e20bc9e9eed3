"""Publishes a foreign checkpoint as a generator in an artifact store, offline."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from torch import Tensor

from latentwalk.gan.artifacts import ArtifactStore, save_generator
from latentwalk.gan.artifacts.manifest import describe
from latentwalk.gan.checkpoints import find_state_dict, read_checkpoint
from latentwalk.gan.errors import CheckpointRefused, GanError
from latentwalk.gan.families import FAMILIES, family_of


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command: prints the new artifact and its digest as JSON, or one line of error (status 2)."""
    options = _parser().parse_args(arguments)
    try:
        print(json.dumps(_import(options)))
    except (GanError, OSError) as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 2
    return 0


def _import(options: argparse.Namespace) -> dict[str, str | int]:
    tree = read_checkpoint(options.file)
    weights: Mapping[str, Tensor] = {}
    try:
        weights = find_state_dict(tree, options.key)
        generator = family_of(options.family).from_checkpoint(weights, options.classes, options.truncation)
    except GanError as failure:
        others = [name for name in FAMILIES if name != options.family and _is_of(name, weights, options.classes)]
        hint = f"; it is of --family {' or '.join(others)}" if others else ""
        raise CheckpointRefused(str(options.file), f"{failure}{hint}") from failure
    file = describe(options.file.read_bytes())
    ref = save_generator(
        ArtifactStore(options.store),
        options.name,
        generator,
        provenance={"imported": {"file": options.file.name, "sha256": file["sha256"], "key": options.key}},
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    return {"kind": ref.kind, "name": ref.name, "version": ref.version, "digest": generator.digest}


def _is_of(family: str, weights: Mapping[str, Tensor], classes: int) -> bool:
    """Whether the weights have the names and shapes of a family."""
    with suppress(GanError):
        family_of(family).infer_spec(family_of(family).translate(weights), classes)
        return True
    return False


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m latentwalk.gan")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("import", help=__doc__, description=__doc__)
    command.add_argument(
        "file", metavar="FILE", type=Path, help="the checkpoint: of torch.save, of safetensors, or of NVlabs (.pkl)"
    )
    command.add_argument("--family", required=True, choices=sorted(FAMILIES), help="what the weights are of")
    command.add_argument("--name", required=True, help="the name of the generator in the store")
    command.add_argument("--store", required=True, metavar="URL", help="a local path or any fsspec URL")
    command.add_argument("--key", help="which weights to take if the checkpoint holds several")
    command.add_argument("--classes", type=int, default=0, metavar="N", help="inputs that are a class; default 0")
    command.add_argument("--truncation", type=float, metavar="T", help="above 0, up to 1; biggan_deep, default 1")
    return parser


if __name__ == "__main__":
    sys.exit(main())
