"""Jobs of every method whose process is killed at random moments end with the bits of undisturbed ones."""

import random

import pytest

from latentwalk.trainer.materials import Sources
from latentwalk.trainer.methods import METHODS
from proofs.kills import JOBS, Killer, kill_often


@pytest.fixture
def killer(artifacts_url, mnist, tmp_path):
    return Killer(Sources(artifacts_url, str(mnist)), tmp_path / "jobs")


def test_there_is_a_job_of_every_method(killer):
    assert {killer.spec(name).method for name in JOBS} == METHODS.keys()


def test_a_job_that_is_killed_ends_as_if_nothing_had_been(killer):
    assert kill_often(killer, ["edit, linear", "joint, sequential"], 2, random.Random(1)) == {
        "edit, linear": 2,
        "joint, sequential": 2,
    }


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_jobs_of_every_method_that_are_killed_end_as_if_nothing_had_been(killer):
    killed = kill_often(killer, list(JOBS), 3, random.Random())
    assert sum(killed.values()) == 3 * len(JOBS) >= 20
