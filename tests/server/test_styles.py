"""A generator with a mapping network: its spaces, truncation, style mixing and noise, over the wire."""

import threading
from contextlib import nullcontext

import grpc
import numpy as np
import pytest
import torch
from styled_requests import SLIDER, directions_of, latent, tensor

from latentwalk.gan.artifacts import save_direction
from latentwalk.gan.directions import IteratedDirection
from latentwalk.gan.families.style_based import StyleBased
from latentwalk.gan.images import to_uint8
from latentwalk.gan.interpolation import slerp
from latentwalk.gan.latents import noise_from_seeds, one_hot, z_from_seeds
from latentwalk.v1 import generation_service_pb2 as pb
from latentwalk.v1 import model_service_pb2 as model_pb


def pixels(image):
    """A raw image of a reply, as int [H, W, C]."""
    return np.frombuffer(image.data, np.uint8).reshape(image.height, image.width, image.channels).astype(int)


def assert_same(images, expected):
    assert len(images) == len(expected)
    for image, one in zip(images, expected, strict=True):
        assert np.abs(pixels(image) - one).max() <= 1


def mapped(styled, *seeds_and_classes):
    """The w+ [N, L, W] of seeds and classes."""
    listed, classes = zip(*seeds_and_classes, strict=True)
    return styled.map(z_from_seeds(listed, 6), one_hot(classes, 3)).clone()


def drawn(styled, w_plus, noise=None):
    with torch.inference_mode():
        return to_uint8(styled.synthesise(w_plus, noise), styled.spec.range).numpy().astype(int)


@pytest.fixture
def server(styled_server):
    """A server of a styled generator with a direction in each space, and of one without a mapping network."""
    return styled_server


async def generate(server, *latents, **fields):
    reply = await server.generation.Generate(pb.GenerateRequest(model="styled", latents=latents, **fields))
    return reply.images


async def test_a_seed_and_its_class_become_the_picture_of_the_generator(server, styled):
    images = await generate(server, latent(3, 0), latent(3, 2), latent(2**64 - 1, 1))
    assert_same(images, drawn(styled, mapped(styled, (3, 0), (3, 2), (2**64 - 1, 1))))
    assert images[0] != images[1]


async def test_a_mixture_of_classes_goes_through_the_mapping(server, styled):
    mixture = latent(3, None)
    mixture.condition.class_mix.weights.update({0: 1.0, 2: 3.0})
    expected = styled.map(z_from_seeds([3], 6), torch.tensor([[0.25, 0.0, 0.75]]))
    assert_same(await generate(server, mixture), drawn(styled, expected))


async def test_a_code_may_be_given_in_every_space(server, styled):
    w_plus = mapped(styled, (3, 1))
    codes = [
        latent(z=tensor(z_from_seeds([3], 6)[0]), class_id=1),
        latent(w=tensor(w_plus[0, 0]), class_id=None),
        latent(w_plus=tensor(w_plus[0]), class_id=None),
    ]
    images = await generate(server, *codes)
    assert_same(images, np.repeat(drawn(styled, w_plus), 3, axis=0))


async def test_truncation_pulls_w_towards_the_mean_in_the_first_layers(server, styled):
    plain = latent(3, 1)
    all_layers, some, opposite, none = (latent(3, 1) for _ in range(4))
    all_layers.truncation.psi = 0.25
    some.truncation.psi, some.truncation.layers = 0.25, 2
    opposite.truncation.psi = -1
    none.truncation.psi = 0
    w_plus, mean = mapped(styled, (3, 1)), styled.mean_w
    halves = [w_plus, mean + 0.25 * (w_plus - mean), w_plus.clone(), 2 * mean - w_plus, mean.expand(1, 6, 5)]
    halves[2][:, :2] = halves[1][:, :2]
    images = await generate(server, plain, all_layers, some, opposite, none)
    assert_same(images, drawn(styled, torch.cat(halves)))
    assert len({image.data for image in images}) == 5


async def test_styles_of_others_replace_those_of_some_layers(server, styled):
    mixed = latent(3, 1)
    mixed.styles.add(latent=latent(4, 2), layers=[0, 1])
    truncated = mixed.styles.add(latent=latent(5, 0), layers=[5]).latent
    truncated.truncation.psi = 0.5
    mixed.truncation.psi = 0.75
    own, other, third = mapped(styled, (3, 1), (4, 2), (5, 0))
    mean = styled.mean_w
    expected = mean + 0.75 * (own - mean)
    expected[:2], expected[5] = other[:2], (mean + 0.5 * (third - mean))[5]
    assert_same(await generate(server, mixed), drawn(styled, expected[None]))


