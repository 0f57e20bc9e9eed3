"""The TrainingService over gRPC: what callers may ask for, and what they are told."""

import logging
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from grpc_status import rpc_status
from sqlalchemy import update

from latentwalk.rpc.logs import JsonLines
from latentwalk.trainer.assembly import main
from latentwalk.trainer.jobs.database import open_database
from latentwalk.trainer.jobs.records import Request
from latentwalk.trainer.jobs.store import JobStore
from latentwalk.trainer.jobs.tables import JobRow
from latentwalk.trainer.specs import spec_to_json
from latentwalk.v1 import training_service_pb2 as pb


def spec(steps=1_000_000, **changes):
    method = pb.EditDirectionSpec(edits=[pb.EditTarget(edit="brightness")], steps=steps, batch_size=1)
    return pb.JobSpec(**{"model": "tiny", "direction": "bright", "edit_direction": method} | changes)


@pytest.fixture
def trainer(make_settings, serve_trainer):
    """A trainer whose only slot is taken by a job without end, so that all others wait."""
    with serve_trainer(make_settings(concurrency=1, max_queued_jobs=5)) as trainer:
        job = trainer.create(spec())
        next(event for event in trainer.watch(job.id) if event.state_change.state == pb.JOB_STATE_RUNNING)
        yield trainer


def refusal(call, *arguments):
    """The status, the reason and the other details with which a call is refused."""
    with pytest.raises(grpc.RpcError) as refused:
        call(*arguments)
    status = rpc_status.from_call(refused.value)
    details = {}
    for packed in status.details:
        for kind in (ErrorInfo, BadRequest, RetryInfo):
            if packed.Is(kind.DESCRIPTOR):
                packed.Unpack(details.setdefault(kind, kind()))
    return refused.value.code(), details[ErrorInfo].reason, details


@pytest.fixture
def complaints(capsys):
    """The lines of standard error that are not logs; afterwards, nothing is logged to it any more."""
    yield lambda: [line for line in capsys.readouterr().err.splitlines() if line.startswith("latentwalk.trainer: ")]
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler.formatter, JsonLines)]:
        root.removeHandler(handler)


def test_many_callers_with_one_request_id_get_one_job(trainer):
    with ThreadPoolExecutor(8) as callers:
        jobs = list(callers.map(lambda _: trainer.create(spec(), "once"), range(16)))
    assert len({job.id for job in jobs}) == 1
    assert len(trainer.stub.ListJobs(pb.ListJobsRequest()).jobs) == 2
    code, reason, _ = refusal(trainer.create, spec(seed=1), "once")
    assert (code, reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")


def test_a_full_queue_is_refused_with_a_delay_but_a_repeated_request_is_answered(trainer):
    for number in range(5):
        trainer.create(spec(), f"request {number}")
    code, reason, details = refusal(trainer.create, spec())
    assert (code, reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "QUEUE_FULL")
    assert details[RetryInfo].retry_delay.seconds > 0
    assert trainer.create(spec(), "request 3").state == pb.JOB_STATE_QUEUED


def test_a_bad_spec_is_refused_by_field_and_nothing_is_queued(trainer):
    code, reason, details = refusal(trainer.create, spec(direction="Bright!"))
    assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")
    assert [violation.field for violation in details[BadRequest].field_violations] == ["spec.direction"]
    assert len(trainer.stub.ListJobs(pb.ListJobsRequest()).jobs) == 1


def test_an_unknown_model_or_job_is_not_found(trainer):
    code, reason, _ = refusal(trainer.create, spec(model="faces"))
    assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "UNKNOWN_MODEL")
    for call in (trainer.get, lambda job_id: list(trainer.watch(job_id))):
        code, reason, _ = refusal(call, "nobody")
        assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "UNKNOWN_JOB")


def test_a_damaged_model_is_a_failed_precondition_that_names_the_file(trainer, tmp_path):
    [weights] = (tmp_path / "store").glob("generators/tiny/1/*.safetensors")
    weights.write_bytes(b"damaged")
    code, reason, details = refusal(trainer.create, spec())
    assert (code, reason) == (grpc.StatusCode.FAILED_PRECONDITION, "CORRUPT_ARTIFACT")
    assert details[ErrorInfo].metadata["file"].endswith("weights.safetensors")


def test_jobs_are_listed_newest_first_page_by_page(trainer):
    waiting = [trainer.create(spec()).id for _ in range(4)]
    request = pb.ListJobsRequest(states=[pb.JOB_STATE_QUEUED], page_size=3)
    first = trainer.stub.ListJobs(request)
    request.page_token = first.next_page_token
    second = trainer.stub.ListJobs(request)
    assert [[job.id for job in page.jobs] for page in (first, second)] == [waiting[:0:-1], waiting[:1]]
    assert second.next_page_token == ""


def test_a_waiting_job_can_be_cancelled_resumed_and_at_last_deleted(trainer):
    job_id = trainer.create(spec()).id
    cancelled = trainer.stub.CancelJob(pb.CancelJobRequest(id=job_id)).job
    assert cancelled.state == pb.JOB_STATE_CANCELLED
    code, reason, _ = refusal(trainer.stub.CancelJob, pb.CancelJobRequest(id=job_id))
    assert (code, reason) == (grpc.StatusCode.FAILED_PRECONDITION, "JOB_STATE")
    assert trainer.stub.ResumeJob(pb.ResumeJobRequest(id=job_id)).job.state == pb.JOB_STATE_QUEUED
    code, reason, _ = refusal(trainer.stub.DeleteJob, pb.DeleteJobRequest(id=job_id))
    assert (code, reason) == (grpc.StatusCode.FAILED_PRECONDITION, "JOB_STATE")
    trainer.stub.CancelJob(pb.CancelJobRequest(id=job_id))
    assert [event.sequence for event in trainer.watch(job_id)] == [1, 2, 3, 4]
    trainer.stub.DeleteJob(pb.DeleteJobRequest(id=job_id))
    code, reason, _ = refusal(trainer.get, job_id)
    assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "UNKNOWN_JOB")


