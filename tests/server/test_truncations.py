"""Seeds of a generator that draws z itself, truncated by request, against real servers."""

import numpy as np
import pytest
import torch
from biggan import make_biggan

from latentwalk.gan.directions import LinearDirection, Slider
from latentwalk.gan.images import to_uint8
from latentwalk.gan.interpolation import slerp
from latentwalk.gan.latents import latents_from_seeds, one_hot, z_from_seeds
from latentwalk.oip import open_inference_service_pb2 as oip
from latentwalk.oip import open_inference_service_pb2_grpc as oip_grpc
from latentwalk.v1 import generation_service_pb2 as pb
from latentwalk.v1 import latent_pb2, tensor_pb2

AHEAD = Slider("ahead", "", "", 1.0, (-1.0, 1.0), (-3.0, 3.0))


@pytest.fixture(params=["dcgan", "biggan"])
def generator(request, faces):
    """One of each family that draws z itself, and from numbers that are normal."""
    return faces if request.param == "dcgan" else make_biggan("biggan")


@pytest.fixture
async def server(empty_library, generator, serve):
    """A server of the generator as `one`, with a direction `ahead`, and of a biggan_deep for the truncation 0.5."""
    empty_library.put_generator("one", generator)
    vectors = torch.ones(1, generator.spec.latent_size)
    empty_library.put_direction("one", LinearDirection("ahead", generator.digest, (AHEAD,), vectors))
    empty_library.put_generator("deep", make_biggan("biggan_deep", 0.5))
    async with serve(empty_library) as running:
        yield running


@pytest.fixture
def latent_of(generator):
    """A function that makes a latent of class 1, if there are classes, with a threshold, if one is given."""

    def make(seed=None, threshold=None, **fields):
        latent = latent_pb2.Latent(**fields) if seed is None else latent_pb2.Latent(seed=seed)
        if generator.spec.classes:
            latent.condition.class_id = 1
        if threshold is not None:
            latent.truncation.threshold = threshold
        return latent

    return make


def drawn(generator, z):
    condition = one_hot([1] * len(z), generator.spec.classes) if generator.spec.classes else None
    with torch.inference_mode():
        return to_uint8(generator(z, condition), generator.spec.range).numpy().astype(int)


def assert_same(images, expected):
    assert len(images) == len(expected)
    for image, one in zip(images, expected, strict=True):
        assert np.abs(np.frombuffer(image.data, np.uint8).reshape(one.shape) - one).max() <= 1


async def test_each_seed_is_of_the_law_cut_off_at_its_own_threshold(server, generator, latent_of):
    thresholds = [0.5, None, 0.04, 0.5, 2.0]
    latents = [latent_of(seed, threshold) for seed, threshold in enumerate(thresholds)]
    reply = await server.generation.Generate(pb.GenerateRequest(model="one", latents=latents))
    z = [latents_from_seeds([seed], generator.spec, threshold) for seed, threshold in enumerate(thresholds)]
    assert_same(reply.images, drawn(generator, torch.cat(z)))
    assert torch.equal(z[1], z_from_seeds([1], generator.spec.latent_size))
    (plain,) = (await server.generation.Generate(pb.GenerateRequest(model="one", latents=[latent_of(0)]))).images
    assert plain.data != reply.images[0].data


async def test_strict_bytes_are_the_same_alone_and_among_other_thresholds(server, latent_of):
    strict = pb.Delivery(determinism=pb.DETERMINISM_STRICT)

    async def draw(*latents):
        request = pb.GenerateRequest(model="one", latents=latents, delivery=strict)
        return [image.data for image in (await server.generation.Generate(request)).images]

    (alone,) = await draw(latent_of(3, 0.5))
    company = await draw(*(latent_of(seed, 0.1 * (1 + seed)) for seed in range(9)), latent_of(3), latent_of(3, 0.5))
    assert company[-1] == alone
    assert company[-2] != alone


async def test_walks_interpolations_and_steering_start_from_truncated_seeds(server, generator, latent_of):
    z = torch.cat([latents_from_seeds([3], generator.spec, 0.5), latents_from_seeds([4], generator.spec, 1.0)])
    starts = [latent_of(3, 0.5), latent_of(4, 1.0)]
    ends = {"from": pb.Extent(alpha=-1), "to": pb.Extent(alpha=1)}
    walk = pb.WalkRequest(
        model="one", starts=starts, legs=[pb.Leg(stretches=[pb.Stretch(direction="ahead", **ends)], frames=3)]
    )
    frames = [reply.frame async for reply in server.generation.Walk(walk) if reply.HasField("frame")]
    for frame, alpha in zip(frames, (-1, 0, 1), strict=True):
        assert_same(frame.images, drawn(generator, z + alpha))
    travel = pb.InterpolateRequest(model="one", keyframes=starts, frames_per_leg=2)
    frames = [reply.frame async for reply in server.generation.Interpolate(travel) if reply.HasField("frame")]
    for frame, one in zip(frames, (z[0], slerp(z[0], z[1], 0.5), z[1]), strict=True):
        assert_same(frame.images, drawn(generator, one[None]))

    async def requests():
        yield pb.SteerRequest(setup=pb.SteerSetup(model="one"))
        yield pb.SteerRequest(sequence=1, position=pb.SteerPosition(latents=starts))

    (answer,) = [answer async for answer in server.generation.Steer(requests())]
    assert_same(answer.frame.images, drawn(generator, z))


