"""What a generator with a mapping network cannot be asked for, or one without, is refused by its field."""

import pytest
import torch
from styled_requests import latent, seeds, tensor

from latentwalk.gan.families import build_generator
from latentwalk.gan.spec import SPACES, GeneratorSpec
from latentwalk.v1 import generation_service_pb2 as pb
from latentwalk.v1 import latent_pb2


@pytest.fixture
def server(styled_server):
    """A server of a styled generator with a direction in each space, and of one without a mapping network."""
    return styled_server


def _changed(change, **kinds):
    chosen = latent(3, 1, **kinds)
    change(chosen)
    return chosen


STYLED_REFUSALS = {
    "psi": (lambda one: setattr(one.truncation, "psi", 2.5), "latents[0].truncation.psi", "2.5 must be from -2 to 2"),
    "psi is not a number": (
        lambda one: setattr(one.truncation, "psi", float("nan")),
        "latents[0].truncation.psi",
        "nan",
    ),
    "cutoff": (
        lambda one: one.truncation.MergeFrom(latent_pb2.Truncation(psi=0.5, layers=7)),
        "latents[0].truncation.layers",
        "7 must be from 1 to 6",
    ),
    "no truncation": (lambda one: one.truncation.SetInParent(), "latents[0].truncation.psi", "is needed; leave"),
    "layers alone": (lambda one: setattr(one.truncation, "layers", 2), "latents[0].truncation.psi", "is needed; leave"),
    "no cutoff": (
        lambda one: one.truncation.MergeFrom(latent_pb2.Truncation(psi=0.5, layers=0)),
        "latents[0].truncation.layers",
        "0 must be from 1",
    ),
    "threshold": (
        lambda one: setattr(one.truncation, "threshold", 0.5),
        "latents[0].truncation.threshold",
        "this one has a mapping network, give a psi",
    ),
    "strength": (lambda one: setattr(one.noise, "strength", 5), "latents[0].noise.strength", "5 must be from 0 to 4"),
    "noise of a layer": (
        lambda one: one.noise.layers.extend([1, 6]),
        "latents[0].noise.layers",
        "6 must be from 0 to 5",
    ),
    "noise twice": (lambda one: one.noise.layers.extend([1, 3, 1]), "latents[0].noise.layers", "1 is named twice"),
    "no layers": (lambda one: one.styles.add(latent=latent(1)), "latents[0].styles[0].layers", "has none"),
    "layer": (
        lambda one: one.styles.add(latent=latent(1), layers=[6]),
        "latents[0].styles[0].layers",
        "6 must be from",
    ),
    "layer twice": (
        lambda one: one.styles.add(latent=latent(1), layers=[2, 2]),
        "latents[0].styles[0].layers",
        "2 has a style already",
    ),
    "style without a code": (
        lambda one: one.styles.add(latent=latent(), layers=[2]),
        "latents[0].styles[0].latent",
        "has no code",
    ),
    "style without a class": (
        lambda one: one.styles.add(latent=latent(1, None), layers=[2]),
        "latents[0].styles[0].latent.condition",
        "is required",
    ),
    "style of a style": (
        lambda one: one.styles.add(latent=_changed(lambda two: two.styles.add()), layers=[2]),
        "latents[0].styles[0].latent.styles",
        "no styles of its own",
    ),
    "noise of a style": (
        lambda one: one.styles.add(latent=_changed(lambda two: setattr(two.noise, "seed", 1)), layers=[2]),
        "latents[0].styles[0].latent.noise",
        "has no noise",
    ),
    "shape of w": (
        lambda one: one.w.CopyFrom(tensor(torch.zeros(6))),
        "latents[0].w.shape",
        "[6] must be [5]",
    ),
    "shape of w+": (
        lambda one: one.w_plus.CopyFrom(tensor(torch.zeros(5, 6))),
        "latents[0].w_plus.shape",
        "[5, 6] must be [6, 5]",
    ),
    "w is not finite": (
        lambda one: one.w.CopyFrom(tensor(torch.full((5,), float("inf")))),
        "latents[0].w.data",
        "number 0 is inf",
    ),
}