def test_what_a_caller_asks_for_and_does_not_wait_for_is_done(make_settings, serve_trainer, tmp_path):
    short = pb.JobSpec(model="tiny", direction="axes", sefa=pb.SefaSpec(directions=2))
    with serve_trainer(make_settings()) as trainer:

        def give_up(call, request):
            """Hangs up while the database is busy for somebody else."""
            with closing(sqlite3.connect(tmp_path / "trainer.db", isolation_level=None)) as holder:
                holder.execute("BEGIN IMMEDIATE")
                with pytest.raises(grpc.RpcError) as refused:
                    call(request, timeout=4)  # SQLite waits 5 s for the holder
            assert refused.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED

        give_up(trainer.stub.CreateJob, pb.CreateJobRequest(spec=short))
        while not (jobs := trainer.stub.ListJobs(pb.ListJobsRequest()).jobs):
            time.sleep(0.02)
        assert trainer.wait_for_end(jobs[0].id).state == pb.JOB_STATE_SUCCEEDED
        job_id = trainer.create(spec()).id
        trainer.stub.CancelJob(pb.CancelJobRequest(id=job_id))
        give_up(trainer.stub.ResumeJob, pb.ResumeJobRequest(id=job_id))
        trainer.wait_for_step(job_id, 1)
        trainer.stub.CancelJob(pb.CancelJobRequest(id=job_id))
        give_up(trainer.stub.DeleteJob, pb.DeleteJobRequest(id=job_id))
        while (tmp_path / "jobs" / job_id).exists():
            time.sleep(0.02)


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"method": "diffusion"}, "of method 'diffusion': an unknown method; resume it with"), ({"alpha": 1}, "'alpha'")],
)
def test_a_job_of_another_version_fails_and_hinders_no_other(
    make_settings, make_spec, serve_trainer, tmp_path, change, reason
):
    url = f"sqlite:///{tmp_path}/trainer.db"
    store = JobStore(url, max_queued=8)
    job_id = store.create(Request("", ""), make_spec()).id
    store.close()
    with open_database(url).begin() as connection:
        connection.execute(update(JobRow).values(spec=spec_to_json(make_spec()) | change))
    short = pb.JobSpec(model="tiny", direction="axes", sefa=pb.SefaSpec(directions=2))
    with serve_trainer(make_settings()) as trainer:
        failed = trainer.wait_for_end(job_id)
        assert (failed.state, failed.spec.model) == (pb.JOB_STATE_FAILED, "tiny")
        assert "this trainer cannot read the spec of the job" in failed.error
        assert reason in failed.error
        done = trainer.wait_for_end(trainer.create(short).id)
        assert done.state == pb.JOB_STATE_SUCCEEDED
        assert list(trainer.stub.ListJobs(pb.ListJobsRequest()).jobs) == [done, failed]


def test_cancelling_the_running_job_lets_the_next_one_run(trainer):
    [running] = trainer.stub.ListJobs(pb.ListJobsRequest()).jobs
    waiting = trainer.create(spec())
    trainer.stub.CancelJob(pb.CancelJobRequest(id=running.id))
    assert any(event.state_change.state == pb.JOB_STATE_RUNNING for event in trainer.watch(waiting.id))


def test_two_trainers_on_one_port_in_one_folder_or_with_one_database_are_a_clear_error(trainer, complaints, tmp_path):
    own = ["--database", f"sqlite:///{tmp_path}/other.db", "--metrics-address", ""]
    assert main(["--address", trainer.address, "--folder", str(tmp_path / "other"), *own]) == 1
    assert main(["--address", "127.0.0.1:0", "--folder", str(tmp_path / "jobs"), *own]) == 1
    shared = ["--database", f"sqlite:///{tmp_path}/trainer.db", "--metrics-address", ""]
    assert main(["--address", "127.0.0.1:0", "--folder", str(tmp_path / "other"), *shared]) == 1
    port, folder, database = complaints()
    assert trainer.address in port
    assert f"folder {tmp_path}/jobs is in use by another trainer" in folder
    assert f"job database sqlite:///{tmp_path}/trainer.db is in use by another trainer: give each its own" in database


def test_settings_that_cannot_be_used_are_one_line(complaints, tmp_path):
    assert main(["--concurrency", "0"]) == 1
    assert main(["--database", "nonsense", "--folder", str(tmp_path)]) == 1
    assert main(["--database", "sqlite:////dev/null/trainer.db", "--folder", str(tmp_path)]) == 1
    assert main(["--tls-key", "key.pem"]) == 1
    assert main(["--devices", "cuda:99"]) == 1
    assert main(["--store", "nofs://store", "--folder", str(tmp_path)]) == 1
    assert main(["--folder", "/dev/null/jobs"]) == 1
    assert main(["--server-token", str(tmp_path / "nowhere")]) == 1
    assert main(["--server-certificate", str(tmp_path / "nowhere")]) == 1
    concurrency, url, file, tls, devices, store, folder, token, root = complaints()
    assert "concurrency" in concurrency
    assert "give sqlite:///FILE or postgresql://" in url
    assert "/dev/null" in file
    assert "tls_certificate" in tls
    assert "no 'cuda:99' here" in devices
    assert "artifact store 'nofs://store' cannot be opened" in store
    assert "folder = '/dev/null/jobs': jobs cannot be kept there" in folder
    for name, told in (("server_token", token), ("server_certificate", root)):
        assert f"{name} cannot be used" in told
        assert str(tmp_path / "nowhere") in told