async def test_noise_is_that_of_the_weights_or_of_a_seed_and_has_a_strength(server, styled):
    plain, none, seeded, half = (latent(3, 1) for _ in range(4))
    none.noise.strength = 0
    seeded.noise.seed = 2**64 - 1
    half.noise.strength, half.noise.seed = 0.5, 7
    own = styled.noise
    noise = torch.stack([own, 0 * own, *noise_from_seeds([2**64 - 1, 7], len(own)) * torch.tensor([[1.0], [0.5]])])
    images = await generate(server, plain, none, seeded, half)
    assert_same(images, drawn(styled, mapped(styled, *[(3, 1)] * 4), noise))
    assert len({image.data for image in images}) == 4
    assert_same(await generate(server, plain), [pixels(images[0])])


async def test_noise_of_some_layers_leaves_that_of_the_others(server, styled):
    """Karras et al. 2019, figure 5: noise in all layers, in none, in the fine ones only, in the coarse ones only."""
    without_fine, without_coarse, fine_of_another = (latent(3, 1) for _ in range(3))
    without_fine.noise.strength, without_coarse.noise.strength, fine_of_another.noise.seed = 0, 0, 7
    without_fine.noise.layers.extend([5, 2, 3, 4])
    without_coarse.noise.layers.extend([0, 1])
    fine_of_another.noise.layers.extend(range(2, 6))
    own, (other,) = styled.noise, noise_from_seeds([7], len(styled.noise))
    first_two = {"stylegan": 4 * 4 + 4 * 4, "stylegan2": 4 * 4 + 8 * 8}[styled.spec.family]  # pixels
    is_coarse = torch.arange(len(own)) < first_two
    noise = [torch.where(is_coarse, own, 0), torch.where(is_coarse, 0, own), torch.where(is_coarse, own, other)]
    images = await generate(server, without_fine, without_coarse, fine_of_another)
    assert_same(images, drawn(styled, mapped(styled, *[(3, 1)] * 3), torch.stack(noise)))


async def test_noise_for_a_layer_that_takes_none_is_refused_unless_others_are_named_beside_it(server, styled):
    """Of StyleGAN2, the last layer of w+ draws a picture of features, and nothing else."""
    one, takes_none = latent(3, 1), styled.spec.family == "stylegan2"
    one.noise.seed = 7
    one.noise.layers.append(5)
    refused = pytest.raises(grpc.aio.AioRpcError, match="5 takes no noise; name some from 0 to 4")
    with refused if takes_none else nullcontext():
        await generate(server, one)
    one.noise.layers.append(4)
    assert len(await generate(server, one)) == 1


async def test_strict_bytes_are_the_same_in_any_company(server):
    chosen = latent(3, 1)
    chosen.truncation.psi, chosen.noise.seed = 0.5, 4
    chosen.styles.add(latent=latent(8, 2), layers=[2])
    strict = pb.Delivery(determinism=pb.DETERMINISM_STRICT)
    (alone,) = await generate(server, chosen, delivery=strict)
    company = await generate(server, *(latent(seed, seed % 3) for seed in range(12)), chosen, delivery=strict)
    assert company[-1].data == alone.data


@pytest.mark.parametrize("names", [["before"], ["after"], ["inside"], ["before", "after", "inside"]])
async def test_a_direction_moves_its_own_space(server, styled, names):
    alphas = {"before": 1.5, "after": -0.7, "inside": 2.0}
    displacements = [pb.Displacement(direction=name, extent=pb.Extent(alpha=alphas[name])) for name in names]
    before, after, inside = directions_of(styled).values()
    z = z_from_seeds([3], 6)
    if "before" in names:
        z = z + 1.5 * before.vectors
    w_plus = styled.map(z, one_hot([1], 3)).clone()
    if "after" in names:
        w_plus += -0.7 * after.vectors
    if "inside" in names:
        w_plus[:, [1, 4]] += 2.0 * inside.vectors.view(1, 2, 5)
    images = await generate(server, latent(3, 1), displacements=displacements)
    assert_same(images, drawn(styled, w_plus))
    assert images[0] != (await generate(server, latent(3, 1)))[0]


