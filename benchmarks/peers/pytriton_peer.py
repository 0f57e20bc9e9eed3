"""The generator behind Triton, by PyTriton."""

import os
import sysconfig

import numpy as np
from pytriton.decorators import batch
from pytriton.model_config import DynamicBatcher, ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig

from benchmarks.peers.model import BATCH, CHANNELS, LATENT_SIZE, NAME, SIDE, WINDOW_SECONDS, PeerSettings, make_draw

HOST = "127.0.0.1"


def main() -> None:
    """Serve until a signal."""
    # Triton's workers embed Python: the one that runs this, not an older one that the system may have.
    os.environ["LD_LIBRARY_PATH"] = sysconfig.get_config_var("LIBDIR")
    settings = PeerSettings.from_environment()
    draw = make_draw(settings)

    @batch
    def infer(z: np.ndarray) -> dict[str, np.ndarray]:
        # Triton hands over a view of its shared memory.
        return {"pixels": draw(np.ascontiguousarray(z))}

    config = TritonConfig(
        grpc_address=HOST,
        grpc_port=settings.port,
        http_address=HOST,
        http_port=settings.http_port,
        metrics_address=HOST,
        metrics_port=settings.metrics_port,
    )
    batcher = DynamicBatcher(max_queue_delay_microseconds=round(1e6 * WINDOW_SECONDS))
    with Triton(config=config) as triton:
        triton.bind(
            model_name=NAME,
            infer_func=infer,
            inputs=[Tensor(name="z", dtype=np.float32, shape=(LATENT_SIZE,))],
            outputs=[Tensor(name="pixels", dtype=np.uint8, shape=(SIDE, SIDE, CHANNELS))],
            config=ModelConfig(max_batch_size=BATCH, batcher=batcher),
        )
        triton.serve()


if __name__ == "__main__":
    main()
