"""Each peer in an environment of its own, as its users install it, around the torch that we use ourselves."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

REQUIREMENTS = {
    "pytriton": ("nvidia-pytriton==0.7.0", "numpy==1.26.4"),  # with numpy 2 its pictures are empty
    "ray": ("ray[serve]==2.60.0",),
    "mosec": ("mosec==0.9.8", "numpy==2.4.6"),
    "litserve": ("litserve==0.2.19", "numpy==2.4.6"),
}
ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".venv-peers"
INSTALL_SECONDS = 900


def python_of(peer: str) -> Path:
    """The interpreter of the peer's environment, which is made if it is not there. Raises CalledProcessError."""
    folder = FOLDER / peer
    python, ready = folder / "bin" / "python", folder / ".ready"
    wanted = "\n".join((*REQUIREMENTS[peer], *_shared()))
    if not ready.exists() or ready.read_text() != wanted:
        print(f"installing {', '.join(REQUIREMENTS[peer])} into {folder}", flush=True)
        _run(sys.executable, "-m", "venv", "--clear", str(folder))
        _run(str(python), "-m", "pip", "install", "-qq", *REQUIREMENTS[peer])
        _share(python)
        _run(str(python), "-c", "import torch, latentwalk.server.engine")
        ready.write_text(wanted)
    return python


def _shared() -> list[str]:
    """Where torch is, and where our own code is."""
    return [sysconfig.get_path("purelib"), *(str(ROOT / root) for root in (".", "protos", "core", "server"))]


def _share(python: Path) -> None:
    """Lets the environment find these after all that is its own: torch is 5 GB, and must be the same for all."""
    where = subprocess.check_output([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True)
    (Path(where.strip()) / "shared.pth").write_text("\n".join(_shared()) + "\n")


def _run(*command: str) -> None:
    # Our own pins are not the peer's.
    environment = {name: value for name, value in os.environ.items() if name not in ("PIP_CONSTRAINT", "PYTHONPATH")}
    subprocess.run(command, check=True, timeout=INSTALL_SECONDS, env=environment)
