"""Pictures: drawn by a real server, seen as arrays, images and files."""

import io

import numpy as np
import pytest
from PIL import Image

from latentwalk.client import Client, Displacement, InvalidRequest, Picture, Pictures
from latentwalk.v1 import image_pb2
from latentwalk.v1.generation_service_pb2 import GenerateResponse


def test_a_picture_is_bytes_an_array_and_an_image(client: Client):
    picture = client.generate("tiny", seeds=7)[0]
    assert picture.array.shape == (picture.height, picture.width, picture.channels) == (16, 16, 3)
    assert picture.array.dtype == np.uint8
    assert picture.array.tobytes() == picture.data
    assert picture.image().mode == "RGB"
    assert picture.array.std() > 20


def test_pictures_come_in_the_order_of_the_seeds_and_name_their_weights(client: Client):
    pictures = client.generate("tiny", seeds=[3, 1, 2])
    assert pictures.array.shape == (3, 16, 16, 3)
    assert pictures.model_digest == client.model("tiny").digest
    assert pictures.model_version == "1"
    alone = client.generate("tiny", seeds=1)[0]
    assert np.abs(pictures[1].array.astype(int) - alone.array).max() <= 1


def test_a_part_of_some_pictures_is_pictures(client: Client):
    pictures = client.generate("tiny", seeds=range(4))
    assert isinstance(pictures[1:3], Pictures)
    assert [picture.data for picture in pictures[1:3]] == [pictures[1].data, pictures[2].data]


def test_pictures_may_be_as_large_as_a_service_can_be_set_to_send_them(peer):
    side = 5_000  # 75 MB: more than the services' default
    image = image_pb2.Image(format=image_pb2.IMAGE_FORMAT_RAW, width=side, height=side, channels=3)
    image.data = bytes(side * side * 3)
    peer.reply = GenerateResponse(images=[image]).SerializeToString()
    with Client(peer.address) as client:
        assert client.generate("m", seeds=1)[0].array.shape == (side, side, 3)


def test_a_z_may_be_one_row_or_many(client: Client):
    z = np.random.default_rng(0).normal(size=(3, 6))
    assert len(client.generate("tiny", z=z)) == 3
    assert client.generate("tiny", z=z[0])[0].array.shape == (16, 16, 3)
    assert client.generate("tiny", z=z[1].tolist())[0].data == client.generate("tiny", z=z[1:2])[0].data


def test_grey_pictures_have_one_channel_everywhere(client: Client):
    picture = client.generate("digits", seeds=1, classes=2)[0]
    assert picture.array.shape == (16, 16, 1)
    assert picture.image().mode == "L"
    assert Image.open(io.BytesIO(picture.png())).mode == "L"


def test_classes_are_one_for_all_or_one_for_each_or_mixed(client: Client):
    one_for_all = client.generate("digits", seeds=[5, 5], classes=1)
    one_for_each = client.generate("digits", seeds=[5, 5], classes=[1, 2])
    mixed = client.generate("digits", seeds=5, classes={1: 3.0, 2: 1.0})
    assert one_for_all[0].data == one_for_all[1].data == one_for_each[0].data
    assert one_for_each[1].data != one_for_each[0].data
    assert mixed[0].data not in (one_for_each[0].data, one_for_each[1].data)


def test_displacements_move_every_picture_and_add_up(client: Client):
    still = client.generate("tiny", seeds=[1, 2])
    by_alpha = client.generate("tiny", seeds=[1, 2], displacements=Displacement("zoom", alpha=0.5))
    by_amount = client.generate("tiny", seeds=[1, 2], displacements=Displacement("zoom", amount=2.0))
    halves = [Displacement("zoom", alpha=0.25), Displacement("zoom", alpha=0.25)]
    assert not np.array_equal(by_alpha.array, still.array)
    # ln 2 is half of ln 4: twice the size is alpha 0.5.
    assert np.abs(by_amount.array.astype(int) - by_alpha.array).max() <= 1
    summed = client.generate("tiny", seeds=[1, 2], displacements=halves)
    assert np.abs(summed.array.astype(int) - by_alpha.array).max() <= 1


