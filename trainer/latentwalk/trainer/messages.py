"""Jobs and events as messages of the wire."""

from collections.abc import Callable, Mapping

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from latentwalk.trainer.jobs.records import Event, Job
from latentwalk.trainer.reports import Message, Progress, Result, StateChange
from latentwalk.trainer.specs import EditDirectionSpec, JobSpec
from latentwalk.trainer.validation import STATES
from latentwalk.v1 import training_service_pb2 as pb

_STATES = {state: number for number, state in STATES.items()}


def job_message(job: Job) -> pb.Job:
    """All that callers may know of a job."""
    return pb.Job(
        id=job.id,
        spec=_spec(job.spec),
        state=_STATES[job.state],
        progress=_progress(job.progress),
        error=job.error,
        result=None if job.result is None else _result(job.result),
        create_time=_timestamp(job.create_time),
        start_time=_timestamp(job.start_time),
        end_time=_timestamp(job.end_time),
        last_sequence=job.last_sequence,
    )


def event_message(event: Event) -> pb.JobEvent:
    """One event."""
    message = pb.JobEvent(sequence=event.sequence, time=_timestamp(event.time))
    match event.happening:
        case StateChange(state, reason):
            message.state_change.CopyFrom(pb.JobStateChange(state=_STATES[state], reason=reason))
        case Progress() as progress:
            message.progress.CopyFrom(_progress(progress))
        case Message(text):
            message.message.CopyFrom(pb.JobMessage(text=text))
    return message


def _spec(spec: JobSpec) -> pb.JobSpec:
    message = pb.JobSpec(
        model=spec.model,
        model_version=str(spec.model_version),
        direction=spec.direction,
        seed=spec.seed,
        checkpoint_every=spec.checkpoint_every,
    )
    getattr(message, spec.method).CopyFrom(_SETTINGS[spec.method](spec.settings))
    return message


def _edit_direction(settings: EditDirectionSpec) -> pb.EditDirectionSpec:
    return pb.EditDirectionSpec(
        edits=[
            pb.EditTarget(edit=target.edit, amount_low=target.low, amount_high=target.high) for target in settings.edits
        ],
        steps=settings.steps,
        batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        evaluation_size=settings.evaluation_size,
    )


_SETTINGS: Mapping[str, Callable[[EditDirectionSpec], pb.EditDirectionSpec]] = {"edit_direction": _edit_direction}


def _progress(progress: Progress) -> pb.JobProgress:
    return pb.JobProgress(
        step=progress.step,
        steps=progress.steps,
        loss=progress.loss,
        elapsed=_duration(progress.elapsed),
        remaining=_duration(progress.remaining),
    )


def _result(result: Result) -> pb.JobResult:
    return pb.JobResult(
        direction=result.direction,
        direction_version=str(result.version),
        generator_digest=result.generator_digest,
        evaluations=[
            pb.SliderEvaluation(slider=one.slider, error=one.error, baseline=one.baseline) for one in result.evaluations
        ],
        loaded=result.loaded,
        load_error=result.load_error,
    )


def _timestamp(seconds: float | None) -> Timestamp | None:
    if seconds is None:
        return None
    timestamp = Timestamp()
    timestamp.FromMicroseconds(round(seconds * 1e6))
    return timestamp


def _duration(seconds: float | None) -> Duration | None:
    if seconds is None:
        return None
    duration = Duration()
    duration.FromMilliseconds(round(seconds * 1e3))
    return duration