async def test_a_search_may_begin_at_truncated_seeds(server, generator, latent_of):
    request = pb.GenerateRequest(model="one", latents=[latent_of(7, 0.5)])
    (picture,) = (await server.generation.Generate(request)).images
    invert = pb.InvertRequest(model="one", picture=picture, starts=[latent_of(6), latent_of(7, 0.5)], steps=1)
    first = await anext(aiter(server.generation.Invert(invert)))
    assert (first.step, first.start) == (0, 1)
    assert first.error < 1e-4
    assert np.array_equal(
        np.frombuffer(first.latent.z.data, np.float32), latents_from_seeds([7], generator.spec, 0.5)[0].numpy()
    )


REFUSED = {
    "none": (lambda one: one.truncation.SetInParent(), "threshold", "is needed"),
    "zero": (lambda one: setattr(one.truncation, "threshold", 0), "threshold", "0 must be above 0 and at most 100"),
    "much": (lambda one: setattr(one.truncation, "threshold", 101), "threshold", "101 must be above 0"),
    "no number": (lambda one: setattr(one.truncation, "threshold", float("nan")), "threshold", "nan must be above 0"),
    "psi": (lambda one: setattr(one.truncation, "psi", 0), "psi", "has no mapping network; give a threshold"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_a_truncation_that_cannot_be_is_refused_by_its_field(server, latent_of, refusal, case):
    change, field, said = REFUSED[case]
    chosen = latent_of(3)
    change(chosen)
    request = pb.GenerateRequest(model="one", latents=[latent_of(1), chosen])
    refused = await refusal(server.generation.Generate(request))
    assert (refused.status, refused.fields) == ("INVALID_ARGUMENT", [f"latents[1].truncation.{field}"])
    assert said in refused.message


async def test_a_z_that_is_given_is_not_drawn_and_so_not_truncated(server, generator, latent_of, refusal):
    size = generator.spec.latent_size
    z = tensor_pb2.Tensor(dtype=tensor_pb2.DATA_TYPE_FLOAT32, shape=[size], data=bytes(4 * size))
    request = pb.GenerateRequest(model="one", latents=[latent_of(threshold=0.5, z=z)])
    refused = await refusal(server.generation.Generate(request))
    assert refused.fields == ["latents[0].truncation.threshold"]
    assert "a z that is given is not drawn" in refused.message


async def test_a_generator_that_is_normalised_for_one_truncation_keeps_to_it(server, refusal):
    chosen = latent_pb2.Latent(seed=1, condition=latent_pb2.Condition(class_id=1))
    chosen.truncation.threshold = 0.25
    refused = await refusal(server.generation.Generate(pb.GenerateRequest(model="deep", latents=[chosen])))
    assert refused.fields == ["latents[0].truncation.threshold"]
    assert "the generator is normalised for truncation 0.5, to which its seeds keep" in refused.message


def infer(model, generator, threshold, **kinds):
    """A request for one picture of class 1, if there are classes."""
    named = {"seed": ("UINT64", "uint64_contents", [3])} | kinds
    named["threshold"] = ("FP32", "fp32_contents", [threshold])
    if generator.spec.classes:
        named["class_id"] = ("INT64", "int64_contents", [1])
    inputs = [
        oip.ModelInferRequest.InferInputTensor(
            name=name, datatype=datatype, shape=[1], contents=oip.InferTensorContents(**{field: numbers})
        )
        for name, (datatype, field, numbers) in named.items()
    ]
    return oip.ModelInferRequest(model_name=model, inputs=inputs)


async def test_standard_clients_give_a_threshold_as_an_input(server, generator, latent_of, refusal):
    stub = oip_grpc.GRPCInferenceServiceStub(server.channel)
    reply = await stub.ModelInfer(infer("one", generator, 0.5))
    (expected,) = drawn(generator, latents_from_seeds([3], generator.spec, 0.5))
    pixels = np.frombuffer(reply.raw_output_contents[0], np.uint8).reshape(expected.shape)
    assert np.abs(pixels - expected).max() <= 1
    refused = await refusal(stub.ModelInfer(infer("one", generator, 0.0)))
    assert refused.fields == ["inputs.threshold[0]"]
    for model, has_threshold in (("one", True), ("deep", False)):
        told = await stub.ModelMetadata(oip.ModelMetadataRequest(name=model))
        assert ("threshold" in {one.name for one in told.inputs}) == has_threshold
