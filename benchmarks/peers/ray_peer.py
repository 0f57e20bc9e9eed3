"""The generator behind Ray Serve's gRPC proxy, in the words of latentwalk.v1: Generate, and Walk as a stream."""

import asyncio
import signal
from collections.abc import AsyncIterator

import numpy as np
import ray
import torch
from ray import serve
from ray.serve.config import HTTPOptions, gRPCOptions

from benchmarks.peers.model import BATCH, CHANNELS, NAME, SIDE, WINDOW_SECONDS, PeerSettings, make_draw
from latentwalk.gan.artifacts import ArtifactStore, load_direction
from latentwalk.v1 import generation_service_pb2 as pb
from latentwalk.v1 import image_pb2

SERVICE = "latentwalk.v1.generation_service_pb2_grpc.add_GenerationServiceServicer_to_server"
HOST = "127.0.0.1"
STORE_BYTES = 256 << 20
ONGOING = 512


@serve.deployment(num_replicas=1, max_ongoing_requests=ONGOING)
class Drawing:
    """The one replica."""

    def __init__(self, settings: PeerSettings) -> None:
        self._direction = load_direction(ArtifactStore(settings.store), NAME, "ahead")[0]
        self._model = make_draw(settings)

    @serve.batch(max_batch_size=BATCH, batch_wait_timeout_s=WINDOW_SECONDS)
    async def _draw(self, codes: list[np.ndarray]) -> list[bytes]:
        return [picture.tobytes() for picture in self._model(np.stack(codes))]

    async def Generate(self, request: pb.GenerateRequest) -> pb.GenerateResponse:  # noqa: N802
        """One picture for each latent."""
        pictures = await asyncio.gather(*(self._draw(_code(latent)) for latent in request.latents))
        return pb.GenerateResponse(images=[_image(picture) for picture in pictures])

    async def Walk(self, request: pb.WalkRequest) -> AsyncIterator[pb.WalkResponse]:  # noqa: N802
        """The frames of one leg along one slider."""
        leg = request.legs[0]
        start, stretch = torch.from_numpy(_code(request.starts[0])), leg.stretches[0]
        alphas = torch.linspace(getattr(stretch, "from").alpha, stretch.to.alpha, leg.frames)[:, None]
        codes = self._direction.move(start.expand(leg.frames, -1), alphas).numpy()
        yield pb.WalkResponse(header=pb.StreamHeader(frames=leg.frames, rows=1))
        for index, code in enumerate(codes):
            picture = await self._draw(code)
            yield pb.WalkResponse(frame=pb.Frame(index=index, images=[_image(picture)]))


def _code(latent: pb.GenerateRequest) -> np.ndarray:
    return np.frombuffer(latent.z.data, np.float32).copy()


def _image(picture: bytes) -> image_pb2.Image:
    return image_pb2.Image(format=image_pb2.IMAGE_FORMAT_RAW, width=SIDE, height=SIDE, channels=CHANNELS, data=picture)


def main() -> None:
    """Serve until a signal."""
    settings = PeerSettings.from_environment()
    ray.init(
        num_cpus=4,
        include_dashboard=False,
        object_store_memory=STORE_BYTES,
        log_to_driver=False,
        _node_ip_address=HOST,
    )
    serve.start(
        http_options=HTTPOptions(host=HOST, port=settings.http_port),
        grpc_options=gRPCOptions(port=settings.port, grpc_servicer_functions=[SERVICE]),
    )
    try:
        serve.run(Drawing.bind(settings), name=NAME, route_prefix="/")
        signal.sigwait({signal.SIGTERM, signal.SIGINT})
    finally:
        serve.shutdown()
        ray.shutdown()


if __name__ == "__main__":
    # Waited for instead of handled; the threads that are started from here on inherit it.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    main()
