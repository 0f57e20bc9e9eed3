"""Claim: jobs of every method, killed at random moments, end with the weights of undisturbed ones, bit for bit.

Each life of a job is a chain of real processes, as the trainer starts them: SIGKILL ends one at a moment drawn from the
length of an undisturbed life, and the next goes on from what is on the disk, until one comes to its end.
"""

import json
import multiprocessing
import os
import random
import sys
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor

from benchmarks.report import Claim, report
from latentwalk.gan.artifacts import ArtifactStore, save_generator
from latentwalk.gan.families import build_generator
from latentwalk.gan.generator import Generator
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.trainer import runner
from latentwalk.trainer.jobs.folders import LOG, write_assignment
from latentwalk.trainer.materials import Sources
from latentwalk.trainer.reports import Ending, News, Result, report_from_json
from latentwalk.trainer.specs import AnyJobSpec
from latentwalk.trainer.validation import read_spec
from latentwalk.v1 import training_service_pb2 as pb
from proofs.options import RESULTS, Options

NAME = "kills"
KILLS = 3
"""Of each job."""

Weights = Mapping[str, Tensor]
"""Every tensor of every artifact that a life has published, by kind and name, and every number that it has measured."""

_EDITS = [pb.EditTarget(edit="brightness"), pb.EditTarget(edit="zoom")]
_WALK: dict[str, Any] = {"edits": _EDITS, "steps": 40, "batch_size": 4, "evaluation_size": 64}
_FIRST_WALK: dict[str, Any] = _WALK | {"edits": _EDITS[:1]}
_GAME = pb.GanSettings(
    data=pb.Data(dataset="MNIST"),
    conditional=True,
    resolution=8,
    latent_size=4,
    width=2,
    steps=30,
    batch_size=4,
    spectral_norm=True,
    ema_half_life=8,
    augmentation=[pb.EditTarget(edit="rotate")],
    sample_every=7,
)
_STYLED = pb.GanSettings()
_STYLED.CopyFrom(_GAME)
_STYLED.MergeFrom(pb.GanSettings(family=pb.GAN_FAMILY_STYLEGAN, max_width=4, w_size=5, mapping_layers=2, steps=15))
_GROWING = pb.GanSettings()
_GROWING.CopyFrom(_STYLED)
_GROWING.MergeFrom(pb.GanSettings(progressive_from=4, stable_steps=3, fade_steps=8))
_GROWING.MergeFrom(pb.GanSettings(batch_size=8, minibatch_deviation=True, mirror=True))
_TURN: dict[str, Any] = {"gan": _GAME, "edits": [pb.EditTarget(edit="rotate")], "evaluation_size": 64}

_SEARCH: dict[str, Any] = {"directions": 3, "steps": 20, "batch_size": 4, "evaluation_size": 64}

JOBS: Mapping[str, pb.JobSpec] = {
    "edit, linear": pb.JobSpec(model="tiny", direction="linear", edit_direction=pb.EditDirectionSpec(**_WALK)),
    "edit, nonlinear": pb.JobSpec(
        model="tiny",
        direction="nonlinear",
        edit_direction=pb.EditDirectionSpec(**_WALK, form=pb.WALK_FORM_NONLINEAR),
    ),
    "edit, each class": pb.JobSpec(
        model="digits",
        direction="each",
        edit_direction=pb.EditDirectionSpec(**_FIRST_WALK, classes=pb.ClassChoice(each=True)),
    ),
    "discovery, orthonormal": pb.JobSpec(model="tiny", direction="found", discovery=pb.DiscoverySpec(**_SEARCH)),
    "discovery, rbf": pb.JobSpec(
        model="tiny", direction="paths", discovery=pb.DiscoverySpec(**_SEARCH, deformator=pb.DEFORMATOR_RBF)
    ),
    "class directions": pb.JobSpec(
        model="digits", direction="classes", class_directions=pb.ClassDirectionsSpec(**_SEARCH)
    ),
    "sefa": pb.JobSpec(model="tiny", direction="sefa", sefa=pb.SefaSpec(directions=4)),
    "pca": pb.JobSpec(model="digits", direction="pca", pca=pb.PcaSpec(directions=4, samples=3_000)),
    "boundary": pb.JobSpec(
        model="tiny",
        direction="boundary",
        boundary=pb.BoundarySpec(score=pb.Score(attribute="luminance"), samples=2_000),
    ),
    "evaluation": pb.JobSpec(model="tiny", evaluation=pb.EvaluationSpec(samples=1_000)),
    "gan": pb.JobSpec(model="drawn", gan=pb.GanSpec(gan=_GAME)),
    "gan, styles": pb.JobSpec(model="styled", gan=pb.GanSpec(gan=_STYLED)),
    "gan, growing": pb.JobSpec(model="grown", gan=pb.GanSpec(gan=_GROWING)),
    "joint": pb.JobSpec(model="steerable", direction="turn", joint=pb.JointSpec(**_TURN)),
    "joint, sequential": pb.JobSpec(
        model="steered", direction="turn", joint=pb.JointSpec(**_TURN, mode=pb.JOINT_MODE_SEQUENTIAL, walk_steps=15)
    ),
    "classifier": pb.JobSpec(
        model="told", classifier=pb.ClassifierSpec(data=_GAME.data, resolution=8, steps=30, batch_size=4)
    ),
}
"""A small job of every method, for a store with a generator "tiny" and a "digits" of 10 classes, and for MNIST."""


@dataclass(frozen=True)
class Life:
    """What became of a job."""

    weights: Weights
    seconds: float
    """From the first report of its last process to its end."""
    kills: int


