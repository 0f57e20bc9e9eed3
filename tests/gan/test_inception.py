"""Inception v3 with random weights: its features, in both layouts, and which files are none."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from backbone_files import PUBLISHED, TORCHVISION, inception_weights, write_inception
from torch import Tensor
from torch.nn import functional as F
from torchvision.models import Inception3
from torchvision.models import inception as torchvision_inception

from latentwalk.gan.errors import CheckpointRefused, GanError, MissingBackbone
from latentwalk.gan.inception import INCEPTION, Inception, read_inception, resized_as_tensorflow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("inception")


@pytest.fixture(scope="module")
def published(folder: Path) -> Inception:
    return Inception(write_inception(folder / "published.pth"))


@pytest.fixture(scope="module")
def torchvisions(folder: Path) -> Inception:
    return Inception(write_inception(folder / "torchvision.pth", TORCHVISION))


def bytes_of(side: int, channels: int = 3) -> Tensor:
    return torch.randint(0, 256, (2, channels, side, side), generator=torch.Generator().manual_seed(side)).float()


def peer(classes: int) -> Inception3:
    """Torchvision's own, from pictures to features."""
    network = Inception3(num_classes=classes, aux_logits=classes == TORCHVISION, init_weights=False)
    network.load_state_dict(inception_weights(classes))
    network.fc = torch.nn.Identity()
    return network.eval()


@contextmanager
def pools_of_2015() -> Iterator[list[int]]:
    """Within it, torchvision's blocks pool as TensorFlow's did: the last of nine takes the maximum."""
    calls, average = [], F.avg_pool2d

    def pool(x: Tensor, kernel_size: int, stride: int, padding: int) -> Tensor:
        calls.append(kernel_size)
        if len(calls) == 9:
            return F.max_pool2d(x, kernel_size, stride, padding)
        return average(x, kernel_size, stride, padding, count_include_pad=False)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torchvision_inception.F, "avg_pool2d", pool)
        yield calls


@torch.no_grad()
def test_the_features_are_those_in_which_papers_take_fid(published: Inception) -> None:
    seen = bytes_of(299)
    features = published(seen / 127.5 - 1)
    with pools_of_2015() as calls:
        expected = peer(PUBLISHED)((seen - 128) / 128)
    assert (len(calls), published.is_published) == (9, True)
    assert features.shape == (2, 2_048)
    assert features.std() > 0.01
    torch.testing.assert_close(features, expected, rtol=1e-3, atol=1e-3)
    assert not torch.allclose(features, peer(PUBLISHED)((seen - 128) / 128), rtol=0.01)


@torch.no_grad()
def test_with_the_weights_of_torchvision_they_are_those_of_its_own_graph(torchvisions: Inception) -> None:
    pictures = bytes_of(64) / 127.5 - 1
    expected = peer(TORCHVISION)(F.interpolate(pictures, (299, 299), mode="bilinear", align_corners=False))
    assert not torchvisions.is_published
    torch.testing.assert_close(torchvisions(pictures), expected, rtol=1e-3, atol=1e-3)


@torch.no_grad()
def test_grey_pictures_are_seen_as_grey_colours_and_others_are_refused(published: Inception) -> None:
    grey = bytes_of(32, channels=1) / 127.5 - 1
    torch.testing.assert_close(published(grey), published(grey.repeat(1, 3, 1, 1)))
    with pytest.raises(GanError, match="2 channels: Inception v3 needs 1"):
        published(bytes_of(32, channels=2))


def test_pictures_are_resized_as_tensorflow_did() -> None:
    row = torch.tensor([[[[0.0, 1.0]]]])
    assert resized_as_tensorflow(row, 4).tolist() == [[[[0.0, 0.5, 1.0, 1.0]] * 4]]
    ramp = torch.arange(16.0).view(1, 1, 4, 4)
    assert resized_as_tensorflow(ramp, 2).tolist() == [[[[0.0, 2.0], [8.0, 10.0]]]]
    assert torch.equal(resized_as_tensorflow(ramp, 4), ramp)


def test_a_file_that_is_none_is_refused_and_says_what_is_wrong(folder: Path, published: Inception) -> None:
    weights = torch.load(folder / "published.pth", weights_only=True)
    few = {name: tensor for name, tensor in weights.items() if not name.startswith("Mixed_7c.branch_pool")}
    torch.save(few, folder / "few.pth")
    with pytest.raises(GanError, match=r"few\.pth holds no Inception v3: Mixed_7c\.branch_pool\.\S+ is missing"):
        read_inception(folder / "few.pth")
    torch.save(weights | {"fc.bias": torch.zeros(21_841)}, folder / "many.pth")
    with pytest.raises(GanError, match=r"no Inception v3 of 1,008 classes \(FID's\) or 1,000"):
        read_inception(folder / "many.pth")
    (folder / "broken.pth").write_bytes(b"\x00" * 100)
    with pytest.raises(CheckpointRefused):
        read_inception(folder / "broken.pth")


def test_it_is_found_at_a_path_or_in_the_cache_of_torch_where_that_of_papers_goes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    cache = tmp_path / "hub" / "checkpoints"
    with pytest.raises(MissingBackbone) as missing:
        INCEPTION.find()
    assert f"there is no {cache / INCEPTION.files[0]}:" in str(missing.value)
    assert "https://github.com/mseitzer/pytorch-fid/" in str(missing.value)
    assert str(missing.value).endswith("or say where it lies (inception_weights)")
    cache.mkdir(parents=True)
    for name in reversed(INCEPTION.files):
        (cache / name).touch()
        assert INCEPTION.find() == INCEPTION.find(cache) == cache / name
    assert INCEPTION.find(cache / INCEPTION.files[-1]) == cache / INCEPTION.files[-1]
