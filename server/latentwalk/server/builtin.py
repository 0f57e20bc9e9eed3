"""The generator and the directions that come with the package, for who has none yet.

Digits, trained by the jobs of this package on MNIST; each manifest says how. `make default-model` trains them again.
"""

import logging
from pathlib import Path

from latentwalk.gan.artifacts import ArtifactStore, Kind

BUILTIN = Path(__file__).parent / "digits"
"""An artifact store. Nothing but `make default-model` writes there."""

USUAL = "data/store"
"""Where the trainer publishes, too, when it is told nothing else."""

# The generators come last: a copy that was broken off is begun again while there is none.
_KINDS: tuple[Kind, ...] = ("directions", "generators")

_log = logging.getLogger("latentwalk.server")


def open_store(said: str) -> ArtifactStore:
    """The artifact store that was said; else the usual one, which begins with what comes with the package.

    So a trainer beside the server finds the digits, and the server what the trainer publishes. Where nothing can be
    written, what comes with the package is served from where it lies. Raises GanError for a URL that cannot be opened.
    """
    if said:
        return _said(said)
    store, builtin = ArtifactStore(USUAL), ArtifactStore(str(BUILTIN))
    if store.list("generators"):
        return store
    try:
        _copy(builtin, store)
    except OSError as error:
        _log.warning("%s cannot be written, so what is published there is not served: %s", USUAL, error)
        return builtin
    return store


def _said(url: str) -> ArtifactStore:
    """What may well be filled later, by a trainer, but may also be a slip of the pen."""
    store = ArtifactStore(url)
    if not store.list("generators"):
        _log.warning(
            "there is no generator in the store %s: nothing is served; give another with --store, or publish one there "
            "and load it (latentwalk models load)",
            store.path,
        )
    return store


def _copy(source: ArtifactStore, target: ArtifactStore) -> None:
    for kind in _KINDS:
        for ref in source.list(kind):
            if not target.versions(kind, ref.name):
                artifact = source.get(kind, ref.name, ref.version)
                told = {key: artifact.manifest[key] for key in ("body", "provenance", "created")}
                target.put(kind, ref.name, tensors=artifact.tensors, **told)
