"""The demo in numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from latentwalk.cli.demo.sheets import MOVING, SHEET, strip_name
from latentwalk.cli.demo.tour import TOUR
from latentwalk.cli.output import show_table
from latentwalk.client import Job, Model


@dataclass(frozen=True, slots=True)
class Summary:
    """What the demo did and measured."""

    model: Model
    jobs: Mapping[str, Job]
    """By direction."""
    frames_per_second: float

    def as_json(self) -> dict[str, Any]:
        """The summary as plain values; errors are masked mean squared ones on latents never trained on."""
        return {
            "model": {"name": self.model.name, "version": self.model.version, "digest": self.model.digest},
            "directions": {name: self._direction(name, job) for name, job in self.jobs.items()},
            "sheet": SHEET,
            "tour": MOVING,
            "frames_per_second": round(self.frames_per_second, 1),
        }

    def show(self, out: Path) -> None:
        """Prints the summary."""
        columns = ("direction", "trained", "error", "doing nothing", "better by", "strip")
        show_table(columns, (self._row(name, job) for name, job in self.jobs.items()))
        typer.echo(f"served {self.frames_per_second:.0f} frames per second: 8 walks of 16 raw frames at once")
        typer.echo(f"the strips are in {out}, beside one another in {out / SHEET}, and move in {out / MOVING}")
        typer.echo(f"the numbers are in {out / 'summary.json'}")

    def _direction(self, name: str, job: Job) -> dict[str, Any]:
        result = job.outcome()
        evaluation = result.evaluations[0]
        return {
            "job": job.id,
            "version": result.artifacts[0].version,
            "steps": job.progress.steps,
            "seconds": round(job.progress.elapsed.total_seconds(), 2),
            "error": evaluation.error,
            "doing_nothing": evaluation.baseline,
            "better_by": evaluation.gain,
            "amounts": [TOUR[name].low, TOUR[name].high],
            "strip": strip_name(name),
        }

    def _row(self, name: str, job: Job) -> tuple[object, ...]:
        evaluation = job.outcome().evaluations[0]
        return (
            name,
            f"{job.progress.elapsed.total_seconds():.0f} s",
            f"{evaluation.error:.4f}",
            f"{evaluation.baseline:.4f}",
            f"{evaluation.gain:.0%}",
            strip_name(name),
        )
