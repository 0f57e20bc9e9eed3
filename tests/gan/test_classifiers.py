"""Classifiers: what they see, what they say, and how they are kept."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from latentwalk.gan.artifacts import ArtifactStore, load_classifier, save_classifier
from latentwalk.gan.classifiers import Classifier, ClassifierSpec, build_classifier
from latentwalk.gan.errors import CorruptArtifact, GanError, OutOfRange, UnknownArtifact, UnknownFamily

SPEC = ClassifierSpec("convolutional", classes=4, resolution=16, channels=1, config={"width": 4})


class Pixels(Classifier):
    """Tells pictures by their pixels, as it sees them."""

    @property
    def feature_size(self) -> int:
        return self.spec.channels * self.spec.resolution**2

    def _features(self, pictures: Tensor) -> Tensor:
        return pictures.flatten(1)

    def logits(self, features: Tensor) -> Tensor:
        return features[:, : self.spec.classes]


def seen(pictures: Tensor, resolution: int = 16) -> Tensor:
    """What a classifier sees of grey pictures [N, 1, H, W], at its resolution."""
    spec = replace(SPEC, resolution=resolution)
    return Pixels(spec).features(pictures).unflatten(1, (1, resolution, resolution))


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


def test_pictures_of_its_own_size_are_seen_as_they_are() -> None:
    pictures = torch.rand(2, 1, 16, 16)
    assert torch.equal(seen(pictures), pictures)


def test_of_pictures_twice_as_large_each_pixel_is_a_triangle_of_four_a_side() -> None:
    pictures = torch.rand(2, 1, 32, 32, dtype=torch.float64)
    side = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=torch.float64) / 8
    inside = F.conv2d(pictures, torch.outer(side, side)[None, None], stride=2, padding=1)[..., 1:-1, 1:-1]
    torch.testing.assert_close(seen(pictures)[..., 1:-1, 1:-1], inside)


@pytest.mark.parametrize("larger", [17, 24, 31, 50, 64])
def test_pictures_of_any_larger_size_keep_shades_and_places(larger: int) -> None:
    torch.testing.assert_close(seen(torch.full((1, 1, larger, larger), 0.3)), torch.full((1, 1, 16, 16), 0.3))
    ramp = torch.arange(larger).expand(1, 1, larger, larger).float()
    places = (torch.arange(16) + 0.5) * larger / 16 - 0.5
    assert (seen(ramp)[0, 0, 2:-2, 2:-2] - places[2:-2]).abs().max() < 0.05


@pytest.mark.parametrize("larger", [31, 32, 48, 50])
def test_what_is_too_fine_for_it_is_not_there(larger: int) -> None:
    """A chessboard whose fields are pixels, of which every other size would otherwise show some pattern."""
    place = torch.arange(larger)
    fields = ((place[:, None] + place) % 2 * 2.0 - 1)[None, None]
    assert seen(fields)[..., 2:-2, 2:-2].abs().max() < 0.02


def test_gradients_reach_larger_pictures(classifier: Classifier) -> None:
    pictures = torch.rand(2, 1, 40, 40, requires_grad=True)
    classifier(pictures)[:, 0].sum().backward()
    assert pictures.grad is not None
    assert pictures.grad.abs().amax(dim=(1, 2, 3)).min() > 0


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 1, 15, 15), r"16 px, .* these have 15 px: take one that was trained at 15 px or less"),
        ((1, 1, 32, 15), "these have 15 px"),
        ((1, 3, 16, 16), "1 channels, and these have 3: take one that was trained on such pictures"),
    ],
)
def test_what_it_cannot_see_is_refused(classifier: Classifier, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(GanError, match=message):
        classifier(torch.zeros(shape))


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
