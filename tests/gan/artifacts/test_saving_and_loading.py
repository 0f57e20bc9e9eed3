import copy
import dataclasses
import json
import math
from pathlib import Path

import pytest
import torch

from latentwalk.gan.artifacts import (
    ArtifactStore,
    load_direction,
    load_generator,
    save_direction,
    save_generator,
)
from latentwalk.gan.directions import LinearDirection
from latentwalk.gan.errors import CorruptArtifact, UnknownArtifact
from latentwalk.gan.generator import Generator
from latentwalk.gan.latents import z_from_seeds

SAID = {"provenance": {"job": "7"}, "created": "2025-01-01T00:00:00+00:00"}


def test_a_generator_comes_back_frozen_with_its_digest_and_draws_the_same(
    store: ArtifactStore, generator: Generator
) -> None:
    saved = save_generator(store, "faces", generator, **SAID)
    loaded, ref = load_generator(store, "faces")
    assert ref == saved
    assert loaded.spec == generator.spec
    assert loaded.digest == generator.digest
    assert not loaded.training
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    z = z_from_seeds(range(3), 6)
    assert torch.equal(loaded(z), generator(z))


def test_a_chosen_version_is_loaded(store: ArtifactStore, generator: Generator) -> None:
    save_generator(store, "faces", generator, **SAID)
    other = copy.deepcopy(generator).train()
    other(torch.randn(8, 6))
    save_generator(store, "faces", other, **SAID)
    assert load_generator(store, "faces")[0].digest == other.digest
    assert load_generator(store, "faces", 1)[0].digest == generator.digest
    with pytest.raises(UnknownArtifact):
        load_generator(store, "faces", 3)


def test_a_generator_in_training_is_published_as_it_is_now(store: ArtifactStore, generator: Generator) -> None:
    with torch.no_grad():
        next(generator.parameters()).add_(1)
    save_generator(store, "faces", generator, **SAID)
    assert load_generator(store, "faces")[0].digest == generator.freeze().digest


def test_a_generator_in_channels_last_is_the_same_artifact(store: ArtifactStore, generator: Generator) -> None:
    digest = generator.digest
    save_generator(store, "faces", copy.deepcopy(generator).to(memory_format=torch.channels_last), **SAID)
    assert load_generator(store, "faces")[0].digest == digest


def test_loading_draws_no_random_numbers(store: ArtifactStore, generator: Generator) -> None:
    save_generator(store, "faces", generator, **SAID)
    state = torch.get_rng_state()
    load_generator(store, "faces")
    assert torch.equal(torch.get_rng_state(), state)


def test_the_manifest_of_a_generator_says_what_it_is(store: ArtifactStore, generator: Generator) -> None:
    save_generator(store, "faces", generator, **SAID)
    manifest = store.get("generators", "faces").manifest
    assert manifest["body"] == {"spec": generator.spec.to_json(), "digest": generator.digest}
    assert manifest["provenance"] == {"job": "7"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda body: body.update(digest="sha256:0"), "digest"),
        (lambda body: body.pop("digest"), "digest"),
        (lambda body: body.pop("spec"), "spec"),
        (lambda body: body.update(spec=3), "spec"),
        (lambda body: body["spec"].update(family="vae"), "vae"),
        (lambda body: body["spec"].update(resolution=32), "main.4.weight"),
        (lambda body: body["spec"].update(latent_size=7), "main.0.weight"),
        (lambda body: body["spec"].update(range=[0.0, 1.0]), "digest"),
    ],
)
def test_a_manifest_that_does_not_fit_the_weights_is_refused(
    store: ArtifactStore, generator: Generator, tmp_path: Path, change, reason: str
) -> None:
    save_generator(store, "faces", generator, **SAID)
    rewrite(tmp_path / "store" / "generators" / "faces" / "1" / "manifest.json", change)
    with pytest.raises(CorruptArtifact, match=reason) as caught:
        load_generator(store, "faces")
    assert caught.value.path.endswith("generators/faces/1/manifest.json")


def test_a_direction_comes_back_as_it_was(store: ArtifactStore, direction: LinearDirection) -> None:
    saved = save_direction(store, "faces", direction, **SAID)
    assert (saved.kind, saved.name, saved.version) == ("directions", "faces/camera", 1)
    loaded, ref = load_direction(store, "faces", "camera")
    assert ref == saved
    assert torch.equal(loaded.vectors, direction.vectors)
    for field in ("name", "generator_digest", "space", "sliders"):
        assert getattr(loaded, field) == getattr(direction, field)


def test_a_chosen_version_of_a_direction_is_loaded(store: ArtifactStore, direction: LinearDirection) -> None:
    save_direction(store, "faces", direction, **SAID)
    save_direction(store, "faces", dataclasses.replace(direction, vectors=-direction.vectors), **SAID)
    assert torch.equal(load_direction(store, "faces", "camera")[0].vectors, -direction.vectors)
    assert torch.equal(load_direction(store, "faces", "camera", 1)[0].vectors, direction.vectors)
    with pytest.raises(UnknownArtifact, match="no 'faces/age' in directions: use one of camera"):
        load_direction(store, "faces", "age")


@pytest.mark.parametrize(
    "vectors",
    [
        torch.full((2, 6), math.nan),
        torch.zeros(3, 6),
        torch.zeros(12),
        torch.zeros(2, 6, dtype=torch.float64),
    ],
    ids=["nan", "rows", "flat", "float64"],
)
def test_vectors_that_cannot_be_are_refused_at_load(store: ArtifactStore, direction: LinearDirection, vectors) -> None:
    save_direction(store, "faces", direction, **SAID)
    body = store.get("directions", "faces/camera").manifest["body"]
    store.put("directions", "faces/camera", tensors={"vectors": vectors}, body=body, **SAID)
    with pytest.raises(CorruptArtifact, match="vectors of direction 'camera'"):
        load_direction(store, "faces", "camera")


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.pop("sliders"),
        lambda body: body.update(sliders=3),
        lambda body: body.pop("generator_digest"),
        lambda body: body["sliders"][0].pop("scale"),
        lambda body: body["sliders"][0].update(scale="big"),
        lambda body: body["sliders"][0].update(limit=[1]),
        lambda body: body["sliders"][0].update(limit=[1, -1]),
        lambda body: body["sliders"][0].update(edit="blur"),
        lambda body: body["sliders"][1].update(name="zoom"),
    ],
)
def test_a_body_that_describes_no_direction_is_refused(
    store: ArtifactStore, direction: LinearDirection, tmp_path: Path, change
) -> None:
    save_direction(store, "faces", direction, **SAID)
    rewrite(tmp_path / "store" / "directions" / "faces" / "camera" / "1" / "manifest.json", change)
    with pytest.raises(CorruptArtifact, match="describes no direction"):
        load_direction(store, "faces", "camera")


def rewrite(path: Path, change) -> None:
    manifest = json.loads(path.read_text())
    change(manifest["body"])
    path.write_text(json.dumps(manifest))
