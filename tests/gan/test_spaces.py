"""The spaces of a generator with a mapping network: z, w and w+."""

import dataclasses

import pytest
import torch
from styled import SPEC, make_styled

from latentwalk.gan.artifacts import ArtifactStore, load_generator, save_generator
from latentwalk.gan.directions import IteratedDirection, LinearDirection, Slider
from latentwalk.gan.errors import GanError, InvalidLatent
from latentwalk.gan.families.stylegan import StyleGAN
from latentwalk.gan.generator import Generator
from latentwalk.gan.latents import one_hot, z_from_seeds
from latentwalk.gan.spec import GeneratorSpec

SLIDER = Slider("s", "", "", 1.0, (-1.0, 1.0), (-3.0, 3.0))
Z, CONDITION = z_from_seeds(range(4), 6), one_hot([0, 1, 1, 0], 2)


@pytest.fixture(scope="module")
def styled() -> StyleGAN:
    return make_styled()


@pytest.mark.parametrize("space", SPEC.spaces)
def test_a_picture_is_the_same_from_every_space(styled: StyleGAN, space: str) -> None:
    code = styled.encode(Z, space, CONDITION)
    assert code.shape == {"z": (4, 6), "w": (4, 5), "w+": (4, 4, 5)}[space]
    assert code[0].numel() == SPEC.size_of(space)
    torch.testing.assert_close(styled.draw(code, space, CONDITION), styled(Z, CONDITION))


def test_a_generator_without_a_mapping_has_only_z(generator: Generator) -> None:
    z = z_from_seeds([1], 6)
    assert torch.equal(generator.draw(generator.encode(z, "z"), "z"), generator(z))
    for refused in (
        lambda: generator.encode(z, "w"),
        lambda: generator.draw(z, "w+"),
        lambda: generator.map(z),
        lambda: generator.synthesise(z[:, None]),
        lambda: generator.style_weights(),
    ):
        with pytest.raises(InvalidLatent, match="the generator has z"):
            refused()


def test_how_w_meets_the_synthesis_is_told_by_the_weights_of_its_styles(styled: StyleGAN) -> None:
    weights = styled.style_weights()
    assert weights.shape == (2 * (6 + 6 + 4 + 4), 5)
    assert torch.equal(styled.style_weights([1, 3]), torch.cat([weights[12:24], weights[32:40]]))
    assert torch.equal(styled.first_features(Z, CONDITION), styled.encode(Z, "w", CONDITION))


@pytest.mark.parametrize(("space", "layers", "size"), [("z", (), 6), ("w", (), 5), ("w+", (), 20), ("w+", (1,), 5)])
def test_a_direction_is_walked_in_its_own_space(styled: StyleGAN, space: str, layers, size: int) -> None:
    vectors = torch.ones(1, size)
    direction = LinearDirection("d", styled.digest, (SLIDER,), vectors, space=space, layers=layers)
    direction.check_spec(SPEC)
    code = styled.encode(Z, space, CONDITION)
    walked = direction.walk(code, 0, 0.5)
    moved = torch.zeros_like(code)
    moved[(slice(None), layers) if layers else slice(None)] = 0.5
    assert torch.equal(walked, code + moved)
    assert not torch.equal(styled.draw(walked, space, CONDITION), styled.draw(code, space, CONDITION))


def test_an_iterated_walk_in_w_draws_pictures(styled: StyleGAN) -> None:
    torch.manual_seed(0)
    weights = {"inner": (1, 2, 5, 5), "inner_bias": (1, 2, 5), "outer": (1, 2, 5, 5), "outer_bias": (1, 2, 5)}
    tensors = {name: torch.randn(shape) for name, shape in weights.items()}
    common = {"space": "w", "steps": 3, "centre": styled.mean_w}
    direction = IteratedDirection("d", styled.digest, (SLIDER,), **tensors, **common, truncation=0.7)
    direction.check_spec(SPEC)
    walked = direction.walk(styled.encode(Z, "w", CONDITION), 0, -1.0)
    assert styled.draw(walked, "w").isfinite().all()
    collapsed = IteratedDirection("d", styled.digest, (SLIDER,), **tensors, **common, truncation=0.0)
    torch.testing.assert_close(collapsed.walk(walked, 0, 1.0), styled.mean_w.expand(4, -1))


@pytest.mark.parametrize(
    ("space", "layers", "size", "reason"),
    [
        ("w", (), 6, "moves 6 numbers in space w, its generator has 5"),
        ("w+", (), 10, "moves 10 numbers in space w\\+, its generator has 20"),
        ("w+", (0, 1), 15, "moves 15 numbers in space w\\+, its generator has 10"),
        ("w+", (4,), 5, "moves layer 4, its generator has 4 layers"),
    ],
)
def test_a_direction_that_does_not_fit_is_refused(space: str, layers, size: int, reason: str) -> None:
    direction = LinearDirection("d", "sha256:0", (SLIDER,), torch.ones(1, size), space=space, layers=layers)
    with pytest.raises(InvalidLatent, match=reason):
        direction.check_spec(SPEC)


def test_it_comes_back_from_the_store(store: ArtifactStore, styled: StyleGAN) -> None:
    save_generator(store, "styled", styled, provenance={}, created="2026-01-01T00:00:00+00:00")
    loaded, _ = load_generator(store, "styled")
    assert (loaded.spec, loaded.digest) == (SPEC, styled.digest)
    assert torch.equal(loaded(Z, CONDITION), styled(Z, CONDITION))


def test_a_spec_without_a_mapping_says_nothing_of_one_so_that_its_digest_stays(spec: GeneratorSpec) -> None:
    assert not {"layers", "w_size"} & spec.to_json().keys()
    assert GeneratorSpec.from_json(SPEC.to_json()) == SPEC
    with pytest.raises(GanError, match="layers"):
        GeneratorSpec.from_json({**SPEC.to_json(), "layers": "three"})


@pytest.mark.parametrize(
    "change",
    [{"layers": 0}, {"w_size": 0}, {"layers": 0, "w_size": 0}, {"spaces": ("z",)}, {"spaces": ("w", "z", "w+")}],
)
def test_spaces_and_layers_go_together(change: dict) -> None:
    with pytest.raises(GanError, match="do not go together"):
        dataclasses.replace(SPEC, **change)