@pytest.mark.parametrize(("encoding", "quality"), [("png", None), ("webp", 100)])
def test_a_losslessly_encoded_picture_decodes_to_what_was_drawn(client: Client, encoding, quality):
    picture = client.generate("tiny", seeds=7, encoding=encoding, quality=quality)[0]
    assert picture.encoding == encoding
    assert np.array_equal(picture.array, client.generate("tiny", seeds=7)[0].array)


@pytest.mark.parametrize("encoding", ["jpeg", "webp"])
def test_a_lossy_picture_decodes_to_something_like_it(client: Client, encoding):
    picture = client.generate("digits", seeds=7, classes=1, encoding=encoding, quality=95)[0]
    raw = client.generate("digits", seeds=7, classes=1)[0]
    assert picture.array.shape == raw.array.shape
    assert picture.data != raw.data
    assert np.corrcoef(picture.array.ravel(), raw.array.ravel())[0, 1] > 0.9


@pytest.mark.parametrize("ending", ["png", "jpg", "jpeg", "webp", "gif"])
def test_a_file_is_of_the_kind_that_its_ending_says(client: Client, tmp_path, ending: str):
    path = tmp_path / f"face.{ending}"
    client.generate("tiny", seeds=7)[0].save(path)
    with Image.open(path) as image:
        assert image.size == (16, 16)
        assert image.format == {"jpg": "JPEG"}.get(ending, ending.upper())


def test_lossless_files_hold_the_very_pixels(client: Client, tmp_path):
    picture = client.generate("tiny", seeds=7)[0]
    for ending in ("png", "webp"):
        picture.save(tmp_path / f"face.{ending}")
        with Image.open(tmp_path / f"face.{ending}") as image:
            assert np.array_equal(np.asarray(image.convert("RGB")), picture.array)


def test_what_came_as_png_is_saved_and_shown_as_it_came(client: Client, tmp_path):
    picture = client.generate("tiny", seeds=7, encoding="png")[0]
    picture.save(tmp_path / "face.PNG")
    assert (tmp_path / "face.PNG").read_bytes() == picture.data == picture._repr_png_()


def test_an_unknown_ending_is_refused_with_those_that_exist(client: Client, tmp_path):
    with pytest.raises(InvalidRequest, match=r"'\.bmp', must be one of \.png, \.jpg, \.jpeg, \.webp, \.gif"):
        client.generate("tiny", seeds=7)[0].save(tmp_path / "face.bmp")


def test_a_grid_has_rows_of_so_many_columns_on_white(client: Client):
    pictures = client.generate("tiny", seeds=range(5))
    grid = pictures.grid(columns=3)
    assert grid.array.shape == (16 + 2 + 16, 3 * 16 + 2 * 2, 3)
    assert np.array_equal(grid.array[18:34, 18:34], pictures[4].array)
    assert (grid.array[18:, 36:] == 255).all()
    assert (grid.array[16:18] == 255).all()
    assert pictures.grid().width == 3 * 16 + 2 * 2
    assert pictures.strip().array.shape == (16, 5 * 16 + 4 * 2, 3)


def test_notebooks_are_shown_the_grid(client: Client):
    pictures = client.generate("tiny", seeds=range(4))
    with Image.open(io.BytesIO(pictures._repr_png_())) as image:
        assert np.array_equal(np.asarray(image), pictures.grid().array)


def test_pictures_are_told_in_a_line_without_their_pixels(client: Client):
    picture = client.generate("tiny", seeds=7)[0]
    assert repr(picture) == "Picture(encoding='raw', width=16, height=16, channels=3)"


def test_a_picture_cannot_be_changed_by_accident(client: Client):
    for encoding in ("raw", "png"):
        with pytest.raises(ValueError, match="read-only"):
            client.generate("tiny", seeds=7, encoding=encoding)[0].array[0, 0, 0] = 1


def test_a_picture_is_made_of_any_pixels():
    pixels = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    assert np.array_equal(Picture.from_array(pixels[:, ::-1]).array, pixels[:, ::-1])
