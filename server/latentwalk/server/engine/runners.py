"""A runner: one form of the generator on one device, for batches of one size; from rows to bytes."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import torch

from latentwalk.gan.generator import Generator
from latentwalk.gan.images import to_uint8
from latentwalk.server.engine.graphs import Canvas, GraphRunner
from latentwalk.server.engine.memory import memory_watched
from latentwalk.server.engine.pixels import Picture, finite_rows, split_pictures
from latentwalk.server.engine.recording import Unrecordable
from latentwalk.server.engine.rows import Row, stack, stack_noise
from latentwalk.server.engine.variants import Draw

Runner = Callable[[Sequence[Row]], list[Picture]]


class Easel:
    """Where a generator is drawn with, on one device; it must be there, and so must its forms."""

    def __init__(self, generator: Generator, device: torch.device) -> None:
        self._generator, self._device = generator, device
        self._canvas = Canvas(generator, device) if device.type == "cuda" else None

    def runner(self, draw: Draw, size: int) -> Runner:
        """The runner of a form for batches of exactly `size` rows. Raises DeviceOutOfMemory."""
        eager = EagerRunner(draw, self._generator, self._device)
        if self._canvas is None or not self._canvas.is_usable:
            return eager
        try:
            with memory_watched():
                return GraphRunner(draw, self._canvas, size, eager)
        except Unrecordable:
            return eager


class Runners(Mapping[int, Runner]):
    """Those of forms by batch size; each is opened when it is asked for, which takes memory. Raises DeviceOutOfMemory.

    `draws` are the forms, by batch size.
    """

    def __init__(self, easel: Easel, draws: Mapping[int, Draw]) -> None:
        self._easel, self._draws = easel, draws
        self._open: dict[int, Runner] = {}

    def __getitem__(self, size: int) -> Runner:
        if size not in self._open:
            self._open[size] = self._easel.runner(self._draws[size], size)
        return self._open[size]

    def __iter__(self) -> Iterator[int]:
        return iter(self._draws)

    def __len__(self) -> int:
        return len(self._draws)


class EagerRunner:
    """Calls the form for each batch, of any size."""

    def __init__(self, draw: Draw, generator: Generator, device: torch.device) -> None:
        self._draw = draw
        self._generator = generator
        self._device = device

    @torch.inference_mode()
    def __call__(self, rows: Sequence[Row]) -> list[Picture]:
        """The pictures of the rows."""
        inputs = stack(rows)._replace(noise=stack_noise(rows, self._generator))
        pictures = self._draw(inputs.to(self._device))
        finite = finite_rows(pictures)
        return split_pictures(to_uint8(pictures, self._generator.spec.range).cpu(), finite)
