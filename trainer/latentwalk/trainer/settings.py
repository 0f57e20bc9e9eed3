"""The settings of the trainer."""

from dataclasses import dataclass

from latentwalk.rpc.endpoint import Endpoint
from latentwalk.rpc.settings import HOST_AND_PORT, at_least, between, each, or_nothing, setting
from latentwalk.trainer.jobs.retention import Retention
from latentwalk.trainer.materials import Sources


@dataclass(frozen=True)
class Settings(Endpoint):
    """The trainer: learns directions for generators, in durable jobs, and publishes them."""

    address: str = setting("127.0.0.1:50052", "host:port of the rpcs; port 0 means any free one", HOST_AND_PORT)
    metrics_address: str = setting(
        "127.0.0.1:9465", "host:port of the Prometheus endpoint; empty for none", or_nothing(HOST_AND_PORT)
    )
    store: str = setting("data/store", "the artifact store: a folder or an fsspec URL")
    folder: str = setting("data/jobs", "where jobs keep their checkpoints and logs; one trainer's own")
    data: str = setting(
        "data/sets", "the folder with data sets, each in torchvision's layout, and with folders of pictures"
    )
    lpips_backbone: str = setting(
        "", "file with torchvision's AlexNet weights, for the loss LPIPS; empty for torchvision's own cache"
    )
    inception_weights: str = setting(
        "",
        "file with the weights of Inception v3 for FID and KID, pt_inception-2015-12-05-6726825d.pth, or torchvision's "
        "for distances of its own; empty for torch's cache",
    )
    download: bool = setting(False, "let torchvision fetch data sets that are not in the data folder")
    database: str = setting(
        "sqlite:///data/trainer.db",
        "the job database, one trainer's own: sqlite:///FILE or postgresql://USER@HOST/NAME",
    )
    devices: str = setting(
        "auto",
        "where jobs compute: auto, cpu, cuda, cuda:1, ...; several share out the jobs: cuda:0+cuda:1; auto is all of "
        "CUDA, or the CPU where there is none",
    )
    concurrency: int = setting(
        1, "jobs that run at a time on each device, each in a process of its own", between(1, 64)
    )
    processes_per_job: int = setting(
        1,
        "the most processes that share the batches of one job on the CPU, each with its threads; another number may "
        "give other last bits",
        between(1, 64),
    )
    threads: int = setting(1, "CPU threads of each process; another number may give other last bits", between(1, 256))
    max_queued_jobs: int = setting(
        100, "jobs that may wait, with those that are paused; more are refused", between(1, 10_000)
    )
    max_restarts: int = setting(
        3, "how often a job is started again when its process, or the trainer, is killed", between(0, 100)
    )
    keep_events: int = setting(
        Retention.events,
        "events kept of each job, the newest; and so many changes of its state, however old",
        at_least(1),
    )
    keep_samples: int = setting(Retention.samples, "sheets of samples kept of each job, the newest", at_least(1))
    keep_ended_jobs: int = setting(
        Retention.ended_jobs, "jobs kept that have ended, the newest; others go with their folders", at_least(1)
    )
    tensorboard: bool = setting(True, "let jobs write what they say for TensorBoard, into their folders")
    server_address: tuple[str, ...] = setting(
        (),
        "host:port of the generation servers that are to load what was found, with commas; a name stands for each of "
        "its addresses",
        each(HOST_AND_PORT),
    )
    server_certificate: str = setting(
        "",
        "PEM file of the root of the generation servers' certificates; if one asks for ours, tls_certificate is shown",
    )
    server_token: str = setting("", "file with the bearer token for the generation servers")
    grace_seconds: float = setting(
        10.0, "how long calls, and jobs that were told to stop, may take to leave", at_least(0.1)
    )

    @property
    def retention(self) -> Retention:
        """How much is kept of jobs."""
        return Retention(self.keep_events, self.keep_samples, self.keep_ended_jobs)

    @property
    def sources(self) -> Sources:
        """Where jobs find what they work with."""
        return Sources(self.store, self.data, self.download, self.lpips_backbone, self.inception_weights)
