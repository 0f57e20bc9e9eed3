"""How much is kept of jobs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Retention:
    """The newest are kept, so many."""

    events: int = 5_000
    """Of each job; and as many of its changes of state, however much else has happened since."""
    samples: int = 100
    """Of each job, among its events: they are large."""
    ended_jobs: int = 1_000
    """A job that has ended goes with its events and its folder."""
