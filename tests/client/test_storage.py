"""Versions are listed and deleted by the SDK and on the command line, but not under a job that needs them."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from latentwalk.cli.commands import app
from latentwalk.client import ArtifactInUse, ArtifactKind, Client, JobState, NotFound, NoTrainer, Unavailable


@pytest.fixture
def own(start_server, start_trainer, store: Path, tmp_path: Path):
    """A client of a server and a trainer of a copy of the store, the trainer with one slot for jobs."""
    copy = tmp_path / "store"
    shutil.copytree(store, copy)
    server = start_server(store=str(copy))
    trainer = start_trainer(store=str(copy))
    with Client(server.address, trainer_address=trainer.address) as client:
        yield client


def held(client: Client):
    """Jobs that need version 1 of `zoom` and of `tiny`, one of them set aside and the other cancelled."""
    directions = {"directions": ["zoom"], "samples": 1_000_000, "distance": "pixels"}
    paused, cancelled = (client.train_evaluation("tiny", **directions) for _ in range(2))
    paused.pause()
    cancelled.cancel()
    return paused, cancelled


def test_versions_are_listed_with_sizes_and_dates(own: Client):
    named = {(one.kind, one.name): one for one in own.versions()}
    zoom = named[ArtifactKind.DIRECTION, "tiny/zoom"]
    assert (zoom.version, zoom.loaded, zoom.generator_digest) == ("1", True, own.model("tiny").digest)
    assert zoom.size_bytes > 0
    assert zoom.create_time is not None
    assert not named[ArtifactKind.DIRECTION, "tiny/foreign"].loaded
    assert {one.name for one in own.versions("generator")} == {"digits", "tiny"}
    assert [one.name for one in own.versions(ArtifactKind.DIRECTION, "tiny/zoom")] == ["tiny/zoom"]


def test_what_a_job_that_is_not_over_needs_is_not_deleted(own: Client):
    paused, _ = held(own)
    own.unload_model("tiny")
    for kind, name in (("direction", "tiny/zoom"), ("generator", "tiny")):
        with pytest.raises(ArtifactInUse, match=f"version 1 of {kind} '{name}' is needed by jobs: {paused.id}$"):
            own.delete_version(kind, name, 1)
    assert own.delete_version("direction", "tiny/bank", 1).name == "tiny/bank"
    paused.cancel()
    assert paused.describe().state is JobState.CANCELLED
    assert own.delete_version("direction", "tiny/zoom", "1").version == "1"
    with pytest.raises(NotFound, match="no 'tiny/zoom' version 1 in directions"):
        own.delete_version("direction", "tiny/zoom", 1)


def test_a_client_without_a_trainer_says_that_it_asks_none(own: Client):
    address = own.connection.options.address_of("server")
    with Client(address) as client:
        with pytest.raises(NoTrainer, match="say ask_trainer=False"):
            client.delete_version("direction", "tiny/foreign", 1)
        with (
            Client(address, trainer_address="127.0.0.1:1", retries=0) as lonely,
            pytest.raises(
                Unavailable, match=r"^no trainer answers at 127\.0\.0\.1:1: Connection refused; .*--no-trainer"
            ),
        ):
            lonely.delete_version("direction", "tiny/foreign", 1)
        assert client.delete_version("direction", "tiny/foreign", 1, ask_trainer=False).name == "tiny/foreign"


def test_the_command_line_lists_and_deletes_and_asks_whether_it_is_meant(own: Client):
    options = own.connection.options
    flags = ["--server", options.address_of("server"), "--trainer", options.address_of("trainer")]

    def run(*arguments: str, **more: str):
        return CliRunner().invoke(app, [*flags, "store", *arguments], **more)

    head, *rows = run("list", "tiny").stdout.splitlines()
    assert head.split() == ["name", "kind", "version", "size", "age", "loaded", "generator"]
    assert max(map(len, rows)) <= 80
    # Beside what other tests have published.
    told = {tuple(row.split()[:3]): row for row in rows}
    assert ("tiny", "generator", "1") in told
    assert "kB" in told["tiny/bank", "direction", "1"]
    assert {one["name"] for one in json.loads(run("list", "--kind", "generator", "--json").stdout)} == {
        "digits",
        "tiny",
    }
    assert run("delete", "direction", "tiny/foreign", "1", input="n\n").exit_code == 1
    assert len(own.versions(name="tiny/foreign")) == 1
    refused = run("delete", "direction", "tiny/bank", "1", "--yes")
    assert (refused.exit_code, "is served" in refused.stderr) == (1, True)
    own.unload_direction("tiny", "bank")
    done = run("delete", "direction", "tiny/bank", "1", "--yes", "--json")
    assert (done.exit_code, json.loads(done.stdout)["version"]) == (0, "1")
    done = run("delete", "direction", "tiny/foreign", "1", "--yes")
    assert done.stdout.startswith("direction tiny/foreign version 1 is deleted (")
    assert not own.versions(name="tiny/foreign")