async def test_a_walk_moves_what_truncation_and_styles_have_made(server, styled):
    start = latent(3, 1)
    start.truncation.psi = 0.5
    start.styles.add(latent=latent(4, 2), layers=[4, 5])
    own, other = mapped(styled, (3, 1), (4, 2))
    origin = styled.mean_w + 0.5 * (own - styled.mean_w)
    origin[4:] = other[4:]
    after = directions_of(styled)["w"].vectors
    stretch = pb.Stretch(direction="after", **{"from": pb.Extent(alpha=-1), "to": pb.Extent(alpha=1)})
    request = pb.WalkRequest(model="styled", starts=[start], legs=[pb.Leg(stretches=[stretch], frames=3)])
    frames = [reply.frame async for reply in server.generation.Walk(request) if reply.HasField("frame")]
    for frame, alpha in zip(frames, (-1, 0, 1), strict=True):
        assert_same(frame.images, drawn(styled, origin[None] + alpha * after))


async def test_a_stepped_direction_walks_the_w_of_each_layer(empty_library, styled, serve):
    torch.manual_seed(2)
    weights = {"inner": torch.randn(1, 2, 5, 5), "outer": torch.randn(1, 2, 5, 5) * 0.1}
    biases = {name: torch.randn(1, 2, 5) * 0.1 for name in ("inner_bias", "outer_bias")}
    centre = styled.mean_w
    direction = IteratedDirection(
        "bend", styled.digest, (SLIDER,), space="w", steps=4, centre=centre, **weights, **biases
    )
    empty_library.put_generator("styled", styled)
    save_direction(empty_library.store, "styled", direction, provenance={}, created="2026-01-01T00:00:00Z")
    mixed = latent(3, 1)
    mixed.styles.add(latent=latent(4, 2), layers=[3])
    own, other = mapped(styled, (3, 1), (4, 2))
    own[3] = other[3]
    expected = direction.walk(own, 0, 1.5)[None]
    async with serve(empty_library) as server:
        displacement = pb.Displacement(direction="bend", extent=pb.Extent(alpha=1.5))
        assert_same(await generate(server, mixed, displacements=[displacement]), drawn(styled, expected))


async def test_interpolation_is_a_line_in_w_or_an_arc_in_z(server, styled):
    keyframes = [latent(3, 1), latent(4, 2)]
    in_w = pb.InterpolateRequest(model="styled", keyframes=keyframes, frames_per_leg=2)
    in_z = pb.InterpolateRequest(model="styled", keyframes=keyframes, frames_per_leg=2, space="z")
    a, b = mapped(styled, (3, 1), (4, 2))
    middle = styled.map(slerp(*z_from_seeds([3, 4], 6).unsqueeze(1), 0.5), torch.tensor([[0, 0.5, 0.5]]))
    for request, between in ((in_w, (a + b)[None] / 2), (in_z, middle)):
        replies = [reply async for reply in server.generation.Interpolate(request)]
        expected = drawn(styled, torch.cat([a[None], between, b[None]]))
        for reply, one in zip(replies[1:], expected, strict=True):
            assert_same(reply.frame.images, one[None])


async def test_keyframes_that_say_the_same_in_other_words_are_blended(server, styled):
    plain, wordy = latent(3, 1), latent(3, 1)
    wordy.noise.strength, wordy.truncation.psi = 1, 1
    request = pb.InterpolateRequest(model="styled", keyframes=[plain, wordy], frames_per_leg=1, space="z")
    replies = [reply async for reply in server.generation.Interpolate(request)]
    assert replies[1].frame.images == replies[2].frame.images


async def test_a_mapped_latent_is_the_same_picture(server, styled):
    chosen = latent(3, 1)
    chosen.truncation.psi, chosen.truncation.layers = 0.5, 3
    chosen.styles.add(latent=latent(8, 2), layers=[2])
    displacement = pb.Displacement(direction="after", extent=pb.Extent(alpha=0.5))
    request = pb.MapLatentsRequest(model="styled", latents=[latent(0), chosen], displacements=[displacement])
    reply = await server.generation.MapLatents(request)
    assert reply.model_digest == styled.digest
    assert [list(code.shape) for code in reply.codes] == [[6, 5], [6, 5]]
    again = await generate(server, latent(w_plus=reply.codes[1], class_id=None))
    assert_same(await generate(server, chosen, displacements=[displacement]), [pixels(again[0])])


@pytest.fixture
def mapping_threads(monkeypatch):
    """The thread of each row that is mapped from now on."""
    mapping, threads = StyleBased.map, []

    def watched(*arguments):
        threads.append(threading.current_thread())
        return mapping(*arguments)

    monkeypatch.setattr(StyleBased, "map", watched)
    return threads


@pytest.mark.parametrize("w_cache_mib", [0, 16])
async def test_latents_are_mapped_off_the_event_loop(styled_library, serve, w_cache_mib, mapping_threads):
    """Or reading 1,024 keyframes would hold up everybody else."""
    async with serve(styled_library, w_cache_mib=w_cache_mib) as server:
        await ask_for_everything(server)
    assert mapping_threads
    assert threading.current_thread() not in mapping_threads


