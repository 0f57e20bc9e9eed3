"""Several processes that train one job together: they end with what one alone ends with, and fall and rise together."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from latentwalk.gan.artifacts import ArtifactStore, load_direction
from latentwalk.trainer import quick
from latentwalk.trainer.checkpoint import Checkpoints
from latentwalk.trainer.jobs.folders import write_assignment
from latentwalk.trainer.loop import train
from latentwalk.trainer.materials import Sources
from latentwalk.trainer.methods import METHODS
from latentwalk.trainer.networks import precision
from latentwalk.trainer.networks.shared_norm import share_norms
from latentwalk.trainer.seat import Dice, Seat
from latentwalk.trainer.sharing import Unshareable, check_shares, most_processes
from latentwalk.trainer.team import join
from latentwalk.trainer.validation import read_spec
from latentwalk.v1 import training_service_pb2 as pb
from proofs.kills import JOBS

GRADIENT_TOLERANCE = 1e-4
"""Of the length of all gradients of the first step, in float32: sums depend on the order of their terms."""
WEIGHT_TOLERANCE = 0.02
"""Of the length of all weights at the end, predictors left out: Adam makes whole steps even of gradients that are
nothing but rounding, as many of a predictor's are, and its directions follow. All others end within 1e-7."""

NOT_IN_BATCHES = ("sefa", "pca", "boundary", "evaluation")
TRAINED = [name for name, job in JOBS.items() if job.WhichOneof("method") not in NOT_IN_BATCHES]
STEPS = 300
SPEC = pb.JobSpec(
    model="tiny",
    direction="found",
    seed=3,
    checkpoint_every=20,
    edit_direction=pb.EditDirectionSpec(
        edits=[pb.EditTarget(edit="brightness"), pb.EditTarget(edit="zoom")],
        steps=STEPS,
        batch_size=4,
        evaluation_size=64,
    ),
)


@pytest.fixture
def sources(artifacts_url, mnist):
    return Sources(artifacts_url, str(mnist))


def complete(spec, sources):
    message = pb.JobSpec(seed=11, checkpoint_every=1_000)
    message.MergeFrom(spec)
    return read_spec(message, sources.open())


# -- what each sees --------------------------------------------------------------------------------------------------


@given(of=st.integers(1, 6), rows=st.integers(1, 5), seed=st.integers(0, 100))
def test_seats_share_out_a_batch_and_draw_together_what_one_alone_draws(of, rows, seed):
    def law(count, random):
        return torch.rand(count, 2, generator=random)

    alone = Dice(torch.Generator().manual_seed(seed)).roll(of * rows, law)
    shares = [Dice(torch.Generator().manual_seed(seed), Seat(number, of)).roll(rows, law) for number in range(of)]
    assert torch.equal(torch.cat(shares), alone)
    assert [row for number in range(of) for row in Seat(number, of).own_rows(of * rows)] == list(range(of * rows))


def test_a_job_takes_the_most_processes_that_share_its_batch_equally():
    assert [most_processes(16, limit) for limit in (1, 2, 3, 5, 16, 64)] == [1, 2, 2, 4, 16, 16]
    assert most_processes(1, 64) == 1
    assert [most_processes(16, limit, group=4) for limit in (1, 2, 3, 5, 64)] == [1, 2, 2, 4, 4]
    assert most_processes(12, 2, group=4) == 1


def test_torchrun_with_a_wrong_number_of_processes_is_refused_by_name():
    with pytest.raises(Unshareable, match=r"method joint has 10 rows a step, which 3 processes .* equally: start 2"):
        check_shares("joint", 10, 3)


# -- what comes of it ------------------------------------------------------------------------------------------------


def work(seat, names, sources, folder):
    """Trains each job at its seat, in full precision; leaves the first gradients and the last weights in the folder."""
    torch.set_num_threads(1)
    precision.has_bf16 = quick.has_bf16 = lambda *_: False
    team = join(seat, folder)
    for name in names:
        spec = complete(JOBS[name], sources)
        method = METHODS[spec.method].prepare(spec, sources.open(seat))
        if seat.world_size > 1:
            share_norms(method.trained, team)
        first: dict[str, Tensor] = {}

        def pause(method=method, first=first):
            for key, parameter in method.trained.named_parameters():
                if parameter.grad is not None and key not in first:
                    first[key] = parameter.grad.clone()

        train(
            method,
            Checkpoints(folder / f"{name}, of {seat.world_size}"),
            1_000,
            report=lambda _: None,
            pause=pause,
            team=team,
        )
        weights = {key: own for key, own in method.trained.state_dict().items() if not key.startswith("predictor.")}
        for part, tensors in (("gradients", first), ("weights", weights)):
            flat = torch.cat([tensor.double().flatten() for tensor in tensors.values()])
            safetensors.torch.save_file({part: flat}, folder / f"{name}, {part}, {seat.rank} of {seat.world_size}")


