"""The generator and the directions that come with the package, for who has none yet.

Digits, trained by the jobs of this package on MNIST; each manifest says how. `make default-model` trains them again.
"""

from pathlib import Path

BUILTIN = Path(__file__).parent / "digits"
"""An artifact store. Nothing but `make default-model` writes there."""

USUAL = "data/store"


def store_url(said: str) -> str:
    """The artifact store that was said; else the usual one, if it is there; else what comes with the package."""
    return said or (USUAL if Path(USUAL).is_dir() else str(BUILTIN))
