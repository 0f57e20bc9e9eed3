"""On CUDA: a form of the generator, recorded once as a graph for batches of one size, and replayed for each batch."""

import logging
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from latentwalk.gan.generator import Generator
from latentwalk.gan.images import to_uint8
from latentwalk.server.engine.memory import is_shortage
from latentwalk.server.engine.pixels import Picture, split_pictures
from latentwalk.server.engine.recording import Recordable, Unrecordable
from latentwalk.server.engine.rows import Inputs, Row, sample_rows, stack
from latentwalk.server.engine.variants import Draw

# The first use of a kernel sets up what must not be recorded; after the second, nothing is left to be.
_WARMING = 2

_log = logging.getLogger("latentwalk.engine")


class Canvas:
    """What all graphs of a generator on one device share: a stream of their own, and memory.

    One graph is replayed at a time, and its pictures are fetched before the next: so all of them may compute in the
    same place, and take no more memory together than the largest, if that one is recorded first.
    """

    def __init__(self, generator: Generator, device: torch.device) -> None:
        self.generator, self.device = generator, device
        self.stream = torch.cuda.Stream(device)
        self.pool = torch.cuda.graph_pool_handle()
        self.is_usable = True
        """Whether graphs can be recorded; if not, each batch is drawn by the form itself."""
        self._broken: torch.cuda.CUDAGraph | None = None
        self._look_ahead()

    def give_up(self, reason: Exception, broken: torch.cuda.CUDAGraph | None = None) -> None:
        """No more graphs; of a recording that broke off, the allocator of torch goes on to ask."""
        _log.warning("%s is drawn without CUDA graphs: %s", self.generator.digest, reason)
        self.is_usable, self._broken = False, broken

    def _look_ahead(self) -> None:
        """A generator that cannot be recorded, of a family that somebody else has added, must not be tried."""
        code, condition, _ = stack(sample_rows(self.generator, 1)).to(self.device)
        try:
            with torch.no_grad(), Recordable():
                self.generator.draw(code, self.generator.spec.space, condition)
        except Unrecordable as reason:
            self.give_up(reason)


class GraphRunner:
    """Records the form once as a CUDA graph, and replays it for each batch.

    Latents and pixels pass through pinned memory on the stream of the canvas, so that nothing waits for the default
    stream; the host waits once, when the pixels are back. A batch with noise of its own, which is large and rare, takes
    the eager one. Raises Unrecordable, and what says that there is no memory.
    """

    def __init__(self, draw: Draw, canvas: Canvas, size: int, eager: Callable[[Sequence[Row]], list[Picture]]) -> None:
        self._draw = draw
        self._eager = eager
        self._canvas = canvas
        self._range = canvas.generator.spec.range
        sample = stack(sample_rows(canvas.generator, size))
        self._staged = [tensor.pin_memory() for tensor in sample if tensor is not None]
        self._inputs = [tensor.to(canvas.device) for tensor in self._staged]
        self._graph = torch.cuda.CUDAGraph()
        with torch.inference_mode(), torch.cuda.device(canvas.device):
            self._warm()
            self._outputs = self._record()
        self._returned = tuple(torch.empty_like(output, device="cpu", pin_memory=True) for output in self._outputs)

    @torch.inference_mode()
    def __call__(self, rows: Sequence[Row]) -> list[Picture]:
        """The pictures of exactly so many rows."""
        if any(row.noise for row in rows):
            return self._eager(rows)
        with torch.cuda.stream(self._canvas.stream):
            for staged, given, target in zip(self._staged, stack(rows), self._inputs, strict=False):
                if given is not None:
                    staged.copy_(given)
                    target.copy_(staged, non_blocking=True)
            self._graph.replay()
            for output, target in zip(self._outputs, self._returned, strict=True):
                target.copy_(output, non_blocking=True)
        self._canvas.stream.synchronize()
        pixels, finite = self._returned
        return split_pictures(pixels, finite.tolist())

    def _warm(self) -> None:
        stream = self._canvas.stream
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(_WARMING):
                self._compute()
        stream.synchronize()

    def _record(self) -> tuple[Tensor, Tensor]:
        """Pixels uint8 [N, H, W, C] and bool [N], which each replay writes anew."""
        canvas = self._canvas
        # Other threads draw meanwhile: only what this one calls may break the recording off.
        recording = torch.cuda.graph(self._graph, canvas.pool, canvas.stream, capture_error_mode="thread_local")
        try:
            with torch.cuda.stream(canvas.stream), recording:  # one that breaks off leaves its stream behind
                return self._compute()
        except RuntimeError as error:
            if is_shortage(error):
                raise
            canvas.give_up(error, self._graph)
            raise Unrecordable(str(error)) from error

    def _compute(self) -> tuple[Tensor, Tensor]:
        code, *conditions = self._inputs
        pictures = self._draw(Inputs(code, conditions[0] if conditions else None))
        # No branch on what the pixels are: a graph has none.
        return to_uint8(pictures, self._range), pictures.isfinite().flatten(1).all(dim=1)
