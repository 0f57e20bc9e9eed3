"""Data sets: read whole, refused by name, and seen in an order that follows from the seed."""

import os
import resource
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, features

from latentwalk.trainer.data import DataRefused, Form, Library
from latentwalk.trainer.order import Order


def picture(path: Path, size: tuple[int, int] = (20, 20), mode: str = "L", shade: int = 200) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, shade if mode == "L" else (shade, 0, 0)).save(path)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path)


def test_a_data_set_of_torchvision_is_read_by_its_name(mnist: Path) -> None:
    library = Library(mnist)
    assert library.form("dataset", "MNIST") == Form(channels=1, classes=10, tested=10)
    train, test = (library.read("dataset", "MNIST", part, 32) for part in ("train", "test"))
    assert train.images.shape == (40, 1, 32, 32)
    assert len(test) == 10
    assert train.labels is not None
    assert train.labels.tolist() == [number % 10 for number in range(40)]
    assert (train.images[17] == 17).all()
    assert train.digest != test.digest


def test_a_data_set_that_is_not_there_is_refused_with_what_to_do(library: Library) -> None:
    with pytest.raises(DataRefused, match=r"data set MNIST cannot be read.*--download") as refused:
        library.form("dataset", "MNIST")
    assert str(library.root) in str(refused.value)
    assert "download=True" not in str(refused.value)
    with pytest.raises(DataRefused, match="'ImageNet' is none of MNIST"):
        library.form("dataset", "ImageNet")


def test_a_folder_is_cut_to_squares_and_every_tenth_picture_is_for_tests(library: Library) -> None:
    for number in range(21):
        picture(library.root / "flat" / f"{number:02}.png", size=(30, 20), shade=number * 10)
    assert library.form("folder", "flat") == Form(channels=1, classes=0, tested=3)
    train, test = (library.read("folder", "flat", part, 16) for part in ("train", "test"))
    assert train.images.shape == (18, 1, 16, 16)
    assert test.images[:, 0, 0, 0].tolist() == [0, 100, 200]
    assert train.labels is None
    assert train.pictures(torch.tensor([0])).flatten()[0].item() == pytest.approx(10 / 127.5 - 1)


def test_sub_folders_are_classes_and_one_colour_picture_makes_all_of_them_colour(library: Library) -> None:
    for number in range(5):
        picture(library.root / "animals" / "cat" / f"{number}.png")
        picture(library.root / "animals" / "dog" / f"{number}.png", mode="RGB")
    assert library.form("folder", "animals") == Form(channels=3, classes=2, tested=1)
    train = library.read("folder", "animals", "train", 8)
    assert train.classes == ("cat", "dog")
    assert train.labels is not None
    assert train.labels.tolist() == [0] * 4 + [1] * 5
    assert train.images[0, :, 0, 0].tolist() == [200, 200, 200]
    assert train.images[-1, :, 0, 0].tolist() == [200, 0, 0]


def test_pictures_of_sixteen_bits_keep_their_greys(library: Library) -> None:
    ramp = (np.arange(256, dtype=np.uint16) * 257).reshape(16, 16)
    (library.root / "deep").mkdir(parents=True)
    for name in ("a", "b"):
        Image.fromarray(ramp).save(library.root / "deep" / f"{name}.png")
    train = library.read("folder", "deep", "train", 16)
    assert train.images.flatten().tolist() == list(range(256))


