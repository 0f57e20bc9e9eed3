"""The generator behind LitServe: JSON in, bytes out."""

import litserve
import numpy as np
from fastapi import Response

from benchmarks.peers.model import BATCH, WINDOW_SECONDS, PeerSettings, make_draw


class Drawing(litserve.LitAPI):
    """Latents in, pixels out."""

    def setup(self, device: str) -> None:
        """Once in each worker."""
        self._draw = make_draw(PeerSettings.from_environment())

    def decode_request(self, request: dict[str, list[float]]) -> np.ndarray:
        """A latent z [Z]."""
        return np.asarray(request["z"], np.float32)

    def batch(self, inputs: list[np.ndarray]) -> np.ndarray:
        """Latents z [N, Z]."""
        return np.stack(inputs)

    def predict(self, z: np.ndarray) -> np.ndarray:
        """Pixels [N, H, W, C]."""
        return self._draw(z)

    def unbatch(self, output: np.ndarray) -> list[np.ndarray]:
        """One by one."""
        return list(output)

    def encode_response(self, output: np.ndarray) -> Response:
        """As bytes."""
        return Response(output.tobytes(), media_type="application/octet-stream")


def main() -> None:
    """Serve until a signal."""
    api = Drawing(max_batch_size=BATCH, batch_timeout=WINDOW_SECONDS)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1)
    port = PeerSettings.from_environment().port
    server.run(host="127.0.0.1", port=port, num_api_servers=1, generate_client_file=False, log_level="warning")


if __name__ == "__main__":
    main()
