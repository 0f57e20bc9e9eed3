"""Directions that are walked in some layers only, against real servers of generators with a mapping network."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from styled_requests import SLIDER, directions_of, latent

from latentwalk.gan.directions import LinearDirection
from latentwalk.gan.images import to_uint8
from latentwalk.gan.latents import one_hot, z_from_seeds
from latentwalk.gan.walks import Leg, Stretch, Walk
from latentwalk.rpc.errors import InvalidRequest
from latentwalk.server.validation.sums import Sums
from latentwalk.v1 import generation_service_pb2 as pb


@pytest.fixture
def server(styled_server):
    """A server of a styled generator with a direction in each space, and of one without a mapping network."""
    return styled_server


def push(direction, alpha, *layers):
    return pb.Displacement(direction=direction, extent=pb.Extent(alpha=alpha), layers=layers)


def stretch(direction, start, stop, *layers):
    ends = {"from": pb.Extent(alpha=start), "to": pb.Extent(alpha=stop)}
    return pb.Stretch(direction=direction, layers=layers, **ends)


def walk(*legs, frames=2):
    return pb.WalkRequest(
        model="styled", starts=[latent(3, 1)], legs=[pb.Leg(stretches=leg, frames=frames) for leg in legs]
    )


def assert_draws(images, styled, shift):
    """One image: that of seed 3 and class 1, of which the w+ is moved by a shift [L, W]."""
    with torch.inference_mode():
        w_plus = styled.map(z_from_seeds([3], 6), one_hot([1], 3)) + shift
        expected = to_uint8(styled.synthesise(w_plus), styled.spec.range).numpy().astype(int)
    (image,) = images
    assert np.abs(np.frombuffer(image.data, np.uint8).reshape(expected[0].shape) - expected[0]).max() <= 1


def shift_of(styled, direction, alphas):
    """The shift [L, W] of a direction in w at alphas that each layer has for itself."""
    return torch.tensor(alphas)[:, None] * directions_of(styled)[direction].vectors


async def test_only_the_layers_that_are_named_are_moved(server, styled):
    request = pb.GenerateRequest(model="styled", latents=[latent(3, 1)], displacements=[push("after", 1.5, 4, 0)])
    reply = await server.generation.Generate(request)
    assert_draws(reply.images, styled, shift_of(styled, "w", [1.5, 0, 0, 0, 1.5, 0]))


async def test_of_a_direction_in_some_layers_fewer_may_be_moved(server, styled):
    inside = directions_of(styled)["w+"].vectors.view(2, 5)
    shift = torch.zeros(6, 5)
    shift[4] = 2 * inside[1]
    request = pb.GenerateRequest(model="styled", latents=[latent(3, 1)], displacements=[push("inside", 2.0, 4)])
    assert_draws((await server.generation.Generate(request)).images, styled, shift)


async def test_displacements_of_one_slider_add_up_where_their_layers_meet(server, styled):
    pushes = [push("after", 1.0, 0, 1), push("after", -0.5, 1, 2), push("after", 0.25)]
    request = pb.GenerateRequest(model="styled", latents=[latent(3, 1)], displacements=pushes)
    alphas = [1.25, 0.75, -0.25, 0.25, 0.25, 0.25]
    assert_draws((await server.generation.Generate(request)).images, styled, shift_of(styled, "w", alphas))
    mapped = pb.MapLatentsRequest(model="styled", latents=[latent(3, 1)], displacements=pushes)
    (code,) = (await server.generation.MapLatents(mapped)).codes
    w_plus = styled.map(z_from_seeds([3], 6), one_hot([1], 3))[0]
    found = torch.frombuffer(bytearray(code.data), dtype=torch.float32).view(6, 5)
    torch.testing.assert_close(found, w_plus + shift_of(styled, "w", alphas))


async def test_pictures_of_other_layers_are_other_pictures(server):
    """Also to the cache of pictures, which goes by the latent."""
    images = []
    for layers in ((0,), (5,), (0, 1, 2, 3, 4, 5), (), (0,)):
        request = pb.GenerateRequest(model="styled", latents=[latent(3, 1)], displacements=[push("after", 2, *layers)])
        images += (await server.generation.Generate(request)).images
    assert images[0] == images[4]
    assert images[2] == images[3]
    assert len({image.data for image in images}) == 3


async def test_a_walk_says_in_which_layers_its_sliders_stand(server, styled):
    request = walk([stretch("after", 0, 1, 1, 0)], [stretch("after", 0, 2, 2), stretch("after", -1, 1, 1, 2, 4)])
    frames = [reply.frame async for reply in server.generation.Walk(request) if reply.HasField("frame")]
    assert [[(list(one.layers), one.alpha) for one in frame.positions] for frame in frames] == [
        [([0, 1], 0)],
        [([0, 1], 1)],
        [([0, 1], 1), ([2], 0), ([1, 2, 4], -1)],
        [([0, 1], 1), ([2], 2), ([1, 2, 4], 1)],
    ]
    for frame, alphas in zip(frames[1:], ([1, 1, 0, 0, 0, 0], [1, 0, -1, 0, -1, 0], [1, 2, 3, 0, 1, 0]), strict=True):
        assert_draws(frame.images, styled, shift_of(styled, "w", alphas))


async def test_an_interactive_stream_moves_layers(server, styled):
    choices = [(0, 1), (), (5,)]

    async def requests():
        yield pb.SteerRequest(setup=pb.SteerSetup(model="styled"))
        for sequence, layers in enumerate(choices):
            position = pb.SteerPosition(latents=[latent(3, 1)], displacements=[push("after", 1.5, *layers)])
            yield pb.SteerRequest(sequence=sequence, position=position)

    answers = [answer async for answer in server.generation.Steer(requests())]
    assert answers[-1].sequence == 2
    for answer in answers:
        (standing,) = answer.frame.positions
        layers = choices[answer.sequence]
        assert (tuple(standing.layers), standing.alpha) == (layers, 1.5)
        moved = [1.5 if layer in layers or not layers else 0 for layer in range(6)]
        assert_draws(answer.frame.images, styled, shift_of(styled, "w", moved))


REFUSED = {
    "a layer that there is not": (push("after", 1, 0, 6), "displacements[0].layers", "6 must be from 0 to 5"),
    "a layer twice": (push("after", 1, 2, 2), "displacements[0].layers", "2 is named twice"),
    "a direction in z": (push("before", 1, 0), "displacements[0].layers", "'before' moves z, which has no layers"),
    "a layer that it does not move": (
        push("inside", 1, 1, 2),
        "displacements[0].layers",
        "direction 'inside' moves only layers 1, 4, not 2",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_layers_that_cannot_be_moved_are_refused_by_their_field(server, refusal, case):
    displacement, field, said = REFUSED[case]
    request = pb.GenerateRequest(model="styled", latents=[latent(3, 1)], displacements=[displacement])
    refused = await refusal(server.generation.Generate(request))
    assert (refused.status, refused.fields) == ("INVALID_ARGUMENT", [field])
    assert said in refused.message


async def test_a_stretch_with_layers_that_cannot_be_moved_is_refused_by_its_field(server, refusal):
    refused = await refusal(server.generation.Walk(walk([stretch("after", 0, 1)], [stretch("before", 0, 1, 3)])))
    assert refused.fields == ["legs[1].stretches[0].layers"]


async def test_a_generator_without_layers_has_none_to_move(server, library, faces, direction_of, refusal, serve):
    async with serve(library) as plain:
        request = pb.GenerateRequest(model="faces", latents=[latent(1, None)], displacements=[push("zoom", 0.5, 0)])
        refused = await refusal(plain.generation.Generate(request))
    assert (refused.status, refused.fields) == ("INVALID_ARGUMENT", ["displacements[0].layers"])
    assert "direction 'zoom' moves z, which has no layers" in refused.message


async def test_no_layer_goes_beyond_the_limit_by_several_choices_that_meet_in_it(server, refusal):
    pushes = [push("after", 2, 0, 1), push("after", 2, 1, 2)]
    request = pb.GenerateRequest(model="styled", latents=[latent(3, 1)], displacements=pushes)
    refused = await refusal(server.generation.Generate(request))
    assert refused.fields == ["displacements"]
    assert "those of slider 's' add up to alpha 4 in layer 1; its limit is from -3 to 3" in refused.message
    legs = walk([stretch("after", 0, 2, 0, 1)], [stretch("after", 0, 2, 1, 2)])
    refused = await refusal(server.generation.Walk(legs))
    assert refused.fields == ["legs[1].stretches"]
    back = walk([stretch("after", 0, 2, 0, 1)], [stretch("after", 2, 0, 0, 1)], [stretch("after", 0, 2, 1, 2)])
    assert len([reply async for reply in server.generation.Walk(back)]) == 7


IN_W = LinearDirection("w", "sha256:0", (SLIDER,), torch.ones(1, 5), space="w")
IN_W_PLUS = LinearDirection("w+", "sha256:0", (SLIDER,), torch.ones(1, 10), space="w+", layers=(1, 3))
quarters = st.integers(-8, 8).map(lambda number: number / 4)
choices = st.sets(st.integers(0, 3), max_size=3).map(lambda layers: tuple(sorted(layers)))
stretches = st.one_of(
    st.builds(Stretch, st.just(IN_W), st.just(0), quarters, quarters, choices),
    st.builds(Stretch, st.just(IN_W_PLUS), st.just(0), quarters, quarters, st.sampled_from([(), (1,), (3,)])),
)


@given(st.lists(st.builds(Leg, st.lists(stretches, max_size=3).map(tuple), st.integers(2, 4)), min_size=1, max_size=4))
@settings(deadline=None, max_examples=300)
def test_sums_are_refused_just_when_a_frame_is_beyond_a_limit(legs):
    """Alphas are quarters, so that sums are exact."""
    walked, frames = Walk(torch.zeros(1, 4, 5), tuple(legs), lift=lambda start: start), 0
    sums = Sums(layers=4)
    for leg in legs:
        frames += leg.frames
        ends = (walked.alphas_at(frames - leg.frames), walked.alphas_at(frames - 1))
        if any(_is_beyond(alphas) for alphas in ends):
            with pytest.raises(InvalidRequest, match="its limit is from -3 to 3"):
                sums.add("legs", leg)
            return
        sums.add("legs", leg)


def _is_beyond(alphas):
    """Whether a slider, in some layer or in one choice of them, is beyond its limit."""
    totals = list(alphas.values())
    for direction, own in ((IN_W, range(4)), (IN_W_PLUS, IN_W_PLUS.layers)):
        for layer in own:
            moving = [alpha for track, alpha in alphas.items() if track.direction is direction]
            chosen = [track.layers for track in alphas if track.direction is direction]
            totals.append(sum(alpha for alpha, layers in zip(moving, chosen, strict=True) if layer in (layers or own)))
    return any(abs(total) > 3 for total in totals)
