"""Lists of jobs that were measured at length: pages that any client can take."""

import json

import pytest
from typer.testing import CliRunner

from latentwalk.cli.commands import app
from latentwalk.trainer.jobs.records import Request
from latentwalk.trainer.jobs.store import JobStore
from latentwalk.trainer.reports import Result
from latentwalk.v1 import training_service_pb2 as pb

JOBS = 4
MEASURES = {f"limits.found.{number}.step_distance": float(number) for number in range(30_000)}
"""More than a MiB of them."""


@pytest.fixture
def measured(make_settings, serve_trainer, make_spec):
    """A trainer with a history, and the ids of its jobs, newest first."""
    settings = make_settings()
    store = JobStore(settings.database, max_queued=JOBS)
    ids = [store.create(Request("", ""), make_spec()).id for _ in range(JOBS)]
    for job_id in ids:
        store.take("cpu")
        store.succeed(job_id, Result((), "", measures=MEASURES))
    store.close()
    with serve_trainer(settings) as trainer:
        yield trainer, ids[::-1]


def test_a_page_has_as_many_jobs_as_any_client_can_take(measured):
    trainer, ids = measured
    pages = [trainer.stub.ListJobs(pb.ListJobsRequest())]
    while token := pages[-1].next_page_token:
        pages.append(trainer.stub.ListJobs(pb.ListJobsRequest(page_token=token)))
    assert [job.id for page in pages for job in page.jobs] == ids
    assert all(len(job.result.measures) == len(MEASURES) for page in pages for job in page.jobs)
    assert len(pages) > 1


def test_the_command_line_shows_all_that_it_is_asked_for(measured):
    trainer, ids = measured
    shown = CliRunner().invoke(app, ["--trainer", trainer.address, "jobs", "list", "--limit", "3", "--json"])
    assert [job["id"] for job in json.loads(shown.stdout)] == ids[:3]
    assert ids[-1] in CliRunner().invoke(app, ["--trainer", trainer.address, "jobs", "list"]).stdout
