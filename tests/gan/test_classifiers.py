"""Classifiers: what they are told by, what they say, and how they are kept."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from latentwalk.gan.artifacts import ArtifactStore, load_classifier, save_classifier
from latentwalk.gan.classifiers import Classifier, ClassifierSpec, build_classifier
from latentwalk.gan.errors import CorruptArtifact, GanError, OutOfRange, UnknownArtifact, UnknownFamily

SPEC = ClassifierSpec("convolutional", classes=4, resolution=16, channels=1, config={"width": 4})


@pytest.fixture
def classifier() -> Classifier:
    torch.manual_seed(0)
    return build_classifier(SPEC).freeze()


def test_it_gives_one_logit_a_class_from_features_that_depend_on_the_picture_alone(classifier: Classifier) -> None:
    pictures = torch.rand(5, 1, 16, 16) * 2 - 1
    logits, features = classifier(pictures), classifier.features(pictures)
    assert logits.shape == (5, 4)
    assert features.shape == (5, 8)
    assert torch.allclose(classifier(pictures[2:3]), logits[2:3], atol=1e-6)


def test_it_learns_to_tell_what_differs() -> None:
    torch.manual_seed(0)
    classifier = build_classifier(SPEC).train()
    optimiser = torch.optim.Adam(classifier.parameters(), lr=0.01)
    labels = torch.arange(4).repeat(8)
    pictures = torch.full((32, 1, 16, 16), -1.0)
    for row, label in enumerate(labels.tolist()):
        pictures[row, 0, 8 * (label // 2) :][:8, 8 * (label % 2) :][:, :4] = 1.0
    for _ in range(60):
        loss = torch.nn.functional.cross_entropy(classifier(pictures), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.2


def test_it_comes_back_from_the_store_frozen_and_says_the_same(store: ArtifactStore, classifier: Classifier) -> None:
    saved = save_classifier(store, "digits", classifier, provenance={"job": "7"}, created="2026-01-01T00:00:00+00:00")
    loaded, ref = load_classifier(store, "digits")
    assert ref == saved
    assert loaded.spec == SPEC
    assert not loaded.training
    pictures = torch.rand(3, 1, 16, 16)
    assert torch.equal(loaded(pictures), classifier(pictures))


def test_one_that_is_missing_or_damaged_is_refused(
    store: ArtifactStore, classifier: Classifier, tmp_path: Path
) -> None:
    with pytest.raises(UnknownArtifact, match="no 'digits' in classifiers"):
        load_classifier(store, "digits")
    save_classifier(store, "digits", classifier, provenance={}, created="")
    manifest = next(tmp_path.rglob("manifest.json"))
    manifest.write_text(manifest.read_text().replace('"classes": 4', '"classes": 5'))
    with pytest.raises(CorruptArtifact, match="do not fit"):
        load_classifier(store, "digits")


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"family": "oracle"}, UnknownFamily, "'oracle'"),
        ({"config": {}}, GanError, "width"),
        ({"config": {"width": 0}}, GanError, "width"),
    ],
)
def test_a_spec_that_fits_no_family_is_refused(change: dict, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        build_classifier(replace(SPEC, **change))


def test_numbers_out_of_range_are_refused() -> None:
    with pytest.raises(OutOfRange, match="classes of the classifier is 1"):
        replace(SPEC, classes=1)
    with pytest.raises(GanError, match="cannot be"):
        ClassifierSpec.from_json({"family": "convolutional"})
    assert ClassifierSpec.from_json(SPEC.to_json()) == SPEC
