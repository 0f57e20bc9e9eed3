"""A runner: one form of the generator on one device, for batches of one size; from rows to bytes."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from latentwalk.gan.generator import Generator
from latentwalk.gan.images import to_uint8
from latentwalk.server.engine.pixels import Picture, finite_rows, split_pictures
from latentwalk.server.engine.rows import Inputs, Row, sample_rows, stack, stack_noise
from latentwalk.server.engine.variants import Draw

Runner = Callable[[Sequence[Row]], list[Picture]]


def open_runner(draw: Draw, generator: Generator, device: torch.device, size: int) -> Runner:
    """The runner for batches of exactly `size` rows; `draw`, a form of the generator, must be on that device."""
    eager = _EagerRunner(draw, generator, device)
    return _GraphRunner(draw, generator, device, size, eager) if device.type == "cuda" else eager


class _EagerRunner:
    """Calls the form for each batch."""

    def __init__(self, draw: Draw, generator: Generator, device: torch.device) -> None:
        self._draw = draw
        self._generator = generator
        self._device = device

    @torch.inference_mode()
    def __call__(self, rows: Sequence[Row]) -> list[Picture]:
        inputs = stack(rows)._replace(noise=stack_noise(rows, self._generator))
        pictures = self._draw(inputs.to(self._device))
        finite = finite_rows(pictures)
        return split_pictures(to_uint8(pictures, self._generator.spec.range).cpu(), finite)


class _GraphRunner:
    """Records the form once as a CUDA graph, and replays it for each batch.

    Latents and pixels pass through pinned memory on a stream of the runner's own, so that nothing waits for the default
    stream; the host waits once, when the pixels are back. A batch with noise of its own, which is large and rare, takes
    the eager one.
    """

    def __init__(self, draw: Draw, generator: Generator, device: torch.device, size: int, eager: _EagerRunner) -> None:
        self._draw = draw
        self._eager = eager
        self._range = generator.spec.range
        self._staged = [tensor.pin_memory() for tensor in stack(sample_rows(generator, size)) if tensor is not None]
        self._inputs = [tensor.to(device) for tensor in self._staged]
        self._stream = torch.cuda.Stream(device)
        self._graph = torch.cuda.CUDAGraph()
        with torch.inference_mode(), torch.cuda.device(device):
            pixels, finite = self._record()
        self._outputs = (pixels, finite)
        self._returned = tuple(torch.empty_like(output, device="cpu", pin_memory=True) for output in self._outputs)

    @torch.inference_mode()
    def __call__(self, rows: Sequence[Row]) -> list[Picture]:
        if any(row.noise for row in rows):
            return self._eager(rows)
        with torch.cuda.stream(self._stream):
            for staged, given, target in zip(self._staged, stack(rows), self._inputs, strict=False):
                if given is not None:
                    staged.copy_(given)
                    target.copy_(staged, non_blocking=True)
            self._graph.replay()
            for output, target in zip(self._outputs, self._returned, strict=True):
                target.copy_(output, non_blocking=True)
        self._stream.synchronize()
        pixels, finite = self._returned
        return split_pictures(pixels, finite.tolist())

    def _record(self) -> tuple[Tensor, Tensor]:
        """Pixels uint8 [N, H, W, C] and bool [N], which each replay writes anew."""
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            for _ in range(3):  # what libraries set up at first use must not be recorded
                self._compute()
        self._stream.synchronize()
        with torch.cuda.graph(self._graph, stream=self._stream):
            return self._compute()

    def _compute(self) -> tuple[Tensor, Tensor]:
        code, *conditions = self._inputs
        pictures = self._draw(Inputs(code, conditions[0] if conditions else None))
        # No branch on what the pixels are: a graph has none.
        return to_uint8(pictures, self._range), pictures.isfinite().flatten(1).all(dim=1)
