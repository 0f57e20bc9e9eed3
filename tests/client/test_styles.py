"""Truncation, style mixing, noise and codes in w, against a real server of a generator with a mapping network."""

import re

import numpy as np
import pytest
import torch
from biggan import make_biggan
from PIL import Image
from styled import make_lively
from typer.testing import CliRunner

from latentwalk.cli.commands import app
from latentwalk.client import AsyncClient, Client, Displacement, InvalidRequest, Mix, Style
from latentwalk.gan.artifacts import ArtifactStore, save_direction, save_generator
from latentwalk.gan.directions import LinearDirection, Slider
from latentwalk.gan.latents import latents_from_seeds
from latentwalk.gan.spec import SPACES, GeneratorSpec

CREATED = "2026-01-01T00:00:00+00:00"
CONFIG = {"width": 4, "max_width": 8, "mapping_layers": 2}


@pytest.fixture(scope="module")
def address(start_server, tmp_path_factory) -> str:
    """A server of `styled`, of three classes and 6 layers, with directions `tall` in w and `broad` in some layers of
    w+; of `plants`, a BigGAN for one truncation; and of `animals`, one for any."""
    generator = make_lively(GeneratorSpec("stylegan", 6, 3, 16, 3, CONFIG, spaces=SPACES, layers=6, w_size=5))
    folder = tmp_path_factory.mktemp("styled")
    store = ArtifactStore(str(folder))
    save_generator(store, "styled", generator, provenance={}, created=CREATED)
    slider = Slider("tall", "", "", 1.0, (-1.0, 1.0), (-3.0, 3.0))
    tall = LinearDirection("tall", generator.digest, (slider,), torch.ones(1, 5), space="w")
    save_direction(store, "styled", tall, provenance={}, created=CREATED)
    broad = LinearDirection("broad", generator.digest, (slider,), torch.ones(1, 20), space="w+", layers=(0, 1, 2, 5))
    save_direction(store, "styled", broad, provenance={}, created=CREATED)
    save_generator(store, "plants", make_biggan(truncation=0.5), provenance={}, created=CREATED)
    save_generator(store, "animals", make_biggan("biggan"), provenance={}, created=CREATED)
    return start_server(store=str(folder)).address


@pytest.fixture(scope="module")
def client(address: str):
    with Client(address) as client:
        yield client


def pixels(client: Client, **asked):
    return client.generate("styled", classes=1, **({"seeds": 3} | asked)).array.astype(int)


def test_a_model_tells_its_layers(client: Client):
    model = client.model("styled")
    assert (model.spaces, model.layers, model.w_size) == (("z", "w", "w+"), 6, 5)


def test_layers_of_any_kind_are_mixed_into_every_latent(client: Client):
    mapped = [
        client.map_latents("styled", seeds=[3, 4], classes=1, styles=Style(mix=Mix(8, layers, class_id=2)))
        for layers in (range(4), iter(range(4)))
    ]
    assert np.array_equal(*mapped)


@pytest.mark.parametrize(
    "style",
    [
        Style(truncation=0.5),
        Style(truncation=0.5, truncated_layers=2),
        Style(mix=Mix(8, range(4), class_id=2)),
        Style(mix=[Mix(8, [0], class_id=2), Mix(9, [5], class_id=0, truncation=0.5)]),
        Style(noise="none"),
        Style(noise=7),
        Style(noise_strength=3),
        Style(noise=7, noise_strength=0.5),
        Style(noise="none", noise_layers=range(2)),
        Style(noise=7, noise_layers=iter([5, 4])),
    ],
)
def test_every_style_makes_another_picture_and_the_same_one_each_time(client: Client, style: Style):
    plain, styled = pixels(client), pixels(client, styles=style)
    assert np.abs(plain - styled).max() > 1
    assert np.abs(styled - pixels(client, styles=style)).max() <= 1


def test_what_says_nothing_changes_nothing(client: Client):
    assert np.abs(pixels(client, styles=Style()) - pixels(client)).max() <= 1


