"""What a walk makes of pictures for a classifier."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from latentwalk.gan.likeness import Moments, frechet_distance


class ClassesKept(nn.Module):
    """Gathers, at every alpha of a slider, which pictures keep the class that they have at place 0, untouched.

    ``moments`` gather the features there; they may be those of another slider that is done.
    """

    kept: Tensor
    distances: Tensor

    def __init__(self, alphas: int, moments: Sequence[Moments]) -> None:
        super().__init__()
        self._moments = tuple(moments[:alphas])
        for name in ("kept", "distances"):
            self.register_buffer(name, torch.zeros(alphas, dtype=torch.float64))

    def begin(self) -> None:
        """Forgets what another slider has gathered."""
        for moments in self._moments:
            moments.reset()

    def add(self, place: int, features: Tensor, classes: Tensor) -> None:
        """Adds some pictures at an alpha, after the same ones untouched: their features [N, F] and classes [N]."""
        if place == 0:
            self._untouched = classes
        self._moments[place].add(features)
        self.kept[place] += (classes == self._untouched).double().sum().cpu()

    def end(self) -> None:
        """All pictures were added."""
        untouched, *walked = self._moments
        self.distances[1:] = torch.tensor([frechet_distance(one, untouched) for one in walked])

    def share(self, place: int, samples: int) -> float:
        """Which part of the pictures keeps its class at that alpha."""
        return self.kept[place].item() / samples

    def measures(self, place: int, samples: int) -> Mapping[str, float]:
        """How far the features are from those of untouched pictures, and the share that keeps its class."""
        return {"frechet_distance": self.distances[place].item(), "class_kept": self.share(place, samples)}