async def ask_for_everything(server):
    """A call of each kind; the sliders of those that stand still move z, too."""
    stretches = [pb.Stretch(direction=name) for name in ("before", "after")]
    keyframes = [latent(3, 1), latent(4, 2)]
    await generate(server, latent(3, 1))
    await server.generation.MapLatents(pb.MapLatentsRequest(model="styled", latents=keyframes))
    walk = pb.WalkRequest(model="styled", starts=keyframes, legs=[pb.Leg(stretches=stretches, frames=2)])
    travels = [
        pb.InterpolateRequest(model="styled", keyframes=keyframes, frames_per_leg=2, space=space) for space in "wz"
    ]
    for call in (server.generation.Walk(walk), *map(server.generation.Interpolate, travels)):
        assert [reply async for reply in call]
    moves = [displaced(name, 0.5) for name in ("before", "after")]
    await generate(server, latent(5, 1), displacements=moves)
    mixed = latent(6, 1)
    mixed.styles.add(latent=latent(7, 2), layers=[2])
    positions = [pb.SteerPosition(latents=[mixed], displacements=moves[:count]) for count in (0, 1, 2)]
    assert await steered(server, *positions)


def displaced(direction, alpha):
    return pb.Displacement(direction=direction, extent=pb.Extent(alpha=alpha))


async def steered(server, *positions):
    """The answers to positions of which each is sent when the one before was answered."""
    call = server.generation.Steer()
    await call.write(pb.SteerRequest(setup=pb.SteerSetup(model="styled")))
    answers = []
    for sequence, position in enumerate(positions):
        await call.write(pb.SteerRequest(sequence=sequence, position=position))
        answers.append(await call.read())
    call.cancel()
    return answers


async def test_who_drags_a_slider_over_a_latent_has_it_mapped_once(server, styled, mapping_threads):
    mixed = latent(3, 1)
    mixed.styles.add(latent=latent(4, 2), layers=[4, 5])
    alphas = [0.25 * step for step in range(8)]
    positions = [pb.SteerPosition(latents=[mixed], displacements=[displaced("after", alpha)]) for alpha in alphas]
    answers = await steered(server, *positions)
    assert len(mapping_threads) == 2
    counted = [await server.metric(f"latentwalk_cache_{name}_total", cache="w") for name in ("hits", "misses")]
    assert counted[0] >= 14
    assert counted[1] == 2
    w_plus, other = mapped(styled, (3, 1), (4, 2))
    w_plus[4:] = other[4:]
    after = directions_of(styled)["w"].vectors
    for answer, alpha in zip(answers, alphas, strict=True):
        assert_same(answer.frame.images, drawn(styled, w_plus[None] + alpha * after))


async def test_a_slider_in_z_is_mapped_anew_for_each_position(server, styled, mapping_threads):
    alphas = (0.5, 1.0, 0.5)
    positions = [pb.SteerPosition(latents=[latent(3, 1)], displacements=[displaced("before", one)]) for one in alphas]
    answers = await steered(server, *positions)
    assert len(mapping_threads) == 3  # the start, and two of its three places: one was there before
    z = z_from_seeds([3], 6)
    for answer, alpha in zip(answers, alphas, strict=True):
        moved = z + alpha * directions_of(styled)["z"].vectors
        assert_same(answer.frame.images, drawn(styled, styled.map(moved, one_hot([1], 3))))


async def test_an_interactive_stream_takes_styles(server, styled):
    positions = [pb.SteerPosition(latents=[latent(3, 1)]) for _ in range(2)]
    for position, psi in zip(positions, (1.0, 0.5), strict=True):
        position.latents[0].truncation.psi = psi
    answers = await steered(server, *positions)
    w_plus = mapped(styled, (3, 1))
    assert answers[-1].sequence == 1
    assert_same(answers[-1].frame.images, drawn(styled, styled.mean_w + 0.5 * (w_plus - styled.mean_w)))


async def test_the_model_says_what_it_has(server, styled):
    model = (await server.models.GetModel(model_pb.GetModelRequest(model="styled"))).model
    assert (list(model.spaces), model.layers, model.w_size, model.family) == (
        ["z", "w", "w+"],
        6,
        5,
        styled.spec.family,
    )
    plain = (await server.models.GetModel(model_pb.GetModelRequest(model="faces"))).model
    assert (list(plain.spaces), plain.layers, plain.w_size) == (["z"], 0, 0)
    assert not plain.HasField("truncation")
