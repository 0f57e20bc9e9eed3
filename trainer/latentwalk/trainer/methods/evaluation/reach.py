"""How far a slider moves attributes, beside how far they vary among real pictures.

Jahanian, Chai and Isola, "On the steerability of generative adversarial networks" (ICLR 2020), section 4: a generator
is steered the further, class by class, the more its data vary.
"""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from latentwalk.gan.attributes import attributes, attributes_of
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.trainer.data import Pictures
from latentwalk.trainer.methods.samples import DRAWN_AT_ONCE

_LEAST_CLASSES = 3
"""Through two points there is always a line."""


class Spread:
    """The attributes of real pictures, told once for all sliders."""

    def __init__(self, real: Pictures, spec: GeneratorSpec) -> None:
        """``spec`` is that of the generator: its classes, if there are as many, are those of the pictures."""
        self.names = attributes_of(spec.channels)
        self.classes = spec.classes if spec.classes == len(real.classes) else 0
        self._real = real
        self._values: Tensor | None = None

    def deviations(self, pause: Callable[[], None]) -> Tensor:
        """The standard deviation of each attribute [T]."""
        return self._seen(pause).std(dim=1, correction=0)

    def deviations_by_class(self, pause: Callable[[], None]) -> Tensor:
        """The same within each class [T, K]; NaN for a class of fewer than two pictures."""
        values, labels = self._seen(pause), self._real.labels
        assert labels is not None  # noqa: S101 - there are classes
        some = [values[:, labels == class_id] for class_id in range(self.classes)]
        none = values.new_full((len(values),), torch.nan)
        return torch.stack([one.std(dim=1, correction=0) if one.shape[1] > 1 else none for one in some], dim=1)

    def _seen(self, pause: Callable[[], None]) -> Tensor:
        """All attributes of all pictures [T, M]."""
        if self._values is None:
            parts: list[Tensor] = []
            for rows in torch.arange(len(self._real)).split(DRAWN_AT_ONCE):
                pause()
                seen = attributes(self.names, self._real.pictures(rows))
                parts.append(torch.stack([seen[name].double().cpu() for name in self.names]))
            self._values = torch.cat(parts, dim=1)
        return self._values


class Reach(nn.Module):
    """Gathers the means of attributes at every alpha of a slider, in every class."""

    sums: Tensor
    counts: Tensor

    def __init__(self, spread: Spread, alphas: int, *, by_class: bool) -> None:
        super().__init__()
        self._spread, self._by_class = spread, by_class and spread.classes >= _LEAST_CLASSES
        classes = spread.classes if self._by_class else 1
        shape = len(spread.names), alphas, classes
        self.register_buffer("sums", torch.zeros(shape, dtype=torch.float64))
        self.register_buffer("counts", torch.zeros(classes, dtype=torch.float64))

    def add(self, place: int, seen: Mapping[str, Tensor], class_ids: Sequence[int]) -> None:
        """Adds the attributes [N] of some pictures at an alpha, the first of which, place 0, is that of all."""
        values = torch.stack([seen[name].double().cpu() for name in self._spread.names])
        classes = torch.tensor(class_ids) if self._by_class else torch.zeros(values.shape[1], dtype=torch.int64)
        self.sums[:, place].index_add_(1, classes, values)
        if place == 0:
            self.counts += classes.bincount(minlength=len(self.counts))

    def measures(self, pause: Callable[[], None]) -> Mapping[str, float]:
        """Of each attribute "deviation" among real pictures, and "reach", from its least to its greatest mean.

        With classes also the "correlation" of the two over them, where it is defined.
        """
        told = torch.stack([self._spread.deviations(pause), _reach(self.sums.sum(dim=2) / self.counts.sum())], dim=1)
        found: dict[str, float] = {}
        for name, (deviation, reach) in zip(self._spread.names, told.tolist(), strict=True):
            found |= {f"{name}.deviation": deviation, f"{name}.reach": reach}
        if self._by_class:
            spreads, reaches = self._spread.deviations_by_class(pause), _reach(self.sums / self.counts)
            for name, spread, far in zip(self._spread.names, spreads, reaches, strict=True):
                if (r := _correlation(spread, far)) is not None:
                    found[f"{name}.correlation"] = r
        return found


def _reach(means: Tensor) -> Tensor:
    """From the least to the greatest mean of all alphas: [T, A, ...] -> [T, ...]."""
    return means.amax(dim=1) - means.amin(dim=1)


def _correlation(spreads: Tensor, reaches: Tensor) -> float | None:
    """Pearson's r over the classes [K] of which both are known; None if either is the same for all of them."""
    both = torch.stack([spreads, reaches])
    known = both[:, both.isfinite().all(dim=0)]
    if known.shape[1] < _LEAST_CLASSES or (known.std(dim=1) == 0).any():
        return None
    return torch.corrcoef(known)[0, 1].item()
