"""The forms of directions: each is walked by the same contract, and kept in the same artifact."""

import dataclasses
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from forms import SIZE, SLIDERS, deformed, iterated, linear, noise, rbf

from latentwalk.gan.artifacts import ArtifactStore, load_direction, save_direction
from latentwalk.gan.directions import (
    FORMS,
    Direction,
    IteratedDirection,
)
from latentwalk.gan.directions.deformed import DeformingNetwork
from latentwalk.gan.errors import ClassMismatch, CorruptArtifact, GanError, InvalidLatent
from latentwalk.gan.latents import class_ids, one_hot, z_from_seeds
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.gan.walks import Leg, Stretch, Walk

SAID = {"provenance": {}, "created": "2026-01-01T00:00:00+00:00"}
MAKERS: dict[str, Callable[..., Direction]] = {
    "linear": linear,
    "iterated": iterated,
    "deformed": deformed,
    "rbf": rbf,
}
every_form = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


def test_there_is_a_maker_for_every_form() -> None:
    assert MAKERS.keys() == FORMS.keys()
    assert all(FORMS[name] is type(make()) for name, make in MAKERS.items())


# -- the contract ------------------------------------------------------------------------------------------------------


@every_form
@pytest.mark.parametrize("alpha", [-2.9, -0.3, 0.0, 0.7, 1.0])
def test_a_row_is_walked_to_the_same_bits_alone_and_in_any_batch(make, alpha: float) -> None:
    direction, z = make(size=100), z_from_seeds(range(70), 100)
    together = direction.walk(z, 1, alpha)
    for row in (0, 1, 33, 69):
        assert torch.equal(direction.walk(z[row, None], 1, alpha), together[row, None])
    assert torch.equal(direction.walk(z[3:8], 1, torch.full((5,), alpha, dtype=torch.float64)), together[3:8])


@every_form
def test_rows_may_have_an_alpha_of_their_own(make) -> None:
    direction, z = make(), z_from_seeds(range(3), SIZE)
    walked = direction.walk(z, 0, torch.tensor([-1.5, 0.0, 2.0]))
    for row, alpha in enumerate((-1.5, 0.0, 2.0)):
        assert torch.equal(walked[row, None], direction.walk(z[row, None], 0, alpha))
    with pytest.raises(ValueError, match=r"shorter|longer"):
        direction.walk(z, 0, torch.zeros(2))


@every_form
def test_a_path_is_the_same_whatever_was_asked_of_it_before(make) -> None:
    direction, z = make(), z_from_seeds(range(3), SIZE)
    alphas = [0.3, -1.0, 2.6, 0.3, -2.2, 0.0, 1.0]
    path = direction.path(z, 1)
    for alpha in alphas:
        assert torch.equal(path(alpha), direction.path(z, 1)(alpha))


@every_form
def test_a_walk_adds_up_its_sliders_in_any_order(make) -> None:
    direction, straight, start = make(), linear(), z_from_seeds(range(3), SIZE)
    moves = [Stretch(direction, 0, -1.0, 1.0), Stretch(straight, 1, 0.0, 2.0), Stretch(direction, 1, 0.5, 0.5)]
    walk, other = (Walk(start, (Leg(tuple(order), 5),)) for order in (moves, moves[::-1]))
    for frame, t in enumerate((0.0, 0.25, 0.5, 0.75, 1.0)):
        shifts = direction.walk(start, 0, 2 * t - 1) + direction.walk(start, 1, 0.5) + straight.walk(start, 1, 2 * t)
        torch.testing.assert_close(walk.code_at(frame), shifts - 2 * start)
        torch.testing.assert_close(walk.code_at(frame), other.code_at(frame))


@pytest.mark.parametrize("make", [iterated, rbf])
def test_a_frame_of_a_stepped_path_is_made_row_by_row_and_no_step_is_taken_twice(make) -> None:
    direction, start = make(), z_from_seeds(range(2), SIZE)
    legs = (Leg((Stretch(direction, 0, -1.0, 1.7),), 9, "ease_in_out"), Leg((Stretch(direction, 1, 0.0, -2.0),), 3))
    walk, fresh = Walk(start, legs, loop=True), Walk(start, legs, loop=True)
    backwards = [len(list(walk.in_steps(index))) for index in reversed(range(walk.frames))]
    # For each way of each slider: the rows of a point in so many steps.
    ways = [("0 back", 1.0), ("0 forth", 1.7), ("1 back", 2.0)]
    points = sum(math.ceil(alpha * _steps_per_alpha(direction) - 1e-9) for _, alpha in ways)
    tracks = sum(len(walk.alphas_at(index)) for index in range(walk.frames))
    assert sum(backwards) == 2 * points + tracks
    for index in range(walk.frames):
        assert len(list(walk.in_steps(index))) == len(walk.alphas_at(index))
        assert torch.equal(walk.code_at(index), fresh.code_at(index))


