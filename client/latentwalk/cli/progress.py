"""What takes long as live progress bars on stderr."""

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from datetime import timedelta

from rich.console import RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from latentwalk.cli.output import errors
from latentwalk.client import JobEvent, JobMessage, JobProgress, JobSample, JobStateChange


def job_bars() -> Progress:
    """Bars for jobs; use it in a `with` statement. Without a terminal only the last state is printed."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        console=errors,
    )


class _Counting(Progress):
    """A bar that asks how far it has come whenever it is drawn, and goes at the end; none without a terminal."""

    def __init__(self, come: Callable[[], int]) -> None:
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        super().__init__(*columns, console=errors, transient=True, disable=not errors.is_terminal)
        self._come = come

    def get_renderables(self) -> Iterable[RenderableType]:
        """What is drawn."""
        for task in self.tasks:
            self.update(task.id, completed=self._come())
        return super().get_renderables()


@contextmanager
def counting(come: Callable[[], int], total: int, name: str) -> Generator[Progress]:
    """Shows how many have come, of a total, while something else has them come."""
    with _Counting(come) as bars:
        bars.add_task(name, total=total)
        yield bars


def add_bar(bars: Progress, name: str) -> TaskID:
    """One more bar, for a job of which nothing is known yet."""
    return bars.add_task(name, total=None, note="")


def show_event(bars: Progress, bar: TaskID, event: JobEvent) -> None:
    """Moves a bar along with an event of its job."""
    match event.what:
        case JobProgress() as progress:
            bars.update(bar, completed=progress.step, total=progress.steps, note=_note(progress))
        case JobStateChange(state, reason):
            bars.update(bar, note=f"{state} {reason}".strip())
        case JobMessage(text):
            bars.console.print(text, markup=False, highlight=False)
        case JobSample(step, caption):
            bars.console.print(f"sample of step {step}: {caption}", markup=False, highlight=False)


def _note(progress: JobProgress) -> str:
    loss = None if progress.loss is None else f"loss {progress.loss:.4f}"
    left = show_left(progress)
    return ", ".join(part for part in (loss, left and f"{left} left") if part)


def show_left(progress: JobProgress) -> str:
    """What is left of a job, "1:02:03"; empty before it can be told."""
    if progress.remaining is None:
        return ""
    return str(timedelta(seconds=round(progress.remaining.total_seconds())))