def test_a_style_may_be_one_for_each_latent(client: Client):
    both = pixels(client, seeds=[3, 3], styles=[Style(), Style(truncation=0.5)])
    assert np.abs(both[0] - pixels(client)[0]).max() <= 1
    assert np.abs(both[1] - pixels(client, styles=Style(truncation=0.5))[0]).max() <= 1
    with pytest.raises(InvalidRequest, match="3 styles for 2 latents"):
        pixels(client, seeds=[3, 3], styles=[Style()] * 3)


def test_mapped_codes_are_the_same_pictures_again(client: Client):
    asked = {"styles": Style(truncation=0.5, mix=Mix(8, [2], 0)), "displacements": Displacement("tall", alpha=1)}
    codes = client.map_latents("styled", seeds=[3, 4], classes=1, **asked)
    assert codes.shape == (2, 6, 5)
    again = client.generate("styled", w=codes).array.astype(int)
    assert np.abs(again - pixels(client, seeds=[3, 4], **asked)).max() <= 1
    assert not np.array_equal(codes[:, 2], codes[:, 1])
    one = client.map_latents("styled", seeds=3, classes=1)[0, 0]
    assert np.abs(client.generate("styled", w=one).array.astype(int) - pixels(client)).max() <= 1


def test_walks_interpolations_and_steering_take_styles_and_w(client: Client):
    style, w = Style(truncation=0.5), client.map_latents("styled", seeds=3, classes=1)
    middle = pixels(client, styles=style)
    walked = client.walk("styled", "tall", alpha=(-1, 1), frames=3, seeds=3, classes=1, styles=style).collect()
    assert np.abs(walked[1].pictures.array.astype(int) - middle).max() <= 1
    travelled = client.interpolate("styled", w=np.concatenate([w, w + 1]), frames_per_leg=2).collect()
    expected = client.generate("styled", w=w + 0.5).array.astype(int)
    assert np.abs(travelled[1].pictures.array.astype(int) - expected).max() <= 1
    with client.steer("styled") as steering:
        steering.move(seeds=3, classes=1, styles=style)
        assert np.abs(next(steering).pictures.array.astype(int) - middle).max() <= 1


def test_directions_move_the_layers_that_are_named(client: Client):
    whole = client.map_latents("styled", seeds=3, classes=1)
    pushes = [
        Displacement("tall", alpha=1, layers=(layer for layer in (0, 1))),  # read once, sent as often as is wanted
        Displacement("tall", alpha=0.5, layers=np.array([1, 2])),
        Displacement("broad", alpha=1, layers=[5]),
    ]
    for _ in range(2):
        moved = client.map_latents("styled", seeds=3, classes=1, displacements=pushes)
        expected = whole + np.array([1, 1.5, 0.5, 0, 0, 1])[:, None]
        assert np.abs(moved - expected).max() < 1e-5
    assert np.abs(client.generate("styled", w=moved).array - pixels(client, displacements=pushes)).max() <= 1
    frames = client.walk("styled", "tall", alpha=(0, 1), layers=range(2), frames=2, seeds=3, classes=1).collect()
    assert [frame.positions[0].layers for frame in frames] == [(0, 1), (0, 1)]
    assert np.abs(frames[1].pictures.array - pixels(client, displacements=pushes[:1])).max() <= 1
    with client.steer("styled") as steering:
        steering.move(seeds=3, classes=1, displacements=pushes[0])
        assert np.abs(next(steering).pictures.array - pixels(client, displacements=pushes[:1])).max() <= 1


@pytest.mark.parametrize(
    ("push", "said"),
    [
        (Displacement("tall", alpha=1, layers=[]), r"displacements\[0\].layers: has none"),
        (Displacement("tall", alpha=1, layers=[0.5]), r"displacements\[0\].layers\[0\]: 0.5 is not a whole number"),
        (Displacement("tall", alpha=1, layers=[-1]), r"displacements\[0\].layers\[0\]: -1 is not from 0"),
        (Displacement("tall", alpha=1, layers=[6]), r"displacements\[0\].layers: 6 must be from 0 to 5"),
        (Displacement("broad", alpha=1, layers=[3]), "moves only layers 0, 1, 2, 5, not 3"),
    ],
)
def test_layers_that_cannot_be_moved_are_refused_by_name(client: Client, push: Displacement, said: str):
    with pytest.raises(InvalidRequest, match=said):
        pixels(client, displacements=push)
    with pytest.raises(InvalidRequest, match="layers: 'all' must be a list of whole numbers"):
        Displacement("tall", alpha=1, layers="all")


