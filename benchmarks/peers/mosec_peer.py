"""The generator behind mosec: bytes in, bytes out. Host, port and timeout are in variables that mosec reads itself."""

import numpy as np
from mosec import Server, Worker

from benchmarks.peers.model import BATCH, WINDOW_SECONDS, PeerSettings, make_draw


class Drawing(Worker):
    """The one worker of the one stage."""

    def __init__(self) -> None:
        self._draw = make_draw(PeerSettings.from_environment())

    def deserialize(self, data: bytes) -> np.ndarray:
        """A latent z [Z]."""
        return np.frombuffer(data, np.float32)

    def forward(self, data: list[np.ndarray]) -> list[bytes]:
        """The pixels of each latent."""
        return [picture.tobytes() for picture in self._draw(np.stack(data))]

    def serialize(self, data: bytes) -> bytes:
        """As they are."""
        return data


def main() -> None:
    """Serve until a signal."""
    server = Server()
    server.append_worker(Drawing, num=1, max_batch_size=BATCH, max_wait_time=round(1000 * WINDOW_SECONDS))
    server.run()


if __name__ == "__main__":
    main()