def _steps_per_alpha(direction: Direction) -> float:
    return direction.steps if isinstance(direction, IteratedDirection) else direction.reach / direction.step


@pytest.mark.parametrize("make", [iterated, rbf])
def test_a_walk_that_follows_another_from_the_same_start_takes_no_step_again(make) -> None:
    direction, start = make(), z_from_seeds(range(2), SIZE)

    def standing(alpha: float, seed: int = 0) -> Walk:
        return Walk(start + seed, (Leg((Stretch(direction, 0, alpha, alpha),), 1),))

    earlier, later, elsewhere = standing(1.5), standing(1.1), standing(1.1, seed=1)
    earlier.code_at(0)
    assert len(list(later.in_steps(0, earlier))) == 1
    assert len(list(elsewhere.in_steps(0, earlier))) > 1
    assert torch.equal(later.code_at(0), standing(1.1).code_at(0))
    assert torch.equal(elsewhere.code_at(0), standing(1.1, seed=1).code_at(0))


@pytest.mark.parametrize("make", [iterated, rbf])
def test_walks_that_share_a_path_take_its_steps_in_any_number_of_threads(make) -> None:
    direction, start = make(), z_from_seeds(range(2), SIZE)
    path, alphas = direction.path(start, 0), [0.1 * alpha for alpha in range(-20, 21)]
    with ThreadPoolExecutor(8) as pool:
        shifts = list(pool.map(path, alphas * 4))
    for alpha, shift in zip(alphas * 4, shifts, strict=True):
        assert torch.equal(shift, direction.path(start, 0)(alpha))


@every_form
def test_in_w_plus_only_the_chosen_layers_move(make) -> None:
    rest = {"centre": noise(6), "truncation": 0.8} if make is iterated else {}
    code = noise(3, 4, 3, scale=1.0)
    some = make(size=6, space="w+", layers=(1, 3), **rest)
    walked = some.walk(code, 0, 1.5)
    assert torch.equal(walked[:, [0, 2]], code[:, [0, 2]])
    flat = dataclasses.replace(some, space="w", layers=())
    torch.testing.assert_close(walked[:, [1, 3]].flatten(1), flat.walk(code[:, [1, 3]].flatten(1), 0, 1.5))
    everywhere = dataclasses.replace(some, layers=())
    assert torch.equal(everywhere.walk(code[:, [1, 3]], 0, 1.5), walked[:, [1, 3]])


@every_form
@pytest.mark.parametrize("layers", [(1, 0), (1, 1), (-1,), (0.5,)])
def test_layers_that_cannot_be_are_refused(make, layers) -> None:
    with pytest.raises(GanError, match="layers"):
        make(space="w+", layers=layers)
    with pytest.raises(GanError, match="only w\\+"):
        make(layers=(0,))


# -- the forms ---------------------------------------------------------------------------------------------------------


def test_an_iterated_walk_is_that_of_the_paper() -> None:
    """z' = F(z) |z_0| / |F(z)| with F(z) = z + T2(relu(T1 z)), steps times for alpha = 1; weights for either sign."""
    direction, z = iterated(steps=4), z_from_seeds([3], SIZE)
    names = ("inner", "inner_bias", "outer", "outer_bias")
    for sign, alpha in ((0, 1.0), (1, -1.0)):
        inner, inner_bias, outer, outer_bias = (getattr(direction, name)[1, sign].numpy() for name in names)
        code = z[0].numpy()
        points = [code]
        for _ in range(4):
            code = code + outer @ np.maximum(inner @ code + inner_bias, 0) + outer_bias
            code = code * np.linalg.norm(points[0]) / np.linalg.norm(code)
            points.append(code)
        np.testing.assert_allclose(direction.walk(z, 1, alpha)[0], points[4], atol=1e-5)
        np.testing.assert_allclose(direction.walk(z, 1, alpha / 2)[0], points[2], atol=1e-5)
        between = direction.walk(z, 1, alpha * 0.8)[0]  # 3.2 steps
        np.testing.assert_allclose(between, 0.8 * points[3] + 0.2 * points[4], atol=1e-5)
    assert torch.equal(direction.walk(z, 1, 0.0), z)


def test_an_iterated_walk_in_w_is_truncated_instead_of_brought_back_to_its_length() -> None:
    centre, code = noise(SIZE, seed=9), noise(1, SIZE, seed=8, scale=2.0)
    direction = iterated(space="w", centre=centre, truncation=0.5, steps=1)
    inner, inner_bias, outer, outer_bias = (one[0, 0] for one in direction.rows.values())
    moved = code + (code @ inner.T + inner_bias).relu() @ outer.T + outer_bias
    torch.testing.assert_close(direction.walk(code, 0, 1.0), centre + 0.5 * (moved - centre))
    with pytest.raises(GanError, match="centre"):
        iterated(space="w")
    with pytest.raises(GanError, match="centre"):
        iterated(centre=centre)


