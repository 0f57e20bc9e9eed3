"""Latents that take long to map or to move, against real servers: they hold up nobody else, and are bounded."""

import asyncio
import gc
import threading

import grpc
import pytest
import torch
from styled import make_lively
from styled_requests import latent

from latentwalk.gan.directions import DeformedDirection, Slider
from latentwalk.gan.directions.deformed import DeformingNetwork
from latentwalk.gan.families.style_based import StyleBased
from latentwalk.gan.latents import z_from_seeds
from latentwalk.gan.spec import SPACES, GeneratorSpec
from latentwalk.gan.steps import finish
from latentwalk.gan.styles import map_rows
from latentwalk.rpc.errors import InvalidRequest
from latentwalk.server.engine import Engine
from latentwalk.server.orders import Delivery
from latentwalk.server.served import ServedModel
from latentwalk.server.steering import session
from latentwalk.server.validation import interpolate_order
from latentwalk.v1 import generation_service_pb2 as pb
from latentwalk.v1 import latent_pb2
from latentwalk.v1 import model_service_pb2 as model_pb


class Hold:
    """Calls that are told of, and do not go on before they are let go."""

    def __init__(self, call):
        self.call = call
        self.threads = []
        self.released = threading.Event()

    def __call__(self, *arguments):
        self.threads.append(threading.current_thread())
        self.released.wait(120)
        return self.call(*arguments)

    async def has(self, calls):
        """Waits until there were so many."""
        async with asyncio.timeout(60):
            while len(self.threads) < calls:  # noqa: ASYNC110 - it is on the other side
                await asyncio.sleep(0.005)


@pytest.fixture
def deformator(monkeypatch):
    """The network of deformed directions, which is not held at first."""
    hold = Hold(DeformingNetwork.forward)
    hold.released.set()
    monkeypatch.setattr(DeformingNetwork, "forward", lambda *arguments: hold(*arguments))
    yield hold
    hold.released.set()


@pytest.fixture
def mapping(monkeypatch):
    """The mapping networks, which are not held at first."""
    hold = Hold(StyleBased.map)
    hold.released.set()
    monkeypatch.setattr(StyleBased, "map", lambda *arguments: hold(*arguments))
    yield hold
    hold.released.set()


@pytest.fixture
def bent_library(library, faces):
    """The library with a direction of faces that takes a network to walk."""
    torch.manual_seed(0)
    sliders = tuple(Slider(name, "", "", 1.0, (-1.0, 1.0), (-1.0, 1.0)) for name in "abc")
    network = DeformingNetwork(3, 6, width=16).eval()
    library.put_direction("faces", DeformedDirection("bent", faces.digest, sliders, deformator=network))
    return library


def bent_walk(frames=12, **fields):
    stretches = [pb.Stretch(direction="bent", slider=name) for name in "abc"]
    return pb.WalkRequest(
        model="faces", starts=[latent(1, None)], legs=[pb.Leg(stretches=stretches, frames=frames)], **fields
    )


def still(seed):
    return pb.GenerateRequest(model="faces", latents=[latent(seed, None)])


async def test_no_frame_that_takes_a_network_is_made_on_the_event_loop(bent_library, serve, deformator):
    push = pb.Displacement(direction="bent", slider="a", extent=pb.Extent(alpha=0.5))
    async with serve(bent_library) as server:
        replies = [reply async for reply in server.generation.Walk(bent_walk())]
        assert [reply.frame.index for reply in replies[1:]] == list(range(12))
        assert len(deformator.threads) == 3 * 12
        await server.generation.Generate(pb.GenerateRequest(**_fields(still(1)), displacements=[push]))
        call = server.generation.Steer()
        await call.write(pb.SteerRequest(setup=pb.SteerSetup(model="faces")))
        position = pb.SteerPosition(latents=[latent(1, None)], displacements=[push])
        await call.write(pb.SteerRequest(sequence=1, position=position))
        assert (await call.read()).frame.images
        call.cancel()
    assert len(deformator.threads) == 3 * 12 + 2
    assert threading.current_thread() not in deformator.threads


def _fields(request):
    return {"model": request.model, "latents": request.latents}


