"""Where real pictures come from."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Data:
    """One of the two is said."""

    dataset: str = ""
    """A name in data.datasets.DATASETS."""
    folder: str = ""
    """A folder of pictures, within the trainer's data folder."""
