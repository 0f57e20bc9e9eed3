"""Whatever arrives becomes an order that can be carried out, or an error of the caller; never a fault of ours."""

import math
import time
from contextlib import suppress

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from latentwalk.gan.steps import finish
from latentwalk.oip import open_inference_service_pb2 as oip
from latentwalk.rpc.errors import ServiceError
from latentwalk.server.orders import Delivery
from latentwalk.server.validation import (
    count_walk_frames,
    generate_order,
    interpolate_order,
    search_order,
    steer_order,
    walk_order,
)
from latentwalk.server.validation.inference import generate_request
from latentwalk.v1 import generation_service_pb2 as pb
from latentwalk.v1 import image_pb2, latent_pb2, tensor_pb2

enums = st.integers(0, 6)
names = st.sampled_from(["zoom", "style", "age", "light", "", "x"])
counts = st.sampled_from([0, 1, 2, 5, 10_000, 10_001, 2**32 - 1])
numbers = st.sampled_from([0.0, 0.5, 1.0, -1.0, 3.0, 1e300, math.nan, math.inf]) | st.floats()
tensors = st.builds(
    tensor_pb2.Tensor,
    dtype=enums,
    shape=st.lists(st.sampled_from([0, 1, 6, 2**32 - 1]), max_size=3),
    data=st.binary(max_size=30) | st.binary(min_size=24, max_size=24),
)
conditions = st.builds(latent_pb2.Condition, class_id=counts) | st.builds(
    lambda weights: latent_pb2.Condition(class_mix=latent_pb2.ClassMix(weights=weights)),
    st.dictionaries(st.integers(0, 4), st.floats(width=32), max_size=4),
)
codes = st.one_of(
    st.builds(lambda seed: {"seed": seed}, st.integers(0, 2**64 - 1)),
    st.builds(lambda tensor: {"z": tensor}, tensors),
    st.builds(lambda tensor: {"w_plus": tensor}, tensors),
    st.just({}),
)
truncations = st.builds(latent_pb2.Truncation, psi=st.none() | numbers, threshold=st.none() | numbers)
latents = st.lists(
    st.builds(
        lambda code, condition, truncation: latent_pb2.Latent(**code, condition=condition, truncation=truncation),
        codes,
        st.none() | conditions,
        st.none() | truncations,
    ),
    max_size=4,
)
extents = st.builds(lambda unit, value: pb.Extent(**{unit: value}), st.sampled_from(["alpha", "amount"]), numbers)
encodings = st.builds(image_pb2.ImageEncoding, format=enums, quality=counts)
layers = st.just([]) | st.lists(st.integers(0, 20), max_size=3)
displacements = st.builds(pb.Displacement, direction=names, slider=names, extent=extents, layers=layers)
stretches = st.builds(
    lambda start, **fields: pb.Stretch(**fields, **{"from": start}),
    start=extents,
    direction=names,
    slider=names,
    to=extents,
    layers=layers,
)
legs = st.builds(pb.Leg, stretches=st.lists(stretches, max_size=3), frames=counts, easing=enums)

REQUESTS = [
    (
        generate_order,
        st.builds(
            pb.GenerateRequest,
            latents=latents,
            displacements=st.lists(displacements, max_size=3),
            encoding=encodings,
        ),
    ),
    (
        walk_order,
        st.builds(
            pb.WalkRequest, starts=latents, legs=st.lists(legs, max_size=3), loop=st.booleans(), encoding=encodings
        ),
    ),
    (
        interpolate_order,
        st.builds(
            pb.InterpolateRequest,
            keyframes=latents,
            frames_per_leg=counts,
            interpolation=enums,
            easing=enums,
            loop=st.booleans(),
            encoding=encodings,
        ),
    ),
]


@settings(max_examples=400)
@given(st.one_of(*(st.tuples(st.just(read), requests) for read, requests in REQUESTS)), st.booleans())
def test_any_request_is_an_order_within_all_limits_or_an_error_of_the_caller(model, grey_model, case, is_grey):
    read, request = case
    chosen = grey_model if is_grey else model
    try:
        order = read(request, chosen, Delivery())
    except ServiceError as error:
        assert error.status.name in ("INVALID_ARGUMENT", "NOT_FOUND")  # noqa: PT017 - it may be valid, or not
        return
    assert 1 <= len(order.frames) <= chosen.max_frames
    assert 1 <= order.frames.rows <= chosen.max_rows
    for index in {0, len(order.frames) - 1}:
        rows = finish(order.frames.rows_at(index))
        assert len(rows) == order.frames.rows
        for row in rows:
            assert row.code.shape == (6,)
            assert np.isfinite(row.code).all()
            assert (row.condition is None) == (not is_grey)
        for standing in order.frames.standings_at(index):
            slider = next(
                slider
                for slider in chosen.directions[standing.direction].direction.sliders
                if slider.name == standing.slider
            )
            assert slider.limit[0] - 1e-5 <= standing.alpha <= slider.limit[1] + 1e-5


# -- far too much ----------------------------------------------------------------------------------------------------

MANY = 1_000_000
BLACK = image_pb2.Image(width=16, height=16, channels=3, data=bytes(16 * 16 * 3))


def seconds_of(call):
    """Of this thread, at its best: what others make it wait for is not counted."""

    def measured():
        started = time.thread_time()
        with suppress(ServiceError):
            call()
        return time.thread_time() - started

    return min(measured() for _ in range(3))


def test_of_legs_without_end_not_each_is_looked_at(model):
    request = pb.WalkRequest(legs=[pb.Leg()] * MANY)
    assert seconds_of(lambda: count_walk_frames(request, model)) < seconds_of(lambda: sum(1 for _ in request.legs)) / 10


def test_of_starts_without_end_not_each_is_looked_at(model):
    request = pb.InvertRequest(picture=BLACK, starts=[latent_pb2.Latent()] * MANY)
    search = seconds_of(lambda: search_order(request, model, Delivery()))
    assert search < seconds_of(lambda: sum(1 for _ in request.starts)) / 10


def test_of_latents_of_a_position_without_end_not_each_is_looked_at(model):
    request = pb.SteerPosition(latents=[latent_pb2.Latent()] * MANY)
    read = seconds_of(lambda: steer_order(pb.SteerSetup(model="faces"), request, model))
    assert read < seconds_of(lambda: sum(1 for _ in request.latents)) / 10


def test_of_outputs_without_end_not_each_is_looked_at(model):
    request = oip.ModelInferRequest(outputs=[oip.ModelInferRequest.InferRequestedOutputTensor(name="images")] * MANY)
    assert (
        seconds_of(lambda: generate_request(request, model)) < seconds_of(lambda: sum(1 for _ in request.outputs)) / 10
    )


def test_of_a_shape_without_end_not_each_size_is_looked_at(model):
    z = tensor_pb2.Tensor(dtype=tensor_pb2.DATA_TYPE_FLOAT32, shape=[1] * MANY)
    request = pb.GenerateRequest(latents=[latent_pb2.Latent(z=z)])
    read = seconds_of(lambda: generate_order(request, model, Delivery()))
    assert read < seconds_of(lambda: tuple(request.latents[0].z.shape)) / 4
    tensor = oip.ModelInferRequest.InferInputTensor(name="seed", datatype="UINT64", shape=[1] * MANY)
    infer = oip.ModelInferRequest(inputs=[tensor])
    read = seconds_of(lambda: generate_request(infer, model))
    assert read < seconds_of(lambda: tuple(infer.inputs[0].shape)) / 4
