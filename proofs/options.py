"""What every proof is told."""

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

    def steps(self, full: int) -> int:
        """So many steps, of those of the full form."""
        return max(1, round(full * self.share))
