"""LPIPS, with a backbone of random weights in torchvision's layout: the real one is a download."""

import warnings
from pathlib import Path

import pytest
import torch
from backbone_files import write_alexnet
from torch import Tensor

from latentwalk.gan.errors import CheckpointRefused, GanError, MissingBackbone
from latentwalk.gan.perceptual import ALEXNET, BACKBONE_FILE, PerceptualError


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of torch with an AlexNet in its cache, where torchvision looks for it."""
    home = tmp_path_factory.mktemp("torch")
    (home / "hub" / "checkpoints").mkdir(parents=True)
    write_alexnet(home / "hub" / "checkpoints" / BACKBONE_FILE)
    return home


@pytest.fixture(scope="module")
def backbone(home: Path) -> Path:
    return home / "hub" / "checkpoints" / BACKBONE_FILE


@pytest.fixture(scope="module")
def error(backbone: Path) -> PerceptualError:
    return PerceptualError(backbone)


@pytest.fixture(scope="module")
def peer(backbone: Path):
    """LPIPS as its authors load it, with the same weights of the backbone."""
    import lpips

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
    weights = torch.load(backbone, weights_only=True)
    convolutions = [layer for layer in peer.net.modules() if isinstance(layer, torch.nn.Conv2d)]
    for layer, index in zip(convolutions, (0, 3, 6, 8, 10), strict=True):
        layer.weight.data, layer.bias.data = weights[f"features.{index}.weight"], weights[f"features.{index}.bias"]
    return peer


def pictures(seed: int, channels: int = 3, size: int = 40) -> Tensor:
    return torch.rand(3, channels, size, size, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def half_masks() -> Tensor:
    masks = torch.ones(3, 1, 40, 40)
    masks[1, :, :20] = 0
    masks[2] = 0
    return masks


def test_it_is_lpips_of_the_masked_pictures_row_by_row(error: PerceptualError, peer) -> None:
    a, b, mask = pictures(1), pictures(2), half_masks()
    errors = error(a, b, mask)
    with torch.no_grad():
        expected = torch.cat([peer(mask[row] * a[row, None], mask[row] * b[row, None]).flatten() for row in range(3)])
    torch.testing.assert_close(errors, expected)
    assert errors[0] > 0
    assert errors[2] == 0


def test_grey_pictures_are_compared_as_grey_colours(error: PerceptualError) -> None:
    a, b, mask = pictures(1, channels=1), pictures(2, channels=1), half_masks()
    assert torch.equal(error(a, b, mask), error(a.repeat(1, 3, 1, 1), b.repeat(1, 3, 1, 1), mask))


def test_gradients_reach_the_pictures_and_nothing_else(error: PerceptualError) -> None:
    a = pictures(1).requires_grad_()
    error(a, pictures(2), half_masks()).sum().backward()
    assert a.grad[0].abs().sum() > 0
    assert not a.grad[1, :, :20].any()


def test_loading_draws_no_random_numbers(backbone: Path) -> None:
    state = torch.get_rng_state()
    PerceptualError(backbone)
    assert torch.equal(torch.get_rng_state(), state)


def test_pictures_that_it_cannot_compare_are_refused(error: PerceptualError) -> None:
    small = pictures(1, size=30)
    with pytest.raises(GanError, match="30 px: LPIPS needs at least 31"):
        error(small, small, torch.ones(3, 1, 30, 30))
    with pytest.raises(GanError, match="2 channels"):
        error(pictures(1, channels=2), pictures(2, channels=2), half_masks())
    just = pictures(1, size=31)
    assert error(just, just, torch.ones(3, 1, 31, 31)).tolist() == [0, 0, 0]


# -- where the backbone lies -------------------------------------------------------------------------------------------


def test_the_backbone_is_taken_from_a_path_or_from_the_cache_of_torchvision(
    home: Path, backbone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ALEXNET.find(backbone) == backbone
    assert ALEXNET.find(backbone.parent) == backbone
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    monkeypatch.setenv("TORCH_HOME", str(home))
    assert ALEXNET.find() == backbone


def test_without_the_backbone_the_error_names_the_file_to_put_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    cached = tmp_path / "hub" / "checkpoints" / BACKBONE_FILE
    for path, file in ((None, cached), (tmp_path, tmp_path / BACKBONE_FILE), (tmp_path / "x.pth", tmp_path / "x.pth")):
        with pytest.raises(MissingBackbone) as caught:
            ALEXNET.find(path)
        assert f"there is no {file}:" in str(caught.value)
        assert f"https://download.pytorch.org/models/{BACKBONE_FILE}" in str(caught.value)
        assert str(caught.value).endswith("or say where it lies (lpips_backbone)")
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_no_alexnet_is_refused(tmp_path: Path) -> None:
    torch.save({"features.0.weight": torch.zeros(64, 3, 11, 11)}, tmp_path / "part.pth")
    with pytest.raises(GanError, match="holds no AlexNet"):
        PerceptualError(tmp_path / "part.pth")
    (tmp_path / "broken.pth").write_bytes(b"\x00" * 100)
    with pytest.raises(CheckpointRefused):
        PerceptualError(tmp_path / "broken.pth")
