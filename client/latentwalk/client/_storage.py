"""The verbs about what lies in the artifact store of a server."""

from collections.abc import Generator, Iterator, Mapping
from dataclasses import replace
from typing import Any

from latentwalk.client import _rpcs as rpcs
from latentwalk.client import _training as training
from latentwalk.client._artifacts import ARTIFACT_KIND_NUMBERS, ArtifactKind, StoredVersion
from latentwalk.client._calls import UnaryCall
from latentwalk.client._choices import chosen
from latentwalk.client._errors import ArtifactInUse, NoTrainer, Unavailable
from latentwalk.client._job_events import JobState
from latentwalk.client._jobs import Job, JobPage
from latentwalk.client._numbers import whole
from latentwalk.client._options import NOT_SAID, Timeout
from latentwalk.client._values import switch, text
from latentwalk.v1 import model_service_pb2 as pb

_WITHOUT_TRAINER = "if no trainer works with this store, say ask_trainer=False (--no-trainer)"
_LIVE = (JobState.QUEUED, JobState.RUNNING, JobState.PAUSED)


def versions(
    kind: ArtifactKind | str | None = None, name: str = "", *, timeout: Timeout = NOT_SAID
) -> UnaryCall[pb.ListVersionsResponse, tuple[StoredVersion, ...]]:
    """Lists every version in the server's artifact store, with its size and its date.

    kind: only "generator", "direction" or "classifier". name: only of this name; of directions "model/direction", or
    "model" for all of one model.
    """
    request = pb.ListVersionsRequest(name=text("name", name))
    if kind is not None:
        request.kind = chosen("kind", kind, ARTIFACT_KIND_NUMBERS)
    return UnaryCall(rpcs.LIST_VERSIONS, request, _versions, timeout)


def delete_version(
    kind: ArtifactKind | str, name: str, version: int | str, *, ask_trainer: bool = True
) -> Generator[UnaryCall[Any, Any], Any, StoredVersion]:
    """Deletes a version from the server's artifact store, for ever, and says what it was. Takes the role of an admin.

    ArtifactInUse, and nothing is deleted, if the server serves it, if it is a generator that directions in the store
    belong to, or if a job that is queued, running or paused needs it. Other servers of the store are not asked: they go
    on with what they have loaded, and could not load it again.

    name: of a direction "model/direction".
    ask_trainer: look through the trainer's jobs; NoTrainer without one. False if no trainer works with this store.
    """
    number, asked = chosen("kind", kind, ARTIFACT_KIND_NUMBERS), text("name", name)
    request = pb.DeleteVersionRequest(kind=number, name=asked, version=str(whole("version", _number(version), low=1)))
    if switch("ask_trainer", ask_trainer):
        try:
            live = yield from _live_jobs()
        except NoTrainer as error:
            raise NoTrainer(f"{error}; {_WITHOUT_TRAINER}") from error
        except Unavailable as error:
            raise Unavailable(replace(error.failure, message=f"{error}; {_WITHOUT_TRAINER}")) from error
        if needing := [job.id for job in live if _needs(job, kind, asked, request.version)]:
            jobs = ", ".join(needing)
            raise ArtifactInUse.of(f"version {request.version} of {kind} {asked!r} is needed by jobs: {jobs}")
    return (yield UnaryCall(rpcs.DELETE_VERSION, request, lambda reply: StoredVersion.from_message(reply.deleted)))


def _number(version: int | str) -> Any:
    return int(version) if isinstance(version, str) and version.isdecimal() and version.isascii() else version


def _live_jobs() -> Generator[UnaryCall[Any, Any], Any, list[Job]]:
    jobs, token = list[Job](), ""
    while True:
        page: JobPage = yield training.jobs(states=_LIVE, limit=1_000, page_token=token)
        jobs += page.jobs
        if not (token := page.next_page_token):
            return jobs


def _needs(job: Job, kind: str, name: str, version: str) -> bool:
    """Whether the spec of a job names this version: a trainer settles all of them when a job is created."""
    model, _, direction = name.partition("/")
    reference = f"{direction or model}@{version}"
    if kind == ArtifactKind.GENERATOR and (job.spec.model, job.spec.model_version) == (model, version):
        return True
    if kind == ArtifactKind.DIRECTION and job.spec.model != model:
        return False
    return reference in _texts(job.spec.settings)


def _texts(value: Any) -> Iterator[str]:
    """All texts within a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():  # pyright: ignore[reportUnknownVariableType] - of whatever kind
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:  # pyright: ignore[reportUnknownVariableType]
            yield from _texts(item)


def _versions(reply: pb.ListVersionsResponse) -> tuple[StoredVersion, ...]:
    return tuple(StoredVersion.from_message(stored) for stored in reply.versions)
