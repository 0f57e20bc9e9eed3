"""New generators and classifiers, asked for through the SDK."""

from pathlib import Path

import pytest
from PIL import Image

from latentwalk.client import ArtifactKind, Client, EditTarget, Folder, Gan, InvalidRequest, JobSample

SMALL = {"resolution": 8, "latent_size": 4, "width": 2, "steps": 4, "batch_size": 4}


@pytest.fixture
def client(start_server, start_trainer, tmp_path: Path):
    """Of services with an empty store, and a data folder with the pictures "shades"."""
    (tmp_path / "data" / "shades").mkdir(parents=True)
    for number in range(12):
        Image.new("L", (8, 8), 20 * number).save(tmp_path / "data" / "shades" / f"{number}.png")
    server = start_server(store=str(tmp_path / "store"))
    files = {"store": str(tmp_path / "store"), "data": str(tmp_path / "data")}
    trainer = start_trainer(**files, server_address=(server.address,))
    with Client(server.address, trainer_address=trainer.address) as client:
        client.wait_ready(timeout=120)
        yield client


def test_a_generator_trained_with_its_walk_is_walked_at_once(client: Client):
    compared = {"minibatch_deviation": True, "mirror": True}
    gan = Gan(data=Folder("shades"), augmentation=EditTarget("rotate", -20, 20), loss="hinge", **SMALL, **compared)
    job = client.train_joint("shades", "turn", gan, edits=EditTarget("rotate", -20, 20), evaluation_size=4)
    samples = [event.what for event in job.watch() if isinstance(event.what, JobSample)]
    assert [sample.step for sample in samples] == [4]
    result = job.result()
    assert [(one.kind, one.name, one.loaded) for one in result.artifacts] == [
        (ArtifactKind.GENERATOR, "shades", True),
        (ArtifactKind.DIRECTION, "turn", True),
    ]
    assert len(client.walk("shades", "turn", amount=(-20, 20), seeds=1, frames=3).collect()) == 3
    settings = job.describe().spec.settings
    assert settings["gan"]["loss"] == "hinge"
    assert compared.items() <= settings["gan"].items()
    assert settings["gan"]["augmentation"] == settings["edits"]


def test_a_generator_alone_and_a_bad_one(client: Client):
    growing = {"progressive_from": 4, "fade_steps": 1}
    job = client.train_gan("shades", Gan(data=Folder("shades"), family="stylegan", w_size=3, **growing, **SMALL))
    result, settings = job.result(timeout=400), job.describe().spec.settings["gan"]
    assert (settings["family"], settings["w_size"], settings["style_mixing"]) == ("stylegan", 3, 0.9)
    assert [settings[name] for name in ("progressive_from", "fade_steps", "stable_steps")] == [4, 1, 1]
    assert [(one.kind, one.loaded) for one in result.artifacts] == [(ArtifactKind.GENERATOR, True)]
    assert client.generate("shades", seeds=1).array.shape == (1, 8, 8, 1)
    assert list(result.data_digests) == ["train"]
    again = client.train_gan("shades", Gan(data=Folder("shades"), start_from="shades", steps=1, batch_size=4))
    assert [(one.name, one.version) for one in again.result(timeout=400).artifacts] == [("shades", "2")]
    assert again.describe().spec.settings["gan"].items() >= {"start_from": "shades@1", "family": "stylegan"}.items()
    with pytest.raises(InvalidRequest, match="'shades@2' is stylegan; leave it out"):
        client.train_gan("shades", Gan(data=Folder("shades"), start_from="shades", family="dcgan"))
    assert result.data_digests["train"].startswith("sha256:")
    with pytest.raises(InvalidRequest, match="KMNIST cannot be read"):
        client.train_gan("shades", Gan(data="KMNIST"))
    with pytest.raises(InvalidRequest, match="has 0 classes"):
        client.train_classifier("tell", Folder("shades"))
    with pytest.raises(InvalidRequest, match="'chess' is none of non_saturating"):
        client.train_gan("shades", Gan(data="MNIST", loss="chess"))


def test_a_model_is_measured_under_truncation_and_the_result_tells_by_which(client: Client, tmp_path: Path):
    for number in range(60):
        folder = tmp_path / "data" / "two" / ("dark", "light")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), 20 + number + 100 * (number % 2)).save(folder / f"{number}.png")
    client.train_gan("shades", Gan(data=Folder("shades"), family="stylegan", w_size=3, **SMALL)).result(timeout=120)
    client.train_classifier("judge", Folder("two"), resolution=8, steps=2, batch_size=4).result(timeout=120)
    asked = {"classifier": "judge", "data": Folder("two"), "samples": 100, "distance": "pixels"}
    job = client.train_evaluation("shades", truncations=[0.5, (0.5, 2), 0], **asked)
    result = job.result(timeout=120)
    assert list(result.truncations) == ["psi=0", "psi=0.5", "psi=0.5,layers=2"]
    told = "frechet_distance", "kernel_distance", "precision", "recall"
    assert {tuple(one) for one in result.truncations.values()} == {told}
    assert {f"{name}.ceiling" for name in told[2:]} <= result.measures.keys()
    assert job.describe().spec.settings["truncations"] == [{"psi": 0.5}, {"psi": 0.5, "layers": 2}, {"psi": 0.0}]
    with pytest.raises(InvalidRequest, match=r"truncations\[0\]\.threshold.*give a psi"):
        client.train_evaluation("shades", thresholds=[0.5], **asked)
    with pytest.raises(InvalidRequest, match=r"evaluation\.data.*is needed with truncations"):
        client.train_evaluation("shades", truncations=[0.5])
