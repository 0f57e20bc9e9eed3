"""Trains the generator and the directions that the server ships: `python -m proofs.embedded_default --data FOLDER`.

The generator is that of the proof mnist_generator, and if that was run in the same work folder, the very same job. What
the jobs publish is copied, provenance and all, into the package; nothing else ever writes there.
"""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from latentwalk.client import Client, CustomEdit, EditTarget, JobHandle
from latentwalk.gan.artifacts import ArtifactRef, ArtifactStore
from latentwalk.server.builtin import BUILTIN
from proofs import mnist_generator
from proofs.options import Options, read_options
from proofs.workshop import request_id, workshop

MODEL = "digits"
STEPS, BATCH_SIZE = 500, 32
DISCOVERY_STEPS, DISCOVERY_RATE = 1_000, 0.001
MOST_BYTES = 6 * 2**20

STRETCH = CustomEdit("stretch_x", "affine", [[1, 0, 0], [0, 0, 0]], unit="ln x")
GLOBAL = {
    "rotate": EditTarget("rotate", -30, 30),
    "zoom": EditTarget("zoom", 0.6, 1.4),
    "shift_x": EditTarget("shift_x", -6, 6),
    "shift_y": EditTarget("shift_y", -6, 6),
}
OF_ONE_CLASS = {
    "lean_of_ones": (EditTarget("rotate", -30, 30), 1),
    "width_of_zeros": (EditTarget(STRETCH, -0.5, 0.5), 0),
}


def main(arguments: Sequence[str]) -> int:
    """Train, copy, and say what there is now. Exit status 1 if it is too large to ship."""
    options = read_options("python -m proofs.embedded_default", arguments)
    with workshop(options, mnist_generator.NAME) as shop:
        shop.finish(mnist_generator.ask(options, shop))
        shop.finish(*_directions(options, shop.client))
        size = _ship(shop.store, BUILTIN)
    print(f"{size / 2**20:.2f} MiB in {BUILTIN}, of at most {MOST_BYTES / 2**20:.0f}")
    return 0 if size <= MOST_BYTES else 1


def _directions(options: Options, client: Client) -> list[JobHandle]:
    steps, size = options.steps(STEPS), BATCH_SIZE
    jobs = [
        client.train_edit(MODEL, name, edits=edit, steps=steps, batch_size=size, request_id=request_id(name, options))
        for name, edit in GLOBAL.items()
    ]
    jobs += [
        client.train_edit(
            MODEL,
            name,
            edits=edit,
            classes=digit,
            steps=steps,
            batch_size=size,
            request_id=request_id(name, options),
        )
        for name, (edit, digit) in OF_ONE_CLASS.items()
    ]
    # More ink of the same digit is a thicker stroke.
    ink = client.train_boundary(MODEL, "thickness", attribute="luminance", request_id=request_id("thickness", options))
    main = client.train_pca(MODEL, "components", directions=2, request_id=request_id("components", options))
    return [*jobs, ink, main, *_found(options, client)]


def _found(options: Options, client: Client) -> list[JobHandle]:
    """Directions that nobody named: of all digits, and of each."""
    steps = options.steps(DISCOVERY_STEPS)
    found = client.train_discovery(
        MODEL,
        "found",
        directions=8,
        steps=steps,
        batch_size=BATCH_SIZE,
        learning_rate=DISCOVERY_RATE,
        request_id=request_id("found", options),
    )
    of_each = client.train_class_directions(
        MODEL,
        "of_each_digit",
        directions=2,
        steps=steps,
        batch_size=BATCH_SIZE,
        learning_rate=DISCOVERY_RATE,
        request_id=request_id("of_each_digit", options),
    )
    return [found, of_each]


def _ship(store: ArtifactStore, folder: Path) -> int:
    """Copy the newest version of each artifact as the only one; returns the bytes."""
    shutil.rmtree(folder, ignore_errors=True)
    shipped = ArtifactStore(str(folder))
    newest = {(ref.kind, ref.name): ref for kind in ("generators", "directions") for ref in store.list(kind)}
    for ref in newest.values():
        _copy(store, ref, shipped)
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _copy(store: ArtifactStore, ref: ArtifactRef, shipped: ArtifactStore) -> None:
    artifact = store.get(ref.kind, ref.name, ref.version)
    manifest = artifact.manifest
    shipped.put(
        ref.kind,
        ref.name,
        tensors=artifact.tensors,
        body=manifest["body"],
        provenance=manifest["provenance"],
        created=manifest["created"],
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