@pytest.mark.parametrize("case", STYLED_REFUSALS)
async def test_what_cannot_be_is_refused_by_its_field(server, refusal, case):
    change, field, said = STYLED_REFUSALS[case]
    refused = await refusal(server.generation.Generate(pb.GenerateRequest(model="styled", latents=[_changed(change)])))
    assert (refused.status, refused.fields) == ("INVALID_ARGUMENT", [field])
    assert said in refused.message


PLAIN_REFUSALS = {
    "truncation.psi": lambda one: setattr(one.truncation, "psi", 1),
    "truncation.layers": lambda one: setattr(one.truncation, "layers", 1),
    "noise": lambda one: setattr(one.noise, "strength", 1),
    "styles": lambda one: one.styles.add(),
    "w": lambda one: one.w.CopyFrom(tensor(torch.zeros(6))),
    "w_plus": lambda one: one.w_plus.CopyFrom(tensor(torch.zeros(6))),
}


@pytest.mark.parametrize("field", PLAIN_REFUSALS)
async def test_a_generator_without_a_mapping_network_refuses_all_of_it(server, refusal, field):
    (chosen,) = seeds(3)
    PLAIN_REFUSALS[field](chosen)
    refused = await refusal(server.generation.Generate(pb.GenerateRequest(model="faces", latents=[chosen])))
    assert (refused.status, refused.fields) == ("INVALID_ARGUMENT", [f"latents[0].{field}"])


async def test_z_of_a_latent_given_in_w_can_neither_be_moved_nor_blended(server, refusal, styled):
    given = latent(w=tensor(torch.zeros(5)), class_id=None)
    displacement = pb.Displacement(direction="before", extent=pb.Extent(alpha=0.5))
    request = pb.GenerateRequest(model="styled", latents=[latent(1), given], displacements=[displacement])
    refused = await refusal(server.generation.Generate(request))
    assert refused.fields == ["displacements[0]"]
    assert "direction 'before' moves z; latents[1] is given in w" in refused.message
    request = pb.InterpolateRequest(model="styled", keyframes=[latent(1), given], frames_per_leg=2, space="z")
    assert (await refusal(server.generation.Interpolate(request))).fields == ["keyframes[1]"]


async def test_keyframes_that_cannot_be_blended_are_refused(server, refusal):
    def request(change=lambda one: None, model="styled", **fields):
        keyframes = [latent(1), latent(2)] if model == "styled" else seeds(1, 2)
        change(keyframes[1])
        return pb.InterpolateRequest(model=model, keyframes=keyframes, frames_per_leg=2, **fields)

    cases = [
        (request(space="w+"), "space"),
        (request(space="w", model="faces"), "space"),
        (request(interpolation=pb.INTERPOLATION_SLERP), "interpolation"),
        (request(lambda one: setattr(one.noise, "seed", 4)), "keyframes[1].noise"),
        (request(lambda one: setattr(one.truncation, "psi", 0.5), space="z"), "keyframes[1].truncation"),
    ]
    for asked, field in cases:
        assert (await refusal(server.generation.Interpolate(asked))).fields == [field]


async def test_only_a_generator_with_a_mapping_network_maps(server, refusal):
    refused = await refusal(server.generation.MapLatents(pb.MapLatentsRequest(model="faces", latents=seeds(1))))
    assert (refused.status, refused.fields) == ("INVALID_ARGUMENT", ["model"])


async def test_rows_are_limited_to_the_codes_that_fit_a_reply(empty_library, serve, refusal):
    config = {"width": 2, "max_width": 2, "mapping_layers": 1}
    spec = GeneratorSpec("stylegan", 2, 0, 8, 1, config, spaces=SPACES, layers=4, w_size=256)
    empty_library.put_generator("wide", build_generator(spec).freeze())
    async with serve(empty_library, max_rows=4096, max_reply_mib=1) as server:
        # A picture has 64 bytes, but a w+ 4,096, and fifteen sixteenths of a message are for either.
        request = pb.MapLatentsRequest(model="wide", latents=seeds(*range(241)))
        refused = await refusal(server.generation.MapLatents(request))
        assert "241 must be from 1 to 240" in refused.message
        del request.latents[0]
        assert len((await server.generation.MapLatents(request)).codes) == 240
