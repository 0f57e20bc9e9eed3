"""Directions from what somebody has said of pictures, with a real trainer and a real server."""

import numpy as np
import pytest

from latentwalk.client import Client, InvalidRequest, Labels


@pytest.fixture
def client(server, trainer):
    with Client(server.address, trainer_address=trainer.address) as client:
        client.wait_ready(timeout=120)
        yield client


def test_pictures_that_were_marked_give_a_direction_to_more_of_it(client: Client):
    light = np.concatenate(
        [
            client.generate("tiny", seeds=range(first, first + 60)).array.mean(axis=(1, 2, 3))
            for first in range(0, 300, 60)
        ]
    )
    bright = light > np.median(light)
    job = client.train_boundary("tiny", "bright", labels=dict(enumerate(bright)))
    result = job.result()
    assert result.artifacts[0].loaded
    assert result.measures["validation_accuracy"] > 0.7
    (slider,) = client.direction("tiny", "bright").sliders
    assert slider.name == "bright"
    low, high = client.walk("tiny", "bright", alpha=(-2, 2), seeds=range(1000, 1008), frames=2).collect()
    assert high.pictures.array.mean() > low.pictures.array.mean()
    settings = job.describe().spec.settings
    assert settings["score"]["labels"]["scores"] == bright.tolist()
    assert "samples" not in settings


def test_scores_of_codes_are_told_apart_at_their_ends(client: Client):
    size = client.model("tiny").latent_size
    z = np.random.default_rng(0).normal(size=(60, size))
    job = client.train_boundary("tiny", "first", labels=Labels(z[:, 0], z=z), fraction=0.4)
    assert job.result().measures["validation_accuracy"] > 0.7
    with pytest.raises(InvalidRequest, match=r"labels\.z\.shape: \[60, 2\] must be \[N, "):
        client.train_boundary("tiny", "first", labels=Labels(z[:, 0], z=z[:, :2]))
    with pytest.raises(InvalidRequest, match=r"labels\.scores: are all 1: of each of two scores"):
        client.train_boundary("tiny", "first", labels={7: 1, 8: 1})
