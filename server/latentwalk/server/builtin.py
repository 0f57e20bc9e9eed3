"""The generator and the directions that come with the package, for those who have none yet.

Digits, trained by the jobs of this package on MNIST; each manifest says how. `make default-model` trains them again.
"""

import logging
from pathlib import Path

from latentwalk.gan.artifacts import ArtifactStore, Kind

BUILTIN = Path(__file__).parent / "digits"
"""An artifact store. Nothing but `make default-model` writes there."""

DEFAULT_STORE = "data/store"
"""The trainer's default, too."""

# The generators come last: while there is none, a copy that was broken off is begun again.
_KINDS: tuple[Kind, ...] = ("directions", "generators")

_log = logging.getLogger("latentwalk.server")


def open_store(url: str) -> ArtifactStore:
    """The artifact store at this URL; if it is empty, the default one, which begins as a copy of the built-in store.

    So a trainer beside the server finds the digits, and the server what the trainer publishes. Where nothing can be
    written, the built-in store itself is served. Raises GanError for a URL that cannot be opened.
    """
    if url:
        return _open(url)
    store, builtin = ArtifactStore(DEFAULT_STORE), ArtifactStore(str(BUILTIN))
    if store.list("generators"):
        return store
    try:
        _copy(builtin, store)
    except OSError as error:
        _log.warning("%s cannot be written, so what is published there is not served: %s", DEFAULT_STORE, error)
        return builtin
    return store


def _open(url: str) -> ArtifactStore:
    """Warns of a store without generators: a trainer may fill it later, but the URL may also be a slip of the pen."""
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
                about = {key: artifact.manifest[key] for key in ("body", "provenance", "created")}
                target.put(kind, ref.name, tensors=artifact.tensors, **about)
