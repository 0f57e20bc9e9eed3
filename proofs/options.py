"""What every proof is told."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Options:
    """Where data are, where work is kept, and how much of it there is to be."""

    data: Path
    """The data folder, with MNIST in torchvision's layout."""
    work: Path
    """Where the trainer keeps its jobs and its store: a proof that is broken off goes on from there."""
    share: float
    """Of the steps of every training: less than 1 for a quick look, in which claims may be missed."""
    names: tuple[str, ...] = ()
    """The proofs that were asked for; none means all."""

    def steps(self, full: int) -> int:
        """So many steps, of those of the full form."""
        return max(1, round(full * self.share))


def read_options(program: str, arguments: Sequence[str], scripts: Sequence[str] = ()) -> Options:
    """Read the command line; ``scripts`` are the names that may stand on it."""
    parser = argparse.ArgumentParser(program)
    if scripts:
        parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(scripts)} (default: all)")
    parser.add_argument("--data", required=True, type=_data_folder, help="a folder with MNIST/raw in it")
    parser.add_argument("--work", default=Path("data/proofs"), type=Path, help="where jobs are kept")
    parser.add_argument("--share", default=1.0, type=float, help="of the training steps; below 1 for a quick look")
    read = parser.parse_args(arguments)
    names = tuple(read.names) if scripts else ()
    if unknown := [name for name in names if name not in scripts]:
        parser.error(f"no proof {', '.join(unknown)}; there are: {', '.join(scripts)}")
    return Options(read.data, read.work, read.share, names)


def _data_folder(path: str) -> Path:
    """The folder, or a refusal that says what is needed in it."""
    folder = Path(path)
    if not (folder / "MNIST" / "raw").is_dir():
        raise argparse.ArgumentTypeError(f"there is no MNIST/raw in {folder}")
    return folder