@pytest.mark.parametrize(
    ("exif", "upright"),
    [
        (b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0", True),  # a quarter turn
        (b"no EXIF at all", False),
        (b"II*\0", False),  # which breaks off
    ],
)
def test_pictures_are_turned_upright_where_their_files_say_how(library: Library, exif: bytes, upright: bool) -> None:
    """As a telephone writes them that was held upright."""
    lying = np.zeros((8, 8), np.uint8)
    lying[:, 0] = 255
    (library.root / "photos").mkdir(parents=True)
    for name in ("a", "b"):
        Image.fromarray(lying).save(library.root / "photos" / f"{name}.png", exif=b"Exif\0\0" + exif)
    [photo] = library.read("folder", "photos", "train", 8).images[:, 0]
    white = (photo[0], photo[1:]) if upright else (photo[:, 0], photo[:, 1:])
    assert (white[0] == 255).all()
    assert (white[1] == 0).all()


def test_what_one_can_see_through_is_on_white(library: Library) -> None:
    (library.root / "stickers").mkdir(parents=True)
    sticker = Image.new("RGBA", (8, 8), (0, 90, 0, 0))
    sticker.paste((200, 0, 0, 255), (0, 0, 8, 4))
    for name in ("a", "b"):
        sticker.save(library.root / "stickers" / f"{name}.png")
    [seen] = library.read("folder", "stickers", "train", 8).images
    assert seen[:, 0, 0].tolist() == [200, 0, 0]
    assert seen[:, 7, 7].tolist() == [255, 255, 255]


def test_pictures_of_fractions_are_refused_before_anything_is_queued(library: Library) -> None:
    picture(library.root / "raw" / "b.png")
    Image.fromarray(np.ones((4, 4), np.float32)).save(library.root / "raw" / "a.tiff")
    with pytest.raises(DataRefused, match=r"a\.tiff has pixels that are fractions"):
        library.form("folder", "raw")


def test_what_is_no_picture_is_refused_by_its_name(library: Library) -> None:
    picture(library.root / "mixed" / "a.png")
    (library.root / "mixed" / "notes.txt").write_text("not a picture")
    with pytest.raises(DataRefused, match=r"notes\.txt is no picture"):
        library.form("folder", "mixed")
    picture(library.root / "torn" / "a.png")
    whole = library.root / "torn" / "b.png"
    Image.effect_noise((64, 64), 50).save(whole)
    whole.write_bytes(whole.read_bytes()[:200])
    with pytest.raises(DataRefused, match=r"b\.png is a broken picture"):
        library.read("folder", "torn", "train", 8)


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow reads no AVIF")
def test_a_picture_whose_decoder_fails_in_its_own_way_is_refused_by_its_name(library: Library) -> None:
    strange = library.root / "strange" / "a.avif"
    picture(strange, mode="RGB")
    picture(library.root / "strange" / "b.png")
    content = strange.read_bytes()
    strange.write_bytes(content.replace(b"pitm", b"none"))  # which item is the picture: a RuntimeError of Pillow's
    with pytest.raises(DataRefused, match=r"a\.avif is no picture: Failed to decode"):
        library.form("folder", "strange")


def test_the_name_of_a_file_is_told_whatever_its_bytes_are(library: Library) -> None:
    picture(library.root / "odd" / "b.png")
    Path(os.fsdecode(bytes(library.root / "odd") + b"/\xff.png")).write_text("not a picture")
    with pytest.raises(DataRefused, match=r"/\uFFFD\.png is no picture") as refused:
        library.form("folder", "odd")
    assert str(refused.value).encode()  # as it must be to reach a caller


def test_a_line_of_pixels_takes_no_more_memory_than_its_middle(library: Library) -> None:
    ramp = np.linspace(0, 255, 60_000).astype(np.uint8)[None]
    (library.root / "lines").mkdir(parents=True)
    for name in ("a", "b"):
        Image.fromarray(ramp).save(library.root / "lines" / f"{name}.png")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    [line] = library.read("folder", "lines", "train", 64).images
    assert line.float().mean().item() == pytest.approx(127.5, abs=1)  # scaled as a whole, it would have a GiB
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("nowhere", "there is no folder"),
        ("../outside", "leads out"),
        ("/etc", "leads out"),
        ("empty", "folder 'empty' has no pictures: at least 2 are needed"),
        ("one", "folder 'one' has 1 picture: at least 2 are needed"),
        ("loop", "cannot be read"),
        ("nul\0", "cannot be read"),
        ("x" * 300, "cannot be read"),
    ],
)
def test_folders_that_cannot_be_are_refused(library: Library, name: str, problem: str) -> None:
    (library.root / "empty").mkdir()
    picture(library.root / "one" / "1.png")
    (library.root / "loop").symlink_to("loop")
    with pytest.raises(DataRefused, match=problem):
        library.form("folder", name)


def test_a_picture_beside_the_sub_folders_is_refused(library: Library) -> None:
    picture(library.root / "both" / "cat" / "1.png")
    picture(library.root / "both" / "stray.png")
    with pytest.raises(DataRefused, match=r"'stray\.png' beside them"):
        library.form("folder", "both")


def test_a_class_of_which_nothing_might_be_learned_is_refused(library: Library) -> None:
    for name in ("cat/1.png", "cat/2.png", "dog/1.png"):  # the dog, third of all, is not of the test part: by chance
        picture(library.root / "pets" / name)
    with pytest.raises(DataRefused, match="class 'dog' of folder 'pets' has 1 picture: at least 2 are needed"):
        library.form("folder", "pets")
    (library.root / "pets" / "dog" / "1.png").unlink()
    with pytest.raises(DataRefused, match="class 'dog' of folder 'pets' has no pictures"):
        library.read("folder", "pets", "train", 8)


def test_every_epoch_shows_every_row_once_in_an_order_of_its_own() -> None:
    order = Order(10, job_seed=3)
    sequence = torch.cat([order.rows(step, 4) for step in range(10)])
    epochs = sequence.split(10)
    assert all(sorted(epoch.tolist()) == list(range(10)) for epoch in epochs)
    assert len({tuple(epoch.tolist()) for epoch in epochs}) == 4
    assert torch.equal(Order(10, 3).rows(7, 4), order.rows(7, 4))
    assert not torch.equal(Order(10, 4).rows(7, 4), order.rows(7, 4))


def test_a_batch_may_be_larger_than_the_data() -> None:
    assert sorted(Order(3, 0).rows(0, 7).tolist())[:2] == [0, 0]