async def test_frames_that_take_a_network_are_those_of_the_walk_from_any_frame_on(bent_library, serve):
    async with serve(bent_library) as server:
        strict = {"determinism": pb.DETERMINISM_STRICT}
        whole = [reply async for reply in server.generation.Walk(bent_walk(loop=True, delivery=strict))][1:]
        rest = server.generation.Walk(bent_walk(loop=True, delivery={**strict, "first_frame": 9}))
        later = [reply async for reply in rest][1:]
    assert [reply.frame.index for reply in later] == list(range(9, 22))
    assert [one.frame.images[0].data for one in later] == [one.frame.images[0].data for one in whole[9:]]
    assert len({one.frame.images[0].data for one in whole}) == 12


async def test_others_are_served_while_all_threads_for_latents_are_held(
    bent_library, serve, deformator, device_process
):
    async with serve(bent_library, latent_threads=2) as server:
        deformator.released.clear()
        walks = [server.generation.Walk(bent_walk()) for _ in range(12)]
        reading = [asyncio.ensure_future(walk.read()) for walk in walks]
        await deformator.has(2)
        async with asyncio.timeout(60):
            assert (await server.models.ListModels(model_pb.ListModelsRequest())).models
            assert (await server.generation.Generate(still(1))).images
            device_process().kill()
            assert (await server.generation.Generate(still(2), wait_for_ready=True)).images
        for walk in walks:
            walk.cancel()
        await asyncio.wait(reading)
        await server.settles("latentwalk_open_streams", 0)
        deformator.released.set()
        assert [reply async for reply in server.generation.Walk(bent_walk())]
        # Of the walks that were cancelled, each of two had the step in work done, and the others none.
        assert len(deformator.threads) == 2 + 3 * 12


@pytest.fixture
def styled_alone(empty_library, styled):
    empty_library.put_generator("styled", styled)
    return empty_library


async def test_latents_that_would_wait_for_too_many_others_are_refused_at_once(styled_alone, serve, mapping, refusal):
    request = pb.MapLatentsRequest(model="styled", latents=[latent(1, 1)])
    async with serve(styled_alone, latent_threads=1, max_latent_requests=2, w_cache_mib=0) as server:
        mapping.released.clear()
        held = asyncio.ensure_future(server.generation.MapLatents(request))
        await mapping.has(1)
        waiting = asyncio.ensure_future(server.generation.MapLatents(request))
        await server.settles("grpc_server_started_total", 2, grpc_method="MapLatents")
        for refused in (
            server.generation.MapLatents(request),
            server.generation.Generate(pb.GenerateRequest(model="styled", latents=[latent(1, 1)])),
        ):
            told = await refusal(refused)
            assert (told.status, told.reason) == ("RESOURCE_EXHAUSTED", "QUEUE_FULL")
            assert "the latents of 2 requests wait" in told.message
            assert told.retry_seconds > 0
        assert await server.metric("latentwalk_rejected_total", reason="queue_full") == 2
        mapping.released.set()
        assert (await held).codes == (await waiting).codes


async def test_a_position_that_is_overtaken_before_it_was_its_turn_is_not_read(
    styled_alone, serve, mapping, monkeypatch
):
    read, orders = [], session.steer_order

    def watched(setup, position, model):
        read.append((position.latents[0].seed, threading.current_thread()))
        return orders(setup, position, model)

    monkeypatch.setattr(session, "steer_order", watched)
    async with serve(styled_alone) as server:
        mapping.released.clear()
        call = server.generation.Steer()
        await call.write(pb.SteerRequest(setup=pb.SteerSetup(model="styled")))
        await call.write(pb.SteerRequest(sequence=1, position=pb.SteerPosition(latents=[latent(1, 1)])))
        await mapping.has(1)
        for number in range(2, 42):
            await call.write(pb.SteerRequest(sequence=number, position=pb.SteerPosition(latents=[latent(number, 1)])))
        # A later call on the same connection: what was sent before has arrived.
        assert (await server.models.ListModels(model_pb.ListModelsRequest())).models
        mapping.released.set()
        answers = [await call.read()]
        while answers[-1].sequence < 41:
            answers.append(await call.read())
        call.cancel()
    sequences = [answer.sequence for answer in answers]
    assert sequences == sorted(set(sequences))
    assert [answer.dropped for answer in answers] == [number - 1 - place for place, number in enumerate(sequences)]
    assert len(read) < 20
    assert threading.current_thread() not in {thread for _, thread in read}


# -- how much one request may hold -------------------------------------------------------------------------------------

