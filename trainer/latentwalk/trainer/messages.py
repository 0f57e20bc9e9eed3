"""Jobs and events as messages of the wire."""

from base64 import b64decode
from collections.abc import Mapping

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from latentwalk.trainer.jobs.records import Event, Job
from latentwalk.trainer.reports import Message, Progress, Result, Sample, StateChange
from latentwalk.trainer.specs import AnyJobSpec, Unreadable
from latentwalk.trainer.validation import STATES
from latentwalk.trainer.wire import write_settings
from latentwalk.v1 import artifact_pb2
from latentwalk.v1 import training_service_pb2 as pb

_STATES = {state: number for number, state in STATES.items()}
_KINDS: Mapping[str, artifact_pb2.ArtifactKind.ValueType] = {
    "generators": artifact_pb2.ARTIFACT_KIND_GENERATOR,
    "directions": artifact_pb2.ARTIFACT_KIND_DIRECTION,
    "classifiers": artifact_pb2.ARTIFACT_KIND_CLASSIFIER,
}


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
        device=job.device,
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
        case Sample(step, caption, png):
            message.sample.CopyFrom(pb.JobSample(step=step, caption=caption, png=b64decode(png)))
    return message


def _spec(spec: AnyJobSpec) -> pb.JobSpec:
    message = pb.JobSpec(
        model=spec.model,
        model_version=str(spec.model_version) if spec.model_version else "",
        direction=spec.direction,
        seed=spec.seed,
        checkpoint_every=spec.checkpoint_every,
        priority=spec.priority,
    )
    if not isinstance(spec.settings, Unreadable):
        settings = getattr(message, spec.method)
        settings.SetInParent()
        write_settings(spec.settings, settings)
    return message


def _progress(progress: Progress) -> pb.JobProgress:
    return pb.JobProgress(
        step=progress.step,
        steps=progress.steps,
        loss=progress.loss,
        elapsed=_duration(progress.elapsed),
        remaining=_duration(progress.remaining),
        terms=progress.terms,
    )


def _result(result: Result) -> pb.JobResult:
    return pb.JobResult(
        artifacts=[
            pb.PublishedArtifact(
                kind=_KINDS[one.kind],
                name=one.name,
                version=str(one.version),
                loaded=one.loaded,
                load_error=one.load_error,
            )
            for one in result.artifacts
        ],
        generator_digest=result.generator_digest,
        evaluations=[
            pb.SliderEvaluation(slider=one.slider, error=one.error, baseline=one.baseline) for one in result.evaluations
        ],
        measures=result.measures,
        data_digests=result.data,
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
