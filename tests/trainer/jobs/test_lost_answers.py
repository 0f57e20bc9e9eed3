"""A database that does what it is told, and whose answer is lost on the way back."""

import urllib.request
from contextlib import contextmanager

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from latentwalk.trainer.jobs.tables import JobRow
from latentwalk.trainer.reports import JobState
from latentwalk.v1 import training_service_pb2 as pb

SPEC = pb.JobSpec(model="tiny", direction="axes", sefa=pb.SefaSpec(directions=2))


@contextmanager
def answer_lost(state):
    """The first transaction in which a job enters the state is committed, and then the connection breaks."""
    lost = []

    def note(session, _context, _instances):
        if any(isinstance(row, JobRow) and row.state == state for row in session.dirty):
            session.info["enters"] = True

    def lose(session):
        if session.info.pop("enters", False) and not lost:
            lost.append(state)
            raise OperationalError("COMMIT", {}, Exception("the connection is closed"))

    listeners = {"before_flush": note, "after_commit": lose}
    for moment, listener in listeners.items():
        event.listen(Session, moment, listener)
    try:
        yield lost
    finally:
        for moment, listener in listeners.items():
            event.remove(Session, moment, listener)


def samples(trainer):
    """What Prometheus gets, by name and labels."""
    with urllib.request.urlopen(f"http://127.0.0.1:{trainer.metrics_port}/metrics") as response:
        families = text_string_to_metric_families(response.read().decode())
        return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}


@pytest.mark.parametrize("state", [JobState.RUNNING, JobState.SUCCEEDED])
def test_a_job_is_attended_to_its_end_though_an_answer_of_the_database_is_lost(
    make_settings, serve_trainer, tmp_path, state
):
    with serve_trainer(make_settings()) as trainer, answer_lost(state) as lost:
        job_id = trainer.create(SPEC).id
        for _ in trainer.stub.WatchJob(pb.WatchJobRequest(id=job_id), timeout=300):
            pass
        job = trainer.get(job_id)
        other = trainer.wait_for_end(trainer.create(SPEC).id)
        assert lost == [state]
        assert samples(trainer)["latentwalk_job_seconds_count", "sefa", "SUCCEEDED"] == 2
    assert [job.state, other.state] == [pb.JOB_STATE_SUCCEEDED] * 2
    assert list((tmp_path / "jobs").glob("*/checkpoints")) == []


def test_metrics_are_there_while_the_database_is_not(make_settings, serve_trainer, tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path}/trainer.db")
    with serve_trainer(make_settings()) as trainer:
        assert ("latentwalk_jobs", "QUEUED") in samples(trainer)
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE jobs RENAME TO hidden"))
        seen = samples(trainer)
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE hidden RENAME TO jobs"))
        assert seen["latentwalk_serving",] == 1
        assert ("latentwalk_jobs", "QUEUED") not in seen
        assert ("latentwalk_jobs", "QUEUED") in samples(trainer)
    engine.dispose()