class Killer:
    """Leads lives. ``folder`` takes their files.

    Each process is forked from one that has read all modules before, so that a kill does not cost seconds.
    """

    def __init__(self, sources: Sources, folder: Path) -> None:
        self._sources = sources
        self._folder = folder
        self._processes = multiprocessing.get_context("forkserver")
        self._processes.set_forkserver_preload(["latentwalk.trainer.runner", __name__])

    def spec(self, name: str) -> AnyJobSpec:
        """The job of that name in JOBS, completed."""
        message = pb.JobSpec()
        message.CopyFrom(JOBS[name])
        message.seed, message.checkpoint_every = 11, 4
        return read_spec(message, self._sources.open())

    def live(self, spec: AnyJobSpec, moments: Iterable[float] = ()) -> Life:
        """Leads a life; each process is killed so many seconds after its first report, while there are moments."""
        job_id, kills, left = uuid.uuid4().hex, 0, iter(moments)
        folder = self._folder / job_id
        write_assignment(folder, job_id, spec, self._sources)
        while True:
            process = _Process(self._processes, folder)
            ending, seconds = process.end_within(next(left, None))
            if ending is None:
                kills += 1
            elif isinstance(ending, Result):
                return Life(self._published(ending, spec), seconds, kills)
            else:
                raise AssertionError(f"{spec.method} ended with {ending}; its log is {folder / LOG}")

    def _published(self, result: Result, spec: AnyJobSpec) -> Weights:
        store, weights = ArtifactStore(self._sources.store), dict[str, Tensor]()
        for one in result.artifacts:
            name = f"{spec.model}/{one.name}" if one.kind == "directions" else one.name
            artifact = store.get(one.kind, name, one.version)  # pyright: ignore[reportArgumentType]
            weights |= {f"{one.kind}/{one.name}: {key}": tensor for key, tensor in artifact.tensors.items()}
        measures = {name: torch.tensor(value, dtype=torch.float64) for name, value in result.measures.items()}
        return weights | measures


def main(options: Options) -> bool:
    """Kill, compare, print and write the result, and say whether the claim holds."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        store = ArtifactStore(str(folder / "store"))
        for model, classes in (("tiny", 0), ("digits", 10)):
            save_generator(store, model, _generator(classes), provenance={}, created="2026-01-01T00:00:00Z")
        killer = Killer(Sources(str(folder / "store"), str(options.data)), folder / "jobs")
        killed = kill_often(killer, list(JOBS), options.steps(KILLS), random.Random())  # noqa: S311
    claim = Claim("kills after which all weights are the same, bit for bit", sum(killed.values()), "kills", 20)
    return report(NAME, [claim], [f"{name}: {count}" for name, count in killed.items()], RESULTS)


def _generator(classes: int) -> Generator:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return build_generator(GeneratorSpec("dcgan", 8, classes, 16, 3, {"width": 4})).freeze()


class _Process:
    """One process of a job: it reads from one pipe, only to end with it, and says what it does on another."""

    def __init__(self, processes: ForkServerContext, folder: Path) -> None:
        theirs_in, self._stdin = processes.Pipe(duplex=False)
        self._stdout, theirs_out = processes.Pipe(duplex=False)
        self._process = processes.Process(target=_run, args=(folder, theirs_in, theirs_out))
        self._process.start()
        theirs_in.close()
        theirs_out.close()

    def end_within(self, seconds: float | None) -> tuple[Ending | None, float]:
        """Kills it so long after its first report, if it has not ended before; its ending, if any, and its time."""
        with os.fdopen(os.dup(self._stdout.fileno()), encoding="utf-8") as lines:
            reports = [lines.readline()]
            started = time.monotonic()
            if seconds is not None:
                self._process.join(seconds)
                self._process.kill()
            reports += lines
        took = time.monotonic() - started
        self._process.join()
        last = report_from_json(json.loads(reports[-1])) if reports[-1].endswith("\n") else None
        return (None if isinstance(last, News) else last), took


def _run(folder: Path, stdin: Connection, stdout: Connection) -> None:
    """As `python -m latentwalk.trainer.runner --folder FOLDER` with these pipes, and its log in the folder."""
    with (folder / LOG).open("ab") as log:
        for theirs, number in ((stdin.fileno(), 0), (stdout.fileno(), 1), (log.fileno(), 2)):
            os.dup2(theirs, number)
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(number, "r" if number == 0 else "w") for number in range(3))
    stdin.close()
    stdout.close()
    runner.main(["--folder", str(folder)])


def kill_often(killer: Killer, names: Sequence[str], kills: int, draw: random.Random) -> dict[str, int]:
    """Kills each of the jobs at that many moments; how often each was killed.

    Raises AssertionError, naming the job and the tensor, if a life ends with other weights than an undisturbed one.
    """
    done = dict.fromkeys(names, 0)
    for name in names:
        spec = killer.spec(name)
        undisturbed = killer.live(spec)
        while done[name] < kills:
            moments = (draw.uniform(0, undisturbed.seconds) for _ in range(kills - done[name]))
            life = killer.live(spec, moments)
            check_equal(name, undisturbed.weights, life.weights)
            done[name] += life.kills
    return done


def check_equal(name: str, wanted: Weights, found: Weights) -> None:
    """Raises AssertionError for the first tensor that differs in any bit."""
    if wanted.keys() != found.keys():
        raise AssertionError(f"{name}: {sorted(found)} instead of {sorted(wanted)}")
    for key, tensor in wanted.items():
        if tensor.numpy().tobytes() != found[key].numpy().tobytes():
            raise AssertionError(f"{name}: {key} differs from that of an undisturbed life")
