"""A trainer of its own process, as a user would start it, and what its jobs have published."""

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

import grpc

from benchmarks.served import end, free_port
from latentwalk.client import Client, JobHandle, JobProgress, JobResult, JobSample
from latentwalk.gan.artifacts import ArtifactStore
from proofs.options import RESULTS, Options

START_SECONDS, STOP_SECONDS = 120, 30
_REPORT_EVERY = 500


@dataclass(frozen=True)
class Workshop:
    """A running trainer and its artifact store."""

    client: Client
    store: ArtifactStore
    name: str
    """Of the proof; jobs that it asks for twice are the same job."""

    def finish(self, *jobs: JobHandle) -> list[JobResult]:
        """Follow the jobs to their ends; sheets of samples go to the results. Raises JobFailed."""
        return [self._follow(job) for job in jobs]

    def _follow(self, job: JobHandle) -> JobResult:
        told, model = -_REPORT_EVERY, job.describe().spec.model
        for event in job.watch():
            if isinstance(event.what, JobSample):
                RESULTS.mkdir(exist_ok=True)
                (RESULTS / f"{self.name}.{model}.png").write_bytes(event.what.data)
            elif isinstance(event.what, JobProgress) and event.what.step >= told + _REPORT_EVERY:
                told = event.what.step
                print(f"  {model}: step {told} of {event.what.steps}", flush=True)
        return job.result()


@contextmanager
def workshop(options: Options, name: str) -> Generator[Workshop]:
    """Start `python -m latentwalk.trainer` in the folder of the proof on a free port; end it afterwards."""
    folder = (options.work / name).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    address = f"127.0.0.1:{free_port()}"
    command = [
        *(sys.executable, "-m", "latentwalk.trainer", "--address", address, "--metrics-address", ""),
        *("--store", str(folder / "store"), "--folder", str(folder / "jobs"), "--data", str(options.data)),
        *("--database", f"sqlite:///{folder / 'trainer.db'}", "--concurrency", "2"),
    ]
    with (folder / "trainer.log").open("ab") as log:
        process = subprocess.Popen(command, stderr=log)
    try:
        with grpc.insecure_channel(address) as channel:
            grpc.channel_ready_future(channel).result(START_SECONDS)
        with Client(trainer_address=address) as client:
            yield Workshop(client, ArtifactStore(str(folder / "store")), name)
    finally:
        end(process, STOP_SECONDS)


def request_id(name: str, options: Options, *parts: object) -> str:
    """Names a job by what it is to do, so that a proof that is started again finds the job it had."""
    return "-".join(map(str, (name, options.share, *parts)))