# As many layers as a generator of 1,024 pixels has, of few numbers.
TALL = GeneratorSpec(
    "stylegan", 32, 0, 1024, 3, {"width": 1, "max_width": 1, "mapping_layers": 1}, spaces=SPACES, layers=18, w_size=32
)


@pytest.fixture(scope="module")
def tall():
    """A model of that, as the server holds it."""
    generator = make_lively(TALL)
    engine = Engine(generator, torch.device("cpu"))
    return ServedModel("tall", 1, engine, engine.searcher, 4, 10_000)


def travel(keyframes, styles=0, **fields):
    def keyframe(seed):
        mixed = [latent_pb2.LayerStyle(latent=latent(seed * 18 + one, None), layers=[one]) for one in range(styles)]
        return latent_pb2.Latent(seed=seed, styles=mixed)

    made = [keyframe(0 if styles else seed) for seed in range(keyframes)]
    return pb.InterpolateRequest(model="tall", keyframes=made, frames_per_leg=1, **fields)


def held_bytes():
    """What all dense tensors take that there are now, those of other tests among them."""
    gc.collect()
    tensors = [one for one in gc.get_objects() if issubclass(type(one), torch.Tensor)]
    tensors = [one for one in tensors if one.layout is torch.strided and one.device.type == "cpu"]
    return sum({one.untyped_storage().data_ptr(): one.untyped_storage().nbytes() for one in tensors}.values())


@pytest.mark.parametrize("space", ["w", "z"])
def test_keyframes_are_held_as_they_were_given_and_lifted_when_their_leg_comes(tall, space):
    before = held_bytes()
    order = interpolate_order(travel(1_024, space=space), tall, Delivery())
    as_w_plus = 1_024 * 4 * TALL.layers * TALL.w_size
    assert held_bytes() - before < as_w_plus / 4
    for index in range(0, 1_023, 8):
        [row] = finish(order.rows_at(index))
        assert row.code.shape == (TALL.layers, TALL.w_size)
    assert held_bytes() - before < as_w_plus / 4


@pytest.mark.parametrize("space", ["w", "z"])
def test_keyframes_are_lifted_each_with_its_own_styles(tall, space):
    request = travel(3, styles=2, space=space)
    order, generator = interpolate_order(request, tall, Delivery()), tall.generator
    [row] = finish(order.rows_at(1))
    own, first, second = torch.stack(map_rows(generator, z_from_seeds([0, 0, 1], TALL.latent_size), None))
    expected = torch.cat([first[:1], second[1:2], own[2:]])
    assert torch.equal(torch.from_numpy(row.code), expected)


def test_more_latents_than_may_be_held_are_refused_with_those_of_their_styles(tall, monkeypatch):
    each = 4 * TALL.layers * TALL.w_size
    monkeypatch.setattr("latentwalk.server.validation.latents.MOST_LATENT_BYTES", 57 * each)
    interpolate_order(travel(3, styles=18), tall, Delivery())
    with pytest.raises(InvalidRequest, match="58 latents, with those of their styles, are more than 57") as refused:
        interpolate_order(pb.InterpolateRequest(**_more(travel(3, styles=18))), tall, Delivery())
    assert refused.value.violations[0][0] == "keyframes"
    # As many as a request may have rows are never too many.
    monkeypatch.setattr("latentwalk.server.validation.latents.MOST_LATENT_BYTES", 0)
    interpolate_order(travel(4), tall, Delivery())


def _more(request):
    return {"model": "tall", "keyframes": [*request.keyframes, latent(9, None)], "frames_per_leg": 1}


async def test_a_walk_and_an_interpolation_are_refused_before_their_latents_are_read(slow_library, serve, refusal):
    """Or it would cost as much to refuse them as to serve them: these latents have no code."""
    async with serve(slow_library, max_streams=1, max_batch=1) as server:
        busy = server.generation.Walk(_slow_walk(latent(1, None)))
        await busy.read()
        for call in (
            server.generation.Walk(_slow_walk(latent_pb2.Latent())),
            server.generation.Interpolate(
                pb.InterpolateRequest(model="slow", keyframes=[latent_pb2.Latent()] * 2, frames_per_leg=2)
            ),
        ):
            assert (await refusal(call)).status == grpc.StatusCode.RESOURCE_EXHAUSTED.name
        busy.cancel()


def _slow_walk(start):
    leg = pb.Leg(stretches=[pb.Stretch(direction="zoom")], frames=1_000)
    return pb.WalkRequest(model="slow", starts=[start], legs=[leg])