def test_two_processes_end_with_what_one_ends_with_for_every_method_that_trains_on_batches(sources, tmp_path):
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload([__name__])
    seats = [Seat(), Seat(0, 2), Seat(1, 2)]
    running = [processes.Process(target=work, args=(seat, TRAINED, sources, tmp_path)) for seat in seats]
    for process in running:
        process.start()
    for process in running:
        process.join()
        assert process.exitcode == 0
    for name in TRAINED:
        for part, tolerance in (("gradients", GRADIENT_TOLERANCE), ("weights", WEIGHT_TOLERANCE)):
            files = (tmp_path / f"{name}, {part}, {seat.rank} of {seat.world_size}" for seat in seats)
            alone, first, second = (safetensors.torch.load_file(file)[part] for file in files)
            assert torch.equal(first, second), f"{name}: the two have other {part}"
            missed = ((first - alone).norm() / alone.norm()).item()
            assert missed < tolerance, f"{name}: {part} miss by {missed:.1e}"


def test_torchrun_starts_them_and_the_first_speaks_for_all(sources, artifacts_url, tmp_path):
    spec = complete(JOBS["edit, linear"], sources)
    alone = METHODS[spec.method].prepare(spec, sources.open())
    train(alone, Checkpoints(tmp_path / "alone"), 1_000, report=lambda _: None, pause=lambda: None)
    write_assignment(tmp_path / "job", "job", spec, sources)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += ["-m", "latentwalk.trainer.runner", "--folder", str(tmp_path / "job")]
    said = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True).stdout
    reports = [json.loads(line) for line in said.splitlines()]
    assert [report["kind"] for report in reports].count("result") == 1
    assert reports[-1]["kind"] == "result"
    store, wanted = ArtifactStore(artifacts_url), alone.direction().vectors
    assert store.versions("directions", "tiny/linear") == [1]
    assert (load_direction(store, "tiny", "linear")[0].vectors - wanted).norm() < WEIGHT_TOLERANCE * wanted.norm()


# -- when one of them is killed --------------------------------------------------------------------------------------


def wait_until_gone(job_id):
    while processes_of(job_id):
        time.sleep(0.02)


def processes_of(job_id):
    """The ids of the processes that run this job, the first one first: those whose standard error is its log."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if job_id in str((path / "fd/2").readlink()):
                found.append((b"RANK=1" in (path / "environ").read_bytes(), int(path.name)))
    return [process for _, process in sorted(found)]


@pytest.mark.long
@pytest.mark.parametrize("victim", [0, 1])
def test_a_shared_job_that_is_paused_and_one_of_whose_processes_is_killed_ends_with_the_same_bits(
    make_settings, serve_trainer, artifacts_url, victim
):
    with serve_trainer(make_settings(processes_per_job=3)) as trainer:
        assert trainer.wait_for_end(trainer.create(SPEC).id).state == pb.JOB_STATE_SUCCEEDED
        job_id = trainer.create(SPEC).id
        trainer.wait_for_step(job_id, STEPS // 4)
        assert trainer.stub.PauseJob(pb.PauseJobRequest(id=job_id)).job.state == pb.JOB_STATE_PAUSED
        wait_until_gone(job_id)
        paused_at = trainer.get(job_id).progress.step
        trainer.stub.ResumeJob(pb.ResumeJobRequest(id=job_id))
        trainer.wait_for_step(job_id, paused_at + 1)
        processes = processes_of(job_id)
        assert len(processes) == 2  # the most that share 4 rows equally
        os.kill(processes[victim], signal.SIGKILL)
        job = trainer.wait_for_end(job_id)
        messages = [event.message.text for event in trainer.watch(job_id)]
        wait_until_gone(job_id)
    assert job.state == pb.JOB_STATE_SUCCEEDED, job.error
    assert any("killed by SIGKILL; restart 1" in text for text in messages)
    store = ArtifactStore(artifacts_url)
    undisturbed, disturbed = (load_direction(store, "tiny", "found", version)[0].vectors for version in (1, 2))
    assert torch.equal(undisturbed, disturbed)