def test_seeds_of_a_generator_of_z_are_truncated_by_a_threshold(client: Client, address: str, tmp_path):
    spec = make_biggan("biggan").spec
    styles = [Style(threshold=0.5), Style(), Style(threshold=0.04)]
    drawn = client.generate("animals", seeds=[3, 3, 3], classes=1, styles=styles).array.astype(int)
    z = np.concatenate([latents_from_seeds([3], spec, style.threshold) for style in styles])
    assert np.abs(drawn - client.generate("animals", z=z, classes=1).array).max() <= 1
    assert np.abs(drawn[0] - drawn[1]).max() > 1
    out, asked = tmp_path / "a.png", ["generate", "animals", "--seeds", "3", "--classes", "1", "--threshold"]
    shell = CliRunner().invoke(app, ["--server", address, *asked, "0.5", "--out", str(out)])
    assert shell.exit_code == 0
    assert np.abs(np.asarray(Image.open(out)).astype(int) - drawn[0]).max() <= 1


@pytest.mark.parametrize(
    ("model", "asked", "said"),
    [
        ("animals", {"seeds": 3, "styles": Style(threshold="0.5")}, r"styles\[0\].threshold: '0.5' is not a number"),
        ("animals", {"seeds": 3, "styles": Style(threshold=0)}, "threshold: 0 must be above 0 and at most 100"),
        ("animals", {"z": np.zeros(12), "styles": Style(threshold=1)}, "a z that is given is not drawn"),
        ("animals", {"seeds": 3, "styles": Style(truncation=0.5)}, "truncation.psi: .* give a threshold"),
        ("plants", {"seeds": 3, "styles": Style(threshold=1)}, "is normalised for truncation 0.5"),
        ("styled", {"seeds": 3, "styles": Style(threshold=1)}, "has a mapping network, give a psi"),
    ],
)
def test_a_truncation_of_another_kind_is_refused(client: Client, model: str, asked: dict, said: str):
    with pytest.raises(InvalidRequest, match=said):
        client.generate(model, classes=1, **asked)


def test_z_and_w_are_blended_differently(client: Client):
    frames = [
        client.interpolate("styled", seeds=[3, 4], classes=1, frames_per_leg=2, space=space).collect()[1].pictures.array
        for space in ("z", "w", None)
    ]
    assert not np.array_equal(frames[0], frames[1])
    assert np.array_equal(frames[1], frames[2])


async def test_the_asynchronous_client_maps_too(address: str, client: Client):
    async with AsyncClient(address) as other:
        codes = await other.map_latents("styled", seeds=3, classes=1)
    assert np.array_equal(codes, client.map_latents("styled", seeds=3, classes=1))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"seeds": 1, "w": [0.0] * 5}, "give one of seeds, z and w"),
        ({}, "give one of seeds, z and w"),
        ({"w": np.zeros((1, 1, 6, 5))}, r"must be \[W\], \[N, W\] or, for each layer, \[N, L, W\]"),
        ({"w": "wide"}, "w: not an array of numbers"),
        ({"seeds": 1, "styles": Style(noise=-1)}, r"styles\[0\].noise"),
        ({"seeds": 1, "styles": Style(mix=Mix(1, [0.5]))}, r"styles\[0\].mix\[0\].layers"),
        ({"seeds": 1, "styles": Style(truncated_layers=2)}, r"styles\[0\].truncated_layers: has no effect"),
        ({"seeds": 1, "styles": Style(noise_layers=[1])}, r"styles\[0\].noise_layers: has no effect"),
        ({"seeds": 1, "styles": Style(noise=1, noise_layers=[0.5])}, r"styles\[0\].noise_layers"),
        ({"seeds": 1, "styles": Style(noise=1, noise_layers=[])}, r"styles\[0\].noise_layers: are none"),
        ({"seeds": 1, "styles": Style(noise="none", noise_strength=2)}, r"styles\[0\].noise_strength: has no effect"),
    ],
)
def test_what_cannot_be_sent_is_refused_by_name(client: Client, asked: dict, said: str):
    with pytest.raises(InvalidRequest, match=said):
        client.generate("styled", **asked)