def test_a_deformed_walk_adds_the_network_of_the_slider_s_axis() -> None:
    direction, z = deformed(), z_from_seeds(range(2), SIZE)
    weights = {name: tensor.numpy() for name, tensor in direction.tensors.items()}

    def linear_of(name: str, x: np.ndarray) -> np.ndarray:
        return weights[f"{name}.weight"] @ x + weights[f"{name}.bias"]

    def activated(norm: int, x: np.ndarray) -> np.ndarray:
        mean, variance, gain, offset = (
            weights[f"norms.{norm}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")
        )
        x = gain * (x - mean) / np.sqrt(variance + 1e-5) + offset
        return np.where(x > 0, x, np.exp(x) - 1)

    amounts = np.array([0.0, -1.4])  # alpha -0.7, reach 2
    x1 = linear_of("entry", amounts)
    x2 = linear_of("hidden.0", activated(0, x1))
    x3 = linear_of("hidden.1", activated(1, x2 + x1))
    shift = linear_of("exit", activated(2, x3 + x2 + x1)) + np.pad(amounts, (0, SIZE - 2))
    np.testing.assert_allclose(direction.walk(z, 1, -0.7), z + torch.from_numpy(shift).float(), atol=1e-5)


def test_an_rbf_walk_follows_the_gradient_of_its_landscape() -> None:
    direction, z = rbf(), z_from_seeds([4], SIZE)
    supports, weights, gammas = (one[1].double() for one in (direction.supports, direction.weights, direction.gammas))

    def climbed(code: torch.Tensor, length: float) -> torch.Tensor:
        code = code.clone().requires_grad_()
        height = (weights * torch.exp(-gammas * (code - supports).square().sum(dim=1))).sum()
        (gradient,) = torch.autograd.grad(height, code)
        return (code + length * gradient / gradient.norm()).detach()

    for sign in (1, -1):
        code = z[0].double()
        for length in (0.25, 0.25, 0.25, 0.25, 0.1):  # a reach of 1.1
            code = climbed(code, sign * length)
        torch.testing.assert_close(direction.walk(z, 1, float(sign))[0].double(), code, atol=1e-5, rtol=0)


def test_an_rbf_walk_keeps_its_pace_however_far_the_landscape_is() -> None:
    direction, z = rbf(), 1e3 * z_from_seeds([4], SIZE)
    assert (direction.walk(z, 0, 0.1) - z).norm().item() == pytest.approx(0.11, abs=0.01)
    flat = dataclasses.replace(direction, weights=torch.zeros(2, 6))
    assert torch.equal(flat.walk(z, 0, 1.0), z)


# -- classes -----------------------------------------------------------------------------------------------------------


def test_a_slider_of_one_class_refuses_latents_of_another_and_mixtures() -> None:
    direction = linear()
    bound, free = dataclasses.replace(SLIDERS[0], class_id=1), SLIDERS[1]
    direction.check_class(bound, 1)
    for class_id in (None, 0, 1):
        direction.check_class(free, class_id)
    with pytest.raises(ClassMismatch, match="'a' of direction 'd' was found for class 1, the latent is of class 0"):
        direction.check_class(bound, 0)
    with pytest.raises(ClassMismatch, match="a mixture of classes"):
        direction.check_class(bound, None)
    direction.check_class(dataclasses.replace(SLIDERS[0], class_id=0), 0)


def test_classes_are_read_off_conditions() -> None:
    conditions = torch.cat([one_hot([2, 0], 3), torch.tensor([[0.5, 0.5, 0.0]])])
    assert class_ids(conditions) == [2, 0, None]


@pytest.mark.parametrize("class_id", [-1, 1.0, True])
def test_a_class_that_cannot_be_is_refused(class_id) -> None:
    with pytest.raises(GanError, match="class of slider"):
        dataclasses.replace(SLIDERS[0], class_id=class_id)


def test_a_direction_must_fit_the_spec_of_its_generator() -> None:
    spec = GeneratorSpec("dcgan", SIZE, 2, 8, 1, {"width": 1})
    bound = dataclasses.replace(SLIDERS[0], class_id=1)
    direction = dataclasses.replace(linear(), sliders=(bound, SLIDERS[1]))
    direction.check_spec(spec)
    with pytest.raises(InvalidLatent, match="found for class 1, its generator has 0 classes"):
        direction.check_spec(dataclasses.replace(spec, classes=0))
    with pytest.raises(InvalidLatent, match="moves 7 numbers in space z, its generator has 8"):
        direction.check_spec(dataclasses.replace(spec, latent_size=8))
    with pytest.raises(InvalidLatent, match="in space w,"):
        linear(space="w").check_spec(spec)


