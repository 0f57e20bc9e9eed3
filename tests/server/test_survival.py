"""Models and directions come and go under full load, and no request notices."""

import asyncio
from contextlib import asynccontextmanager

import grpc
import pytest

from latentwalk.gan.spec import GeneratorSpec
from latentwalk.v1 import generation_service_pb2 as pb
from latentwalk.v1 import latent_pb2
from latentwalk.v1 import model_service_pb2 as models_pb

DIGITS = GeneratorSpec("dcgan", 6, 3, 16, 1, {"width": 4})


def walk(frames, seed=1):
    request = pb.WalkRequest(model="faces")
    request.starts.add(seed=seed)
    stretch = request.legs.add(frames=frames).stretches.add(direction="zoom", to=pb.Extent(alpha=1))
    getattr(stretch, "from").alpha = 0
    return request


def digit(seed):
    latent = latent_pb2.Latent(seed=seed, condition=latent_pb2.Condition(class_id=seed % 3))
    return pb.GenerateRequest(model="digits", latents=[latent])


class Load:
    """Callers that ask for walks of faces and pictures of digits, one after the other, and never fail."""

    def __init__(self, server):
        self.server = server
        self.served = 0
        self.digests = set()

    async def walks(self):
        while True:
            replies = [reply async for reply in self.server.generation.Walk(walk(10, self.served))]
            assert [reply.frame.index for reply in replies[1:]] == list(range(10))
            self.served += 1

    async def pictures(self):
        while True:
            reply = await self.server.generation.Generate(digit(self.served))
            self.digests.add((reply.model_version, reply.model_digest))
            self.served += 1


async def served(load, tasks, count):
    """Returns when so many requests were served, or one has failed."""
    while load.served < count and not any(task.done() for task in tasks):  # noqa: ASYNC110 - it has no event
        await asyncio.sleep(0.01)


@asynccontextmanager
async def under_load(server, callers=4):
    """Load while the context lasts. Raises what one of the callers met."""
    load = Load(server)
    tasks = [asyncio.create_task(call()) for _ in range(callers) for call in (load.walks, load.pictures)]
    try:
        await served(load, tasks, 10)
        yield load
        await served(load, tasks, load.served + 10)
    finally:
        ended = [task for task in tasks if task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in ended:
        task.result()


@pytest.fixture
def versions(library, faces, generator_of, direction_of):
    """A second version of everything: of faces the same weights, so that its directions fit; of digits others."""
    library.put_generator("faces", faces)
    library.put_generator("digits", generator_of(DIGITS, seed=5))
    library.put_direction("faces", direction_of(faces.digest))
    return library


async def swap(server, swaps):
    """Loads versions 1 and 2 of everything in turn, while callers ask for all of it."""
    for number in range(swaps):
        version = str(1 + number % 2)
        await server.models.LoadModel(models_pb.LoadModelRequest(model="faces", version=version))
        await server.models.LoadDirection(
            models_pb.LoadDirectionRequest(model="faces", direction="zoom", version=version)
        )
        await server.models.LoadModel(models_pb.LoadModelRequest(model="digits", version=version))


@pytest.mark.parametrize("swaps", [6, pytest.param(200, marks=[pytest.mark.long, pytest.mark.timeout(1800)])])
async def test_models_and_directions_are_swapped_under_load_and_no_request_fails(versions, serve, swaps):
    async with serve(versions) as server:
        async with under_load(server) as load:
            await swap(server, swaps)
        assert len(load.digests) == 2, "each version is told with its own digest"
        await server.settles("latentwalk_open_streams", 0)
        assert await server.metric("latentwalk_queue_frames") == 0


async def test_a_damaged_version_is_refused_under_load_and_the_old_one_serves_on(versions, serve, refusal):
    for kind, name in (("generators", "digits"), ("directions", "faces/zoom")):
        (file,) = (versions.path / kind / name / "2").glob("*.safetensors")
        file.write_bytes(file.read_bytes()[:-1])
    async with serve(versions) as server:
        await server.models.LoadModel(models_pb.LoadModelRequest(model="digits", version="1"))
        await server.models.LoadDirection(models_pb.LoadDirectionRequest(model="faces", direction="zoom", version="1"))
        async with under_load(server) as load:
            for _ in range(3):
                model = server.models.LoadModel(models_pb.LoadModelRequest(model="digits"))
                direction = server.models.LoadDirection(models_pb.LoadDirectionRequest(model="faces", direction="zoom"))
                for call in (model, direction):
                    assert (await refusal(call)).reason == "CORRUPT_ARTIFACT"
        assert {version for version, _ in load.digests} == {"1"}


async def test_a_model_is_unloaded_under_load_and_what_runs_ends_undisturbed(library, serve, rest):
    async with serve(library) as server:
        calls = [server.generation.Walk(walk(100, seed)) for seed in range(8)]
        for call in calls:
            await call.read()
        await server.models.UnloadModel(models_pb.UnloadModelRequest(model="faces"))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await server.generation.Generate(pb.GenerateRequest(model="faces", latents=[latent_pb2.Latent(seed=1)]))
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND
        assert [len(frames) for frames in await asyncio.gather(*map(rest, calls))] == [100] * 8
