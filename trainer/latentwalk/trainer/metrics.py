"""What Prometheus is told about jobs."""

import logging
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from latentwalk.trainer.jobs.database import reason_of
from latentwalk.trainer.jobs.records import Job
from latentwalk.trainer.jobs.store import JobStore
from latentwalk.trainer.reports import News, Progress

_log = logging.getLogger("latentwalk.jobs")

_SECONDS = (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000)


class Metrics:
    """The counters of one trainer."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._steps = Counter(
            "latentwalk_job_steps", "Optimiser steps done, those done again included.", ["method"], registry=registry
        )
        self._seconds = Histogram(
            "latentwalk_job_seconds",
            "Seconds of training of jobs, when they leave their process for good or for the queue.",
            ["method", "state"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.restarts = Counter(
            "latentwalk_job_restarts", "Processes of jobs started again because they were killed.", registry=registry
        )

    def ended(self, job: Job) -> None:
        """Notes how long a job trained."""
        self._seconds.labels(job.spec.method, job.state).observe(job.progress.elapsed)

    def step_counter(self, job: Job) -> Callable[[News], None]:
        """Counts the steps of one process from its reports, of which the first says where it begins."""
        counter = self._steps.labels(job.spec.method)
        last: int | None = None

        def count(report: News) -> None:
            nonlocal last
            if isinstance(report, Progress):
                counter.inc(report.step - (report.step if last is None else last))
                last = report.step

        return count


class JobCounts(Collector):
    """latentwalk_jobs{state}: read from the store at each scrape, so that it is true whoever has changed it."""

    def __init__(self, store: JobStore) -> None:
        self._store = store

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One sample a state; none while the database does not answer, which must not cost the other metrics."""
        family = GaugeMetricFamily("latentwalk_jobs", "Jobs in each state.", labels=["state"])
        try:
            counts = self._store.counts()
        except SQLAlchemyError as error:
            _log.warning("jobs cannot be counted: %s", reason_of(error))
            counts = {}
        for state, count in counts.items():
            family.add_metric([state], count)
        yield family