# -- artifacts ---------------------------------------------------------------------------------------------------------


@every_form
def test_every_form_comes_back_from_the_store_as_it_was(store: ArtifactStore, make) -> None:
    direction = make()
    bound = dataclasses.replace(SLIDERS[0], class_id=3)
    direction = dataclasses.replace(direction, sliders=(bound, SLIDERS[1]))
    save_direction(store, "faces", direction, **SAID)
    loaded, _ = load_direction(store, "faces", "d")
    assert type(loaded) is type(direction)
    for name in ("name", "generator_digest", "sliders", "space", "layers", "config"):
        assert getattr(loaded, name) == getattr(direction, name)
    z = z_from_seeds(range(4), SIZE)
    assert torch.equal(loaded.walk(z, 1, -1.3), direction.walk(z, 1, -1.3))


def test_layers_come_back_from_the_store(store: ArtifactStore) -> None:
    save_direction(store, "faces", linear(space="w+", layers=(0, 2)), **SAID)
    loaded, _ = load_direction(store, "faces", "d")
    assert (loaded.space, loaded.layers) == ("w+", (0, 2))


def test_an_artifact_from_before_there_were_forms_is_linear(store: ArtifactStore) -> None:
    sliders = [{key: value for key, value in dataclasses.asdict(one).items() if key != "class_id"} for one in SLIDERS]
    body = {"generator_digest": "sha256:0", "space": "z", "sliders": sliders}
    store.put("directions", "faces/d", tensors={"vectors": noise(2, SIZE)}, body=body, **SAID)
    loaded, _ = load_direction(store, "faces", "d")
    z = z_from_seeds(range(4), SIZE)
    assert torch.equal(loaded.walk(z, 1, -1.3), linear().walk(z, 1, -1.3))


@every_form
def test_damaged_tensors_are_refused_at_load(store: ArtifactStore, make) -> None:
    save_direction(store, "faces", make(), **SAID)
    whole = store.get("directions", "faces/d")
    for name, tensor in whole.tensors.items():
        spoilt = tensor.clone()
        spoilt.view(-1)[-1] = math.nan
        damages = [spoilt, tensor.double(), tensor[..., None], tensor[:1]]
        for damaged in damages:
            if damaged.shape == tensor.shape and torch.equal(damaged, tensor):
                continue
            tensors = {**whole.tensors, name: damaged}
            store.put("directions", "faces/d", tensors=tensors, body=whole.manifest["body"], **SAID)
            with pytest.raises(CorruptArtifact, match="describes no direction"):
                load_direction(store, "faces", "d")
        tensors = {key: one for key, one in whole.tensors.items() if key != name}
        store.put("directions", "faces/d", tensors=tensors, body=whole.manifest["body"], **SAID)
        with pytest.raises(CorruptArtifact, match=name.split(".")[0]):
            load_direction(store, "faces", "d")


@pytest.mark.parametrize(
    ("make", "change"),
    [
        (linear, {"form": "spiral"}),
        (linear, {"form": 3}),
        (linear, {"form": ["linear"]}),
        (linear, {"config": {"steps": 3}}),
        (linear, {"layers": 3}),
        (linear, {"form": "rbf"}),
        (iterated, {"config": {"steps": 0, "truncation": 1.0}}),
        (iterated, {"config": {"steps": 2.5, "truncation": 1.0}}),
        (iterated, {"config": {"steps": 2, "truncation": "much"}}),
        (iterated, {"config": {"steps": 1000, "truncation": 1.0}}),
        (iterated, {"config": {}}),
        (rbf, {"config": {"step": 0.0, "reach": 1.0}}),
        (rbf, {"config": {"step": 1e-9, "reach": 1.0}}),
        (deformed, {"config": {"reach": -1.0}}),
    ],
)
def test_a_body_that_cannot_be_is_refused_at_load(store: ArtifactStore, make, change: dict) -> None:
    save_direction(store, "faces", make(), **SAID)
    whole = store.get("directions", "faces/d")
    store.put("directions", "faces/d", tensors=whole.tensors, body={**whole.manifest["body"], **change}, **SAID)
    with pytest.raises(CorruptArtifact, match="describes no direction"):
        load_direction(store, "faces", "d")


def test_gradients_reach_the_weights_that_a_trainer_learns() -> None:
    network = DeformingNetwork(2, SIZE, width=8)
    network(torch.randn(5, 2)).sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