def test_tables_tell_spaces_layers_and_truncation_where_there_is_more_than_z(address: str):
    def cells(*arguments: str) -> list[list[str]]:
        lines = CliRunner().invoke(app, ["--server", address, *arguments]).stdout.splitlines()[1:]
        return [re.split(r"\s{2,}", line.strip()) for line in lines]

    kinds = {name: kind for name, _, _, kind, *_ in cells("models", "list")}
    assert kinds == {
        "animals": "biggan",
        "plants": "biggan_deep at truncation 0.5",
        "styled": "stylegan with z, w, w+ of 6 layers",
    }
    movements = {name: movement for _, name, _, _, movement, *_ in cells("directions", "list", "styled")}
    assert movements == {"broad": "linear in w+ layers 0-2,5", "tall": "linear in w"}


def test_the_command_line_says_all_of_it(address: str, client: Client, tmp_path):
    def latentwalk(*arguments: str):
        return CliRunner().invoke(app, ["--server", address, *arguments])

    out, options = tmp_path / "a.png", ["--seeds", "3", "--classes", "1"]
    more = ["--truncation", "0.5", "--truncated-layers", "4", "--mix", "8/2:0-1", "--mix", "9/0:5", "--noise", "7"]
    more += ["--noise-strength", "0.5", "--noise-layers", "0,3-5"]
    assert latentwalk("generate", "styled", "--out", str(out), *options, *more).exit_code == 0
    style = Style(0.5, 4, [Mix(8, [0, 1], 2), Mix(9, [5], 0)], noise=7, noise_strength=0.5, noise_layers=[0, 3, 4, 5])
    assert np.abs(np.asarray(Image.open(out)).astype(int) - pixels(client, styles=style)[0]).max() <= 1
    travel = ["interpolate", "styled", "--out", str(out), "--seeds", "3,4", "--classes", "1", "--frames-per-leg", "2"]
    assert latentwalk(*travel, "--space", "z", "--method", "slerp").exit_code == 0
    assert latentwalk(*travel, "--method", "slerp").exit_code == 1
    pushes = ["--alpha", "tall=1:0-2", "--alpha", "broad=-0.5"]
    assert latentwalk("generate", "styled", "--out", str(out), *options, *pushes).exit_code == 0
    pushed = [Displacement("tall", alpha=1, layers=range(3)), Displacement("broad", alpha=-0.5)]
    assert np.abs(np.asarray(Image.open(out)).astype(int) - pixels(client, displacements=pushed)[0]).max() <= 1
    walked = ["walk", "styled", "--out", str(out), "--frames", "1", "--layers", "0-1,2", "--alpha", "tall=1:1"]
    assert latentwalk(*walked, *options).exit_code == 0
    assert np.abs(np.asarray(Image.open(out)).astype(int) - pixels(client, displacements=pushed[:1])[0]).max() <= 1
    both = [
        "walk",
        "styled",
        "--out",
        str(out),
        "--frames",
        "1",
        "--alpha",
        "tall=1:1:0-2",
        "--alpha",
        "broad=-0.5:-0.5",
    ]
    assert latentwalk(*both, *options).exit_code == 0
    assert np.abs(np.asarray(Image.open(out)).astype(int) - pixels(client, displacements=pushed)[0]).max() <= 1
    wrong = {"--mix": "8:", "--noise": "some", "--amount": "tall=x:1"}
    for option, value in wrong.items():
        refused = latentwalk("generate", "styled", "--out", str(out), *options, option, value)
        assert refused.exit_code == 2
        assert value in refused.output
