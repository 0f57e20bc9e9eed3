"""StyleGAN3: the published checkpoints, and what is drawn of them."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from golden import golden
from module_pickles import module_of, networks, write
from torch.nn import functional as F

from latentwalk.gan.checkpoints import find_state_dict, read_checkpoint
from latentwalk.gan.errors import GanError
from latentwalk.gan.families import build_generator
from latentwalk.gan.families.stylegan3 import StyleGAN3
from latentwalk.gan.families.stylegan3.filters import low_pass, radial_low_pass
from latentwalk.gan.families.stylegan3.plan import steps_of
from latentwalk.gan.latents import z_from_seeds
from latentwalk.gan.spec import SPACES, GeneratorSpec

CONFIG = {"width": 4, "max_width": 8, "mapping_layers": 2, "kernel": 3}
SPEC = GeneratorSpec("stylegan3", 6, 0, 32, 3, CONFIG, spaces=SPACES, layers=8, w_size=7)
SPECS = {"t": SPEC, "r": replace(SPEC, classes=2, config=CONFIG | {"kernel": 1})}


@pytest.fixture(params=["t", "r"])
def config(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def generator(config: str) -> StyleGAN3:
    return StyleGAN3.from_checkpoint(golden(f"stylegan3_{config}").checkpoint).freeze()


def test_it_draws_what_the_published_code_draws(generator: StyleGAN3, config: str) -> None:
    known = golden(f"stylegan3_{config}")
    expected = known.pictures[1.0]
    assert expected.std() > 0.05
    assert (generator(known.z, known.condition) - expected).abs().max() < 1e-5


def test_the_spec_is_read_off_names_and_shapes(generator: StyleGAN3, config: str) -> None:
    assert generator.spec == SPECS[config]
    with pytest.raises(GanError, match="not a stylegan3 of 5 classes"):
        StyleGAN3.from_checkpoint(golden(f"stylegan3_{config}").checkpoint, 5)


def test_what_was_imported_can_be_imported_again(generator: StyleGAN3) -> None:
    assert StyleGAN3.from_checkpoint(generator.state_dict()).digest == generator.digest


def test_a_pickle_of_the_published_code_is_read_and_not_executed(
    generator: StyleGAN3, config: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = write(tmp_path / "stylegan3-t-ffhq.pkl", networks(module_of(golden(f"stylegan3_{config}").checkpoint)))
    read = StyleGAN3.from_checkpoint(find_state_dict(read_checkpoint(file), "G_ema"))
    assert read.digest == generator.digest
    assert not (tmp_path / "done").exists()


@pytest.mark.parametrize("form", ["missing", "a number", "another shape"])
def test_a_tensor_that_is_missing_or_of_another_shape_is_refused(config: str, form: str) -> None:
    checkpoint = golden(f"stylegan3_{config}").checkpoint
    for name in checkpoint:
        broken = dict(checkpoint)
        if form == "missing":
            del broken[name]
        else:
            broken[name] = torch.zeros(()) if form == "a number" else torch.zeros(17)
        is_derived = name.endswith(("up_filter", "down_filter", "transform")) and form == "missing"
        if not is_derived and not (name.endswith("magnitude_ema") and form == "a number"):
            with pytest.raises(GanError):
                StyleGAN3.from_checkpoint(broken)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("synthesis.L1_36_8.down_filter", "L1_36_8.down_filter is another filter than theirs"),
        ("synthesis.L5_32_4.up_filter", "L5_32_4.up_filter is another filter than theirs"),
        ("synthesis.input.transform", "transform turns or moves its pictures"),
    ],
)
def test_other_filters_and_pictures_that_were_moved_by_hand_are_refused(config: str, name: str, said: str) -> None:
    checkpoint = golden(f"stylegan3_{config}").checkpoint
    with pytest.raises(GanError, match=said):
        StyleGAN3.from_checkpoint(checkpoint | {name: checkpoint[name] + 0.01})


def test_the_filter_of_a_layer_that_is_not_there_is_refused(config: str) -> None:
    checkpoint = golden(f"stylegan3_{config}").checkpoint
    with pytest.raises(GanError, match=r"L0_9_8\.up_filter is another filter than theirs"):
        StyleGAN3.from_checkpoint(checkpoint | {"synthesis.L0_9_8.up_filter": torch.ones(12)})


def test_the_same_filters_of_another_precision_are_accepted(generator: StyleGAN3, config: str) -> None:
    checkpoint = golden(f"stylegan3_{config}").checkpoint
    filters = {name: kernel.double() for name, kernel in checkpoint.items() if name.endswith("_filter")}
    assert StyleGAN3.from_checkpoint({**checkpoint, **filters}).digest == generator.digest


@pytest.mark.parametrize(
    ("resolution", "config", "names"),
    [
        (256, CONFIG | {"width": 128, "max_width": 512}, "36_512 36_512 36_512 52_512 148_362 276_256 256_128"),
        (1_024, CONFIG | {"width": 32, "max_width": 512}, "36_512 52_512 84_512 148_512 276_203 1044_81 1044_32"),
        (1_024, CONFIG | {"width": 64, "max_width": 1_024, "kernel": 1}, "36_1024 148_1024 276_645 1044_102 1024_64"),
    ],
)
def test_published_sizes_have_the_layers_that_their_names_tell(resolution: int, config: dict, names: str) -> None:
    """L3_52_512 is of 52 places a side, with the margins, and 512 channels."""
    steps = steps_of(replace(SPEC, resolution=resolution, config=config, layers=16))
    planned = [f"{step.after.side}_{step.after.channels}" for step in steps]
    assert len(planned) == 14
    assert set(names.split()) <= set(planned)


@pytest.mark.parametrize("resolution", [16, 64, 128])
@pytest.mark.parametrize("layers", [6, 9, 16])
@pytest.mark.parametrize("kernel", [1, 3])
def test_every_plan_ends_at_its_resolution(resolution: int, layers: int, kernel: int) -> None:
    spec = replace(SPEC, resolution=resolution, layers=layers, config=CONFIG | {"kernel": kernel, "width": 2})
    with torch.device("meta"):
        drawn = build_generator(spec).to("meta")(torch.zeros(2, 6))
    assert drawn.shape == (2, 3, resolution, resolution)


def test_what_is_shown_moves_with_the_waves(generator: StyleGAN3) -> None:
    """By three pixels to the right; what comes in at the border is left out."""
    condition = torch.eye(2)[[0, 1, 0, 1]] if generator.spec.classes else None
    w_plus = generator.map(z_from_seeds(range(4), 6), condition)
    generator.thaw()
    style = generator.synthesis.waves.style
    style.weight.zero_()
    style.bias.copy_(torch.tensor([1.0, 0, 0, 0]))
    before = generator.synthesise(w_plus)
    style.bias[2] = 3 / 32
    moved = generator.synthesise(w_plus)
    contrast = (before - before.mean(dim=(2, 3), keepdim=True)).std()
    assert (moved - before).std() > 0.5 * contrast
    inner = slice(12, -12)
    assert (moved - before.roll(3, dims=3))[..., inner].std() < 1e-3 * contrast


def test_a_filter_keeps_what_is_slow_and_stops_what_is_fast() -> None:
    places = torch.arange(200.0)
    for kernel in (low_pass(24, 8, 4, 64)[None], radial_low_pass(24, 8, 4, 64)):
        flat = kernel.sum(dim=0)
        assert flat.sum().item() == pytest.approx(1, abs=1e-6)
        for frequency, left in ((1, 1.0), (14, 0.0)):
            wave = torch.cos(2 * torch.pi * frequency / 64 * places)
            filtered = F.conv1d(wave[None, None], flat[None, None])[0, 0]
            assert filtered.abs().max().item() == pytest.approx(left, abs=0.06)


def test_styles_are_of_the_waves_the_layers_and_the_picture(generator: StyleGAN3) -> None:
    inputs = [layer.style.weight.shape[0] for layer in generator.synthesis.layers.values()]
    assert generator.style_weights().shape == (4 + sum(inputs) + 4, 7)
    assert generator.style_weights([0]).shape == (4, 7)
    weights = generator.state_dict()
    assert torch.equal(generator.style_weights([7]), weights["synthesis.colours.style.weight"])


def test_it_has_a_mean_w_and_no_noise(generator: StyleGAN3, config: str) -> None:
    assert torch.equal(generator.mean_w, golden(f"stylegan3_{config}").checkpoint["mapping.w_avg"])
    assert generator.noise.shape == (0,)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"resolution": 48}, "resolution of a stylegan3 is 48: it must be a power of two"),
        ({"layers": 5}, "layers of a stylegan3 are 5: they must be at least 6"),
        ({"spaces": ("z",), "layers": 0, "w_size": 0}, "layers of a stylegan3 are 0: they must be at least 6"),
        ({"config": CONFIG | {"kernel": 2}}, r"kernel of a stylegan3 is 2: it must be 3 \(config T\) or 1"),
        ({"config": {"width": 4}}, "config of a stylegan3 is .*: it must have width, max_width"),
    ],
)
def test_a_spec_that_none_has_is_refused(changed: dict, said: str) -> None:
    with pytest.raises(GanError, match=said):
        build_generator(replace(SPEC, **changed))
