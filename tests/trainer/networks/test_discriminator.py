"""The discriminator: one score a picture, under a condition, and bounded if it is to be."""

import pytest
import torch

from latentwalk.gan.spec import GeneratorSpec
from latentwalk.trainer.networks.discriminator import Discriminator


def make(resolution: int = 16, classes: int = 0, **options: bool | int) -> Discriminator:
    torch.manual_seed(0)
    return Discriminator(GeneratorSpec("dcgan", 4, classes, resolution, 1, {"width": 4}), width=4, **options)


@pytest.mark.parametrize("resolution", [8, 16, 64])
def test_a_score_depends_on_its_own_picture_alone(resolution: int) -> None:
    discriminator, pictures = make(resolution), torch.randn(6, 1, resolution, resolution)
    scores = discriminator(pictures)
    assert scores.shape == (6,)
    assert torch.allclose(discriminator(pictures[4:5]), scores[4:5], atol=1e-5)


def test_in_groups_a_score_depends_on_the_pictures_of_its_own_group_and_on_no_others() -> None:
    discriminator, pictures = make(group=4), torch.randn(8, 1, 16, 16)
    scores, changed = discriminator(pictures), pictures.clone()
    changed[5] = torch.randn(1, 16, 16)
    after = discriminator(changed)
    assert torch.equal(after[:4], scores[:4])
    assert (after[4:] != scores[4:]).all()


def test_the_channel_of_a_group_is_the_mean_deviation_of_its_features() -> None:
    features = torch.randn(8, 3, 4, 4)
    widened = make(group=4).compared[1](features)
    assert torch.equal(widened[:, :3], features)
    for group in (slice(0, 4), slice(4, 8)):
        expected = features[group].numpy().std(axis=0).mean()
        torch.testing.assert_close(widened[group, 3], torch.full((4, 4, 4), float(expected)))


@pytest.mark.parametrize("side", [4, 8, 16])
def test_groups_are_compared_at_every_size_of_one_that_grows_and_have_gradients_of_the_second_order(side: int) -> None:
    discriminator, pictures = make(start=4, group=4), torch.randn(4, 1, side, side, requires_grad=True)
    scores = discriminator(pictures, share=0.5 if side > 4 else 1.0)
    (gradient,) = torch.autograd.grad(scores.sum(), pictures, create_graph=True)
    gradient.square().sum().backward()
    weights = discriminator.compared[2].weight.grad
    assert weights.isfinite().all()
    assert weights[:, -1].abs().max() > 0


def test_pictures_that_are_all_alike_have_gradients_too() -> None:
    pictures = torch.zeros(4, 1, 16, 16, requires_grad=True)
    (gradient,) = torch.autograd.grad(make(group=4)(pictures).sum(), pictures)
    assert gradient.isfinite().all()


def test_the_same_picture_scores_differently_under_another_class() -> None:
    discriminator, picture = make(classes=3), torch.randn(1, 1, 16, 16).expand(3, -1, -1, -1)
    scores = discriminator(picture, torch.eye(3))
    assert len(set(scores.tolist())) == 3
    mixed = discriminator(picture[:1], torch.tensor([[0.5, 0.5, 0.0]]))
    assert torch.allclose(mixed, scores[:2].mean(), atol=1e-5)  # by projection, it is linear in the condition


def test_spectral_normalisation_bounds_how_fast_the_score_changes() -> None:
    def steepness(discriminator: Discriminator) -> float:
        for _ in range(30):  # of the power iteration
            discriminator(torch.randn(4, 1, 16, 16))
        pictures = torch.randn(64, 1, 16, 16, requires_grad=True)
        (gradient,) = torch.autograd.grad(discriminator(100 * pictures).sum(), pictures)
        return gradient.flatten(1).norm(dim=1).max().item() / 100

    # A 4x4 kernel of spectral norm 1, taken as a matrix, is a convolution of norm at most 2 at stride 2.
    assert steepness(make(normalised=True)) <= 2**2
    plain = make()
    with torch.no_grad():
        for parameter in plain.parameters():
            parameter.mul_(10)
    assert steepness(plain) > 2**2
