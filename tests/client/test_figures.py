"""The figures of the StyleGAN paper: what styles, truncation and noise do, against a real server."""

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from latentwalk.cli.commands import app
from latentwalk.client import AsyncClient, Client, InvalidRequest, Mix, Picture, Style
from latentwalk.gan.artifacts import ArtifactStore, save_generator
from latentwalk.gan.spec import SPACES, GeneratorSpec
from tests.dcgan import make_dcgan
from tests.styled import make_lively

SIDE, HEAD = 16, 16
STEP = SIDE + 2
CREATED = "2026-01-01T00:00:00+00:00"


@pytest.fixture(scope="module")
def address(start_server, tmp_path_factory) -> str:
    """A server of `styled`, of 2 classes and 6 layers, and of `tiny`, without a mapping network."""
    config = {"width": 4, "max_width": 8, "mapping_layers": 2}
    styled = make_lively(GeneratorSpec("stylegan", 6, 2, SIDE, 3, config, spaces=SPACES, layers=6, w_size=5))
    folder = str(tmp_path_factory.mktemp("figures"))
    store = ArtifactStore(folder)
    save_generator(store, "styled", styled, provenance={}, created=CREATED)
    save_generator(
        store, "tiny", make_dcgan(GeneratorSpec("dcgan", 6, 0, SIDE, 3, {"width": 4})), provenance={}, created=CREATED
    )
    return start_server(store=folder).address


@pytest.fixture(scope="module")
def client(address: str):
    with Client(address) as client:
        yield client


def cells(sheet: Picture, rows: int, columns: int) -> np.ndarray:
    """The pictures of a sheet, int [rows, columns, H, W, C]."""
    left = sheet.width - (columns * STEP - 2)
    assert sheet.height == HEAD + rows * STEP - 2
    parts = [
        [sheet.array[y : y + SIDE, x : x + SIDE] for x in range(left, sheet.width, STEP)]
        for y in range(HEAD, sheet.height, STEP)
    ]
    return np.array(parts).astype(int)


def drawn(client: Client, *styles: Style, seed: int = 3) -> np.ndarray:
    return client.generate("styled", seeds=[seed] * len(styles), classes=1, styles=styles).array.astype(int)


def same(found: np.ndarray, wanted: np.ndarray) -> bool:
    return found.shape == wanted.shape and bool(np.abs(found - wanted).max() <= 1)


def test_mixing_shows_the_pictures_of_rows_with_some_styles_of_columns(client: Client):
    sheet = client.mixing_figure("styled", rows=[3, 4], columns=range(7, 10), class_id=1, layers=[[0, 1], [5]])
    found = cells(sheet, rows=2 * (1 + 2), columns=1 + 3)
    lenders = client.generate("styled", seeds=range(7, 10), classes=1).array.astype(int)
    for block, layers in enumerate(([0, 1], [5])):
        first = 3 * block
        assert same(found[first, 1:], lenders)
        assert (found[first, 0] == 255).all()
        for row, seed in enumerate((3, 4)):
            mixed = [Style(mix=Mix(other, layers, 1)) for other in range(7, 10)]
            assert same(found[first + 1 + row], drawn(client, Style(), *mixed, seed=seed))


def test_mixing_has_coarse_middle_and_fine_layers_as_far_as_there_are_any(client: Client):
    sheet = client.mixing_figure("styled", rows=3, columns=4, class_id=1, truncation=0.5)
    found = cells(sheet, rows=2 * (1 + 1), columns=2)
    mixed = [Style(0.5, mix=Mix(4, layers, 1, 0.5)) for layers in (range(4), (4, 5))]
    assert same(found[[1, 3], 1], drawn(client, *mixed))


def test_truncation_goes_from_the_picture_through_the_mean_to_its_opposite(client: Client):
    found = cells(client.truncation_figure("styled", seeds=[3, 4], class_id=1), rows=2, columns=6)
    assert same(found[0], drawn(client, *(Style(psi) for psi in (1, 0.7, 0.5, 0, -0.5, -1))))
    assert same(found[0, 3], found[1, 3])
    assert np.abs(found[0, 0] - found[0, 5]).max() > 1


def test_noise_is_shown_where_it_is_and_how_much_it_varies(client: Client):
    found = cells(client.noise_figure("styled", seeds=3, realisations=20, class_id=1), rows=1, columns=7)[0]
    kinds = [Style(), Style(noise="none"), Style(noise="none", noise_layers=range(3, 6))]
    kinds += [Style(noise="none", noise_layers=range(3)), Style(noise=1), Style(noise=2)]
    assert same(found[:6], drawn(client, *kinds))
    each = np.array([drawn(client, Style(noise=noise))[0] for noise in range(20)])
    deviation = each.std(0).mean(-1)
    assert np.abs(found[6] - 255 * deviation[..., None] / deviation.max()).max() <= 1


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda client: client.mixing_figure("tiny"), "model: 'tiny' is a dcgan without a mapping network"),
        (lambda client: client.truncation_figure("tiny"), "model: 'tiny' is a dcgan without a mapping network"),
        (lambda client: client.noise_figure("styled", realisations=1), "realisations: 1 is not from 2"),
        (lambda client: client.mixing_figure("styled", layers=[[0], []]), "layers: are none"),
        (lambda client: client.mixing_figure("styled", layers=[0]), r"layers\[0\]: 0 must be a list"),
        (lambda client: client.mixing_figure("styled", rows=[]), "rows: are none"),
        (lambda client: client.truncation_figure("styled", psis=[]), "psis: are none"),
        (lambda client: client.truncation_figure("styled", psis=["x"]), "psis: 'x' is not a number"),
    ],
)
def test_what_cannot_be_drawn_is_refused_by_name(client: Client, ask, said: str):
    with pytest.raises(InvalidRequest, match=said):
        ask(client)


async def test_the_asynchronous_client_draws_them_too(address: str, client: Client):
    async with AsyncClient(address) as other:
        found = await other.truncation_figure("styled", seeds=3, class_id=1)
    assert np.abs(found.array.astype(int) - client.truncation_figure("styled", seeds=3, class_id=1).array).max() <= 1


def test_the_command_line_draws_them(address: str, client: Client, tmp_path):
    out = tmp_path / "sheet.png"

    def drawn_by(*arguments: str) -> np.ndarray:
        done = CliRunner().invoke(app, ["--server", address, "figure", *arguments, "--class", "1", "--out", str(out)])
        assert done.exit_code == 0, done.output
        with Image.open(out) as image:
            assert done.stdout == f"{out}: {image.width} x {image.height} pixels\n"
            return np.asarray(image).astype(int)

    mixed = drawn_by("mixing", "styled", "--rows", "3,4", "--columns", "7-9", "--layers", "0-1", "--layers", "5")
    sheet = client.mixing_figure("styled", rows=[3, 4], columns=range(7, 10), class_id=1, layers=[[0, 1], [5]])
    assert same(mixed, sheet.array.astype(int))
    pulled = drawn_by("truncation", "styled", "--seeds", "3", "--psi", "1", "--psi", "0")
    assert same(pulled, client.truncation_figure("styled", seeds=3, psis=[1, 0], class_id=1).array.astype(int))
    noisy = drawn_by("noise", "styled", "--seeds", "3", "--realisations", "5")
    assert same(noisy, client.noise_figure("styled", seeds=3, realisations=5, class_id=1).array.astype(int))
