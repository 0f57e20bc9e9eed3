"""What jobs are told on the command line is what they are told in the SDK."""

import inspect
import json
from dataclasses import fields

import pytest
from typer.main import get_command

from latentwalk import client as sdk
from latentwalk.cli.commands import app
from latentwalk.cli.making import EveryJob, EveryModelJob
from latentwalk.cli.train_discovery import Discovery
from latentwalk.cli.train_gans import GanJob


def test_every_job_is_told_its_seed_checkpoints_priority_and_id_in_the_same_words(latentwalk):
    words = ["--seed", 9, "--checkpoint-every", 7, "--priority", -5, "--model-version", 1, "--request-id", "mine"]
    made = [latentwalk("train", "sefa", "faces", "once", "--directions", 6, *words, "--detach") for _ in range(2)]
    assert made[0].exit_code == 0, made[0].stderr
    assert made[0].stdout == made[1].stdout
    spec = json.loads(latentwalk("jobs", "show", made[0].stdout.strip(), "--json").stdout)["spec"]
    told = {name: spec[name] for name in ("seed", "checkpoint_every", "priority", "model_version")}
    assert told == {"seed": 9, "checkpoint_every": 7, "priority": -5, "model_version": "1"}
    assert latentwalk("jobs", "watch", made[0].stdout.strip()).exit_code == 0
    assert "3 (alpha" in (table := latentwalk("directions", "list", "faces").stdout)
    assert "and 2 more" in table
    assert latentwalk("train", "gan", "new", "--dataset", "MNIST", "--model-version", 1).exit_code == 2


def test_every_job_is_told_on_the_command_line_what_it_is_told_in_the_sdk():
    def names(options):
        return set(options.__annotations__)

    assert names(EveryJob) == names(sdk.JobOptions) - {"timeout"}
    assert names(EveryModelJob) == names(sdk.ModelJobOptions) - {"timeout"}
    assert names(Discovery) == names(sdk.DiscoveryOptions) - {"timeout"}
    own = {"dataset": "data", "folder": "data", "augment": "augmentation"}
    assert {own.get(name, name) for name in names(GanJob) - names(EveryJob)} == {one.name for one in fields(sdk.Gan)}


@pytest.mark.parametrize(
    "method", ["edit", "discover", "class-directions", "sefa", "pca", "boundary", "gan", "joint", "classifier"]
)
def test_a_method_is_told_on_the_command_line_what_it_is_told_in_the_sdk(method: str):
    verb = {"discover": "discovery"}.get(method, method.replace("-", "_"))
    own = {"condition": "conditions", "sequential": "mode", "dataset": "data", "folder": "data"}
    command = {one.name: one for one in get_command(app).commands["train"].commands.values()}[method]
    told = {own.get(parameter.name, parameter.name) for parameter in command.params}
    parameters = inspect.signature(getattr(sdk.Client, f"train_{verb}")).parameters.values()
    wanted = {one.name for one in parameters if one.kind is not one.VAR_KEYWORD}
    assert wanted - told <= {"self", "gan", "timeout"}
