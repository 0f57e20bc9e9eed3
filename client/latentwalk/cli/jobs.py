"""`latentwalk jobs`: what the trainer does and did."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from latentwalk.cli import completing
from latentwalk.cli.connection import connect
from latentwalk.cli.output import Json, show_age, show_json, show_table, show_time
from latentwalk.cli.progress import add_bar, job_bars, show_event, show_left
from latentwalk.client import (
    Client,
    Job,
    JobEvent,
    JobHandle,
    JobResult,
    JobSample,
    JobState,
    PublishedArtifact,
    SliderLimits,
)

app = typer.Typer(no_args_is_help=True, help="Lists, watches and steers the jobs of the trainer.")

_MOST_SHOWN = 20
"""Numbers of one setting; --json tells all."""

JobId = Annotated[str, typer.Argument(metavar="JOB", autocompletion=completing.jobs, help="the job's id")]


class KnownState(StrEnum):
    """The states that jobs can be asked for by: all that the SDK knows."""

    QUEUED = JobState.QUEUED.value
    RUNNING = JobState.RUNNING.value
    SUCCEEDED = JobState.SUCCEEDED.value
    FAILED = JobState.FAILED.value
    CANCELLED = JobState.CANCELLED.value
    PAUSED = JobState.PAUSED.value


@app.command("list")
def list_jobs(
    context: typer.Context,
    state: Annotated[list[KnownState] | None, typer.Option(help="only jobs in this state; repeatable")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="at most so many")] = 20,
    as_json: Json = False,
) -> None:
    """Lists jobs, newest first."""
    with connect(context) as client:
        jobs = list(islice(_listed(client, [JobState(one) for one in state or ()], limit), limit))
    if as_json:
        show_json(jobs)
    else:
        now = datetime.now(UTC)
        show_table(("id", "state", "age", "job"), (_row(job, now) for job in jobs))


@app.command()
def show(context: typer.Context, job: JobId, as_json: Json = False) -> None:
    """Describes one job."""
    with connect(context) as client:
        described = client.job(job).describe()
    if as_json:
        show_json(described)
        return
    show_table(("", ""), _facts(described))
    if described.result:
        show_result(described.result)


@app.command()
def watch(
    context: typer.Context,
    job: JobId,
    after: Annotated[int, typer.Option(min=0, help="only events after this one")] = 0,
    samples: Annotated[Path | None, typer.Option(metavar="FOLDER", help="where to save sheets of samples")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object a line for each event")] = False,
) -> None:
    """Follows a job until it has ended. Ctrl-C stops watching, not the job."""
    with connect(context) as client:
        watch_job(client.job(job), after, as_json, samples)


@app.command()
def cancel(context: typer.Context, job: JobId, as_json: Json = False) -> None:
    """Stops a job and keeps its checkpoint."""
    with connect(context) as client:
        _show_state(client.job(job).cancel(), as_json)


@app.command()
def pause(context: typer.Context, job: JobId, as_json: Json = False) -> None:
    """Sets a job aside, with its checkpoint and its place in line."""
    with connect(context) as client:
        _show_state(client.job(job).pause(), as_json)


@app.command()
def resume(context: typer.Context, job: JobId, as_json: Json = False) -> None:
    """Queues a paused, cancelled or failed job again, from its last checkpoint."""
    with connect(context) as client:
        _show_state(client.job(job).resume(), as_json)


@app.command()
def delete(context: typer.Context, job: JobId, as_json: Json = False) -> None:
    """Forgets a job that has ended; what it published stays."""
    with connect(context) as client:
        client.job(job).delete()
    if as_json:
        show_json({"deleted": job})
    else:
        typer.echo(f"{job}: deleted")


def _show_state(job: Job, as_json: bool) -> None:
    if as_json:
        show_json(job)
    else:
        typer.echo(f"{job.id}: {job.state}")


def watch_job(handle: JobHandle, after: int, as_json: bool, samples: Path | None = None) -> None:
    """Shows a job until it has ended, and saves its samples into a folder; JobFailed if it has no result."""
    if samples is not None:
        samples.mkdir(parents=True, exist_ok=True)
    try:
        (_write_events if as_json else _draw_events)(handle, after, samples)
        result = handle.result()
    except KeyboardInterrupt:
        typer.echo(f"the job goes on: latentwalk jobs watch {handle.id}", err=True)
        raise
    if not as_json:
        show_result(result)


def _write_events(handle: JobHandle, after: int, samples: Path | None) -> None:
    for event in handle.watch(after=after):
        _save_sample(event, samples)
        show_json({"sequence": event.sequence, "time": event.time, type(event.what).__name__: event.what})


def _draw_events(handle: JobHandle, after: int, samples: Path | None) -> None:
    handle.describe()  # before the bar: a job that is not there needs none
    with job_bars() as bars:
        bar = add_bar(bars, handle.id)
        for event in handle.watch(after=after):
            _save_sample(event, samples)
            if event.sequence > after + 1:
                first, last = after + 1, event.sequence - 1
                gone = f"event {first} is" if first == last else f"events {first} to {last} are"
                bars.console.print(f"{gone} no longer kept", highlight=False)
            after = event.sequence
            show_event(bars, bar, event)


def _save_sample(event: JobEvent, folder: Path | None) -> None:
    if folder is not None and isinstance(event.what, JobSample):
        event.what.save(folder / f"step-{event.what.step:09d}.png")


def show_result(result: JobResult) -> None:
    """Prints what a job has published, and how good it is."""
    for one in result.artifacts:
        typer.echo(f"published {one.kind} {one.name} version {one.version}; {_loading(one)}")
    if result.evaluations:
        rows = ((e.slider, f"{e.error:.5f}", f"{e.baseline:.5f}", f"{e.gain:.0%}") for e in result.evaluations)
        show_table(("slider", "error", "doing nothing", "better by"), rows)
    for part, digest in result.data_digests.items():
        typer.echo(f"read {part} pictures {digest}")
    others = {name: one for name, one in result.measures.items() if not name.startswith(("limits.", "truncation."))}
    if others:
        show_table(("measure", "value"), ((name, f"{value:.4g}") for name, value in others.items()))
    if result.truncations:
        _show_truncations(result.truncations, others)
    for slider, limits in result.limits.items():
        _show_limits(slider, limits)


def _show_truncations(truncations: Mapping[str, Mapping[str, float]], whole: Mapping[str, float]) -> None:
    """Prints what was measured under each truncation, and above it the same without any."""
    whats = list(dict.fromkeys(what for told in truncations.values() for what in told))
    rows = {"none": whole, **truncations}
    show_table(
        ("truncation", *whats), ((name, *(_short(told.get(what)) for what in whats)) for name, told in rows.items())
    )


def _show_limits(slider: str, limits: SliderLimits) -> None:
    """Prints how far a slider can go, and what was measured on the way, an alpha a column."""
    typer.echo("")
    for what, (low, high) in limits.ranges.items():
        typer.echo(f"{slider}: {what} from {low:.4g} to {high:.4g}")
    whats = dict.fromkeys(what for rung in limits.rungs.values() for what in rung)
    rows = ((what, *(_short(rung.get(what)) for rung in limits.rungs.values())) for what in whats)
    show_table((slider, *(f"{alpha:+.4g}" for alpha in limits.rungs)), rows)
    if limits.real:
        columns = list(dict.fromkeys(what for of in limits.real.values() for what in of))
        show_table(
            (f"{slider}, and real pictures", *columns),
            ((name, *(_short(of.get(what)) for what in columns)) for name, of in limits.real.items()),
        )


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def _loading(published: PublishedArtifact) -> str:
    if published.loaded:
        return "the server has loaded it"
    return f"not loaded by the server: {published.load_error}" if published.load_error else "no server was told"


def _listed(client: Client, states: Sequence[JobState], limit: int) -> Iterator[Job]:
    """Jobs, newest first, page after page: one page has fewer where they are large."""
    token = None
    while token != "":
        page = client.jobs(states=states, limit=limit, page_token=token or "")
        yield from page
        token = page.next_page_token


def _row(job: Job, now: datetime) -> tuple[object, ...]:
    spec, progress = job.spec, job.progress
    left = show_left(progress) if job.state is JobState.RUNNING else ""
    loss = None if progress.loss is None else f"loss {progress.loss:.4g}"
    name = "/".join(part for part in (spec.model, spec.direction) if part)
    told = f"{spec.method} {name}", f"{progress.step}/{progress.steps}", loss, left and f"{left} left"
    age = show_age(now - job.create_time) if job.create_time else ""
    return job.id, job.state, age, ", ".join(part for part in told if part)


def _facts(job: Job) -> list[tuple[str, object]]:
    spec, progress = job.spec, job.progress
    return [
        ("id", job.id),
        ("state", f"{job.state} {job.error}".strip()),
        ("model", f"{spec.model} {spec.model_version}".strip()),
        ("direction", spec.direction),
        ("method", spec.method),
        *((f"  {name}", value) for name, value in _flat(spec.settings)),
        ("seed", spec.seed),
        ("checkpoint every", f"{spec.checkpoint_every} steps"),
        ("priority", spec.priority),
        ("device", job.device),
        ("step", f"{progress.step} of {progress.steps}"),
        ("loss", "" if progress.loss is None else f"{progress.loss:.5f}"),
        *((f"  {name}", f"{value:.5f}") for name, value in progress.terms.items()),
        ("left", show_left(progress)),
        ("trained", f"{progress.elapsed.total_seconds():.1f} s"),
        ("created", show_time(job.create_time)),
        ("ended", show_time(job.end_time)),
    ]


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Settings one by one, as an error names them: "gan.loss", "edits[0].amount_low"; numbers together in one line, the
    first of very many.
    """
    for name, value in settings.items():
        parts = [(f"{prefix}{name}", value)]
        if isinstance(value, list) and any(isinstance(one, dict) for one in value):
            parts = [(f"{prefix}{name}[{index}]", one) for index, one in enumerate(value)]
        for place, part in parts:
            if isinstance(part, dict):
                yield from _flat(part, f"{place}.")
            else:
                yield place, _in_words(part)


def _in_words(value: Any) -> object:
    """A setting as a cell of a table."""
    if isinstance(value, bytes):
        return f"{len(value):,} bytes"
    if not isinstance(value, list):
        return value
    more = f", ... {len(value):,} in all" if len(value) > _MOST_SHOWN else ""
    return ", ".join(map(str, value[:_MOST_SHOWN])) + more
