"""Jobs, with the real trainer: made, watched, cancelled, resumed, forgotten."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from latentwalk.cli.demo.processes import free_address
from latentwalk.client import (
    ArtifactKind,
    AsyncClient,
    Client,
    CustomEdit,
    EditTarget,
    Folder,
    InvalidRequest,
    JobFailed,
    JobProgress,
    JobSample,
    JobState,
    JobStateChange,
    JobStateConflict,
    NotFound,
    PublishedArtifact,
    Unavailable,
)
from latentwalk.client._limits import limits_in
from latentwalk.client._truncations import truncations_in

SMALL = {"steps": 6, "batch_size": 4, "evaluation_size": 4}


@pytest.fixture
def client(server, trainer):
    with Client(server.address, trainer_address=trainer.address) as client:
        client.wait_ready(timeout=120)
        yield client


def test_a_job_is_watched_to_its_result_and_the_server_walks_the_new_direction(client: Client):
    job = client.train_edit("tiny", "glow", edits=["brightness", EditTarget("zoom", 0.5, 2.0)], seed=3, **SMALL)
    events = list(job.watch())
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    states = [event.what.state for event in events if isinstance(event.what, JobStateChange)]
    assert states == [JobState.QUEUED, JobState.RUNNING, JobState.SUCCEEDED]
    progress = [event.what for event in events if isinstance(event.what, JobProgress)]
    assert (progress[-1].step, progress[-1].steps) == (6, 6)
    assert progress[-1].elapsed > timedelta(0)

    result = job.result()
    assert result.artifacts == (PublishedArtifact(ArtifactKind.DIRECTION, "glow", "1", loaded=True, load_error=""),)
    assert [evaluation.slider for evaluation in result.evaluations] == ["brightness", "zoom"]
    for evaluation in result.evaluations:
        assert evaluation.gain == pytest.approx(1 - evaluation.error / evaluation.baseline)
    frames = client.walk("tiny", "glow", slider="zoom", amount=(0.5, 2), seeds=1, frames=3).collect()
    assert frames[1].positions[0].amount == pytest.approx(1)

    described = job.describe()
    assert (described.state, described.result) == (JobState.SUCCEEDED, result)
    settings = described.spec.settings
    assert (described.spec.method, described.spec.seed) == ("edit_direction", 3)
    assert settings["edits"][1] == {"edit": "zoom", "amount_low": 0.5, "amount_high": 2}
    assert (settings["steps"], settings["batch_size"]) == (6, 4)
    assert settings["learning_rate"] > 0
    assert progress[-1].loss == pytest.approx(sum(progress[-1].terms.values()))
    assert progress[-1].terms.keys() == {"brightness", "zoom"}
    assert described.create_time <= described.start_time <= described.end_time
    assert [event.sequence for event in job.watch(after=2)] == [event.sequence for event in events[2:]]
    assert client.jobs(states=[JobState.SUCCEEDED])[0] == described
    with pytest.raises(JobStateConflict):
        job.cancel()


def test_a_job_can_be_cancelled_resumed_and_forgotten(client: Client):
    job = client.train_edit("tiny", "endless", edits="zoom", **SMALL | {"steps": 1_000_000})
    for event in job.watch():
        if isinstance(event.what, JobProgress) and event.what.step:
            break
    with pytest.raises(JobStateConflict):
        job.delete()
    assert job.cancel().state is JobState.CANCELLED
    with pytest.raises(JobFailed, match=f"job {job.id} cancelled") as caught:
        job.result()
    assert caught.value.job.progress.step > 0
    assert pickle.loads(pickle.dumps(caught.value)).job == caught.value.job
    assert job.resume().state is JobState.QUEUED
    job.cancel()
    job.delete()
    with pytest.raises(NotFound):
        job.describe()


def test_a_job_is_watched_on_when_its_trainer_is_restarted(serve_trainer, tmp_path):
    address = free_address()
    files = {"folder": str(tmp_path / "jobs"), "database": f"sqlite:///{tmp_path}/trainer.db"}
    with Client(trainer_address=address) as client, ThreadPoolExecutor(1) as watcher:
        with serve_trainer(address=address, **files):
            first = client.train_sefa("tiny", "first", directions=1)
            first.result()
            endless = client.train_edit("tiny", "endless", edits="zoom", **SMALL | {"steps": 1_000_000})
            job = client.train_sefa("tiny", "late", directions=1)
            events = job.watch()
            seen = [next(events).sequence]
            watching = watcher.submit(lambda: [event.sequence for event in events])
        with pytest.raises(Unavailable):  # for longer than calls are repeated
            first.describe()
        with serve_trainer(address=address, **files):
            next(endless.watch())
            endless.cancel()
            sequences = seen + watching.result()
            done = job.describe()
        assert done.state is JobState.SUCCEEDED
        assert sequences == list(range(1, done.last_sequence + 1))


def test_a_nonlinear_walk_of_an_edit_of_ones_own_is_trained_and_walked(client: Client):
    warm = CustomEdit("warm", "colour", [[0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, -1]])
    target = EditTarget(warm, -0.5, 0.5)
    job = client.train_edit("tiny", "warm", edits=target, form="nonlinear", walk_steps=2, **SMALL)
    assert [evaluation.slider for evaluation in job.result().evaluations] == ["warm"]
    assert client.direction("tiny", "warm").form == "iterated"
    frames = client.walk("tiny", "warm", amount=(-0.5, 0.5), seeds=1, frames=3).collect()
    assert frames[2].positions[0].amount == pytest.approx(0.5)
    with pytest.raises(InvalidRequest, match="LPIPS needs at least 31"):
        client.train_edit("tiny", "seen", edits="zoom", loss="lpips")
    with pytest.raises(InvalidRequest, match="form: 'curved' is none of linear, nonlinear"):
        client.train_edit("tiny", "seen", edits="zoom", form="curved")


def test_directions_are_found_without_training_and_walked_alike(client: Client):
    factors = client.train_sefa("tiny", "factors", directions=2)
    assert list(factors.result().measures) == ["eigenvalue.0", "eigenvalue.1"]
    components = client.train_pca("tiny", "components", directions=2, samples=600)
    boundary = client.train_boundary("tiny", "light", attribute="luminance", samples=600, conditions=[("factors", "1")])
    assert components.result().artifacts[0].loaded
    assert 0.5 < boundary.result().measures["validation_accuracy"] <= 1
    for direction, slider in (("factors", "1"), ("components", "0"), ("light", "luminance")):
        frames = client.walk("tiny", direction, slider=slider, alpha=(-3, 3), seeds=1, frames=3).collect()
        assert (frames.array[0] != frames.array[2]).any()
    with pytest.raises(InvalidRequest, match="give one of attribute, classifier and labels"):
        client.train_boundary("tiny", "light")


def test_a_model_is_measured_and_nothing_is_published(client: Client):
    job = client.train_evaluation("tiny", samples=100, distance="pixels")
    result = job.result()
    assert result.artifacts == ()
    assert list(result.measures) == ["path_length.z.end", "path_length.z.full"]
    assert result.generator_digest == client.model("tiny").digest
    assert job.describe().spec.settings == {"samples": 100, "distance": "pixels"}
    with pytest.raises(InvalidRequest, match="'taste' is none of lpips, features, pixels"):
        client.train_evaluation("tiny", distance="taste")
    with pytest.raises(InvalidRequest, match=r"evaluation\.data.*no folder 'gone'"):
        client.train_evaluation("tiny", data=Folder("gone"))


def test_the_limits_of_sliders_are_told_by_alpha(client: Client):
    client.train_edit("tiny", "limited", edits="brightness", **SMALL).result()
    job = client.train_evaluation("tiny", samples=100, distance="pixels", directions=["limited"])
    samples = [event.what for event in job.watch() if isinstance(event.what, JobSample)]
    assert [sample.caption for sample in samples] == ["limits of limited.brightness"]
    limits = job.result().limits["limited.brightness"]
    assert list(limits.rungs) == [-3, -2.5, -2, -1.5, -1, -0.5, 0.5, 1, 1.5, 2, 2.5, 3]
    rung = limits.rungs[-1]
    assert rung["amount"] == pytest.approx(-0.25)
    assert rung["gain"] == pytest.approx(1 - rung["error"] / rung["baseline"])
    assert rung["luminance_shift"] != 0
    assert rung["step_distance"] > 0
    assert limits.real == {}
    low, high = limits.ranges["gain"]
    assert -0.75 <= low <= 0 <= high <= 0.75
    with pytest.raises(InvalidRequest, match=r"sliders\[0\]\.slider.*'zoom'"):
        client.train_evaluation("tiny", directions=[("limited", "zoom")])


def test_what_is_told_of_real_pictures_stands_by_attribute():
    measures = {"limits.d.1.centre_x.reach": 0.5, "limits.d.1.centre_x.deviation": 0.1, "limits.d.1.gain.+1": 0.2}
    limits = limits_in(measures | {"limits.d.1.centre_x.correlation": -0.25})["d.1"]
    assert limits.real == {"centre_x": {"deviation": 0.1, "reach": 0.5, "correlation": -0.25}}
    assert (limits.rungs, limits.ranges) == ({1.0: {"gain": 0.2}}, {})


def test_what_is_measured_under_a_truncation_stands_by_its_name_the_least_first():
    measures = {
        "truncation.psi=0.7,layers=8.fid": 3.0,
        "truncation.psi=0.65.fid": 2.0,
        "truncation.psi=-1.fid.torchvision": 5.0,
        "truncation.psi=0.7.fid": 1.0,
        "truncation.psi=0.7.kid": 0.5,
        "truncation.psi=0.7.precision.inception": 0.75,
        "truncation.threshold=1e-05.fid": 4.0,
    }
    found = truncations_in(measures | {"fid": 9.0, "limits.d.1.gain.+1": 0.2})
    assert list(found) == ["psi=-1", "psi=0.65", "psi=0.7", "psi=0.7,layers=8", "threshold=1e-05"]
    assert (found["psi=0.7"], found["psi=-1"]) == (
        {"fid": 1.0, "kid": 0.5, "precision.inception": 0.75},
        {"fid.torchvision": 5.0},
    )


def test_jobs_come_in_pages(client: Client):
    ids = [client.train_edit("tiny", f"page{n}", edits="zoom", **SMALL | {"steps": 1_000_000}).id for n in range(3)]
    first = client.jobs(limit=2)
    second = client.jobs(limit=2, page_token=first.next_page_token)
    assert [job.id for job in (*first, *second)][:3] == ids[::-1]
    for job_id in ids:
        client.job(job_id).cancel()
        client.job(job_id).delete()


def test_what_the_trainer_refuses_names_the_field(client: Client):
    with pytest.raises(InvalidRequest) as caught:
        client.train_edit("tiny", "x", edits="warp")
    assert caught.value.violations[0].field.endswith("edit")
    with pytest.raises(NotFound, match="nope"):
        client.train_edit("nope", "x", edits="zoom")
    with pytest.raises(NotFound):
        client.job("nope").describe()


async def test_the_asyncio_client_follows_a_job_in_the_same_way(server, trainer):
    async with AsyncClient(server.address, trainer_address=trainer.address) as client:
        await client.wait_ready(timeout=120)
        job = await client.train_edit("tiny", "again", edits="zoom", **SMALL)
        states = [event.what.state async for event in job.watch() if isinstance(event.what, JobStateChange)]
        assert states[-1] is JobState.SUCCEEDED
        result = await job.result()
        assert result == (await job.describe()).result
        with pytest.raises(JobStateConflict):
            await job.resume()
        await job.delete()
        assert job.id not in [one.id for one in await client.jobs()]
