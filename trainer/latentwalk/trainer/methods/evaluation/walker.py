"""Pictures along a slider, from one of its limits to the other."""

from collections.abc import Iterator
from dataclasses import replace
from operator import itemgetter

import torch
from torch import Tensor

from latentwalk.gan.directions import Direction
from latentwalk.gan.generator import Generator
from latentwalk.gan.latents import latents_from_seeds, noise_from_seeds, one_hot
from latentwalk.gan.limits import ladder
from latentwalk.trainer import seeds
from latentwalk.trainer.methods.samples import drawn
from latentwalk.trainer.sheets import Strip, amounts_shown, small
from latentwalk.trainer.specs.evaluation import name_of_limits

_SHOWN = range(2, 4)
"""Of ten digits, two that show when they are turned."""


class Walker:
    """Walks held-out latents along one slider. Row n is the same for every slider of every job.

    Of a conditional generator it is of class n modulo K, or of that which the slider is for. Raises GanError for a
    direction of another generator, or without that slider.
    """

    def __init__(self, generator: Generator, direction: Direction, slider: str) -> None:
        direction.check_generator(generator.digest)
        self.generator, self.direction, self.place = generator, direction, direction.slider_index(slider)
        # What it was trained to do, whatever it was measured to do since.
        self.slider = replace(direction.sliders[self.place], calibration=None)
        self.name = name_of_limits(direction.name, self.slider.name)
        self.alphas = tuple(sorted(ladder(self.slider.limit), key=lambda alpha: (alpha > 0, abs(alpha))))
        """Outward, first below 0 and then above."""

    def pictures(self, rows: range) -> Iterator[Tensor]:
        """Those of some rows [N, C, H, W], untouched, and then at each of the alphas."""
        generator, device = self.generator, self.generator.device
        held_out = seeds.held_out_seeds(rows.stop)[rows.start :]
        condition, space = self._condition(rows), self.direction.space
        code = generator.encode(latents_from_seeds(held_out, generator.spec).to(device), space, condition)
        noise = noise_from_seeds(held_out, len(generator.noise)).to(device)
        yield drawn(generator, code, space, condition, noise)
        path = self.direction.path(code, self.place)
        for alpha in self.alphas:
            yield drawn(generator, code + path(alpha), space, condition, noise)

    def strips(self) -> list[Strip]:
        """Two rows along the slider, each above what the edit that it imitates, if any, makes of the untouched one."""
        untouched, *walked = self.pictures(_SHOWN)
        rising = sorted(zip((0.0, *self.alphas), (untouched, *walked), strict=True), key=itemgetter(0))
        alphas, pictures_at = zip(*rising, strict=True)
        amounts = [self.slider.amount_of(alpha) for alpha in alphas]
        columns = torch.stack(pictures_at, dim=1)
        strips: list[Strip] = []
        for row, pictures in enumerate(columns):
            shown = {self.name: pictures}
            if edit := self.slider.imitated:
                shown["wanted"], _ = edit(untouched[row].expand_as(pictures), torch.tensor(amounts))
            strips += [Strip(small(some), name, amounts_shown(amounts)) for name, some in shown.items()]
        return strips

    def classes(self, rows: range) -> list[int]:
        """The class of each of some rows; none of a generator without classes."""
        classes, own = self.generator.spec.classes, self.slider.class_id
        return [row % classes if own is None else own for row in rows] if classes else []

    def _condition(self, rows: range) -> Tensor | None:
        classes = self.generator.spec.classes
        return one_hot(self.classes(rows), classes).to(self.generator.device) if classes else None
