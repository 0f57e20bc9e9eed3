"""How entangled the latent spaces of a generator are.

Karras, Laine and Aila, "A style-based generator architecture for generative adversarial networks" (CVPR 2019), section
4. Perceptual path length: how much the picture changes on the way from one latent to another, along an arc in z and a
line in w; "full" at a random place of the way, "end" at its beginning. Linear separability: how well planes in z and in
w tell the classes that a classifier sees. Pictures are not cropped, as the paper's faces are; both of a pair have the
same noise, and the same class.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor, nn

from latentwalk.gan.classifiers import Classifier
from latentwalk.gan.entanglement import STEP, conditional_entropy, margins, path_length, separability
from latentwalk.gan.generator import Generator
from latentwalk.gan.interpolation import arc, line
from latentwalk.trainer import seeds
from latentwalk.trainer.distances import Differ
from latentwalk.trainer.methods.evaluation.measure import Measure
from latentwalk.trainer.methods.samples import DRAWN_AT_ONCE, drawn, latents, noise, sample
from latentwalk.trainer.specs import EvaluationSpec, JobSpec
from latentwalk.trainer.specs.closed_form import SAMPLES_PER_STEP

_CURVES = {"z": arc, "w": line}
_KINDS = ("full", "end")


@dataclass(frozen=True, slots=True)
class Ways:
    """Ways from latents to others."""

    z: Tensor
    """[N, Z]."""
    others: Tensor
    """[N, Z]."""
    condition: Tensor | None
    """[N, K], of both ends; None without classes."""
    noise: Tensor
    """[N, P], of all pictures on a way."""
    places: Mapping[str, Tensor]
    """On which a pair begins, from 0 to 1: [N, 1] by the kind of path length."""


class Entanglement(Measure):
    """Measures "path_length.<space>.<full or end>", and "separability.<space>" with a classifier."""

    def __init__(
        self, spec: JobSpec[EvaluationSpec], generator: Generator, classifier: Classifier | None, differ: Differ
    ) -> None:
        self._steps, self._samples, self._seed = spec.settings.steps_of_a_pass, spec.settings.samples, spec.seed
        self._generator, self._classifier, self._differ = generator, classifier, differ
        self._spaces = [space for space in _CURVES if space in generator.spec.spaces]
        self._paths = list(product(self._spaces, _KINDS))
        self._distances = torch.zeros(len(self._paths), self._samples)
        self._margins = torch.zeros(self._samples, classifier.spec.classes if classifier else 0)
        self.gathered = nn.Module()
        self.gathered.register_buffer("distances", self._distances)
        self.gathered.register_buffer("margins", self._margins)

    def take(self, step: int) -> None:
        """Measures pairs on the ways between fresh latents, and looks at the pictures of their beginnings."""
        for rows, ways in self._ways(step):
            kept = step * SAMPLES_PER_STEP + rows
            for number, (space, kind) in enumerate(self._paths):
                self._distances[number, kept] = self._change(ways, space, kind).cpu()
            if self._classifier:
                logits = self._classifier(self._draw(ways.z, ways, "z"))
                self._margins[kept] = margins(logits).float().cpu()

    def measures(self, pause: Callable[[], None]) -> Mapping[str, float]:
        """All of them, the lengths of paths first."""
        named = zip(self._paths, self._distances, strict=True)
        measures = {f"path_length.{space}.{kind}": path_length(distances) for (space, kind), distances in named}
        for space in self._spaces if self._classifier else ():
            entropies = self._entropies(space, pause)
            measures |= {f"conditional_entropy.{space}.{k}": one for k, one in enumerate(entropies)}
            measures[f"separability.{space}"] = separability(torch.tensor(entropies))
        return measures

    def _ways(self, step: int) -> Iterator[tuple[Tensor, Ways]]:
        """Those of one step, some at a time, and which of its rows they are, int64 [N]; the last has what is left."""
        z, condition = sample(self._generator, self._seed, step, self._samples)
        apart = self._steps + step  # a step that no sample is of
        others = latents(self._generator, self._seed, apart, len(z))
        places = torch.rand(len(z), 1, generator=seeds.draw_generator(self._seed, apart)).to(z.device)
        for rows in torch.arange(len(z)).split(DRAWN_AT_ONCE):
            some = None if condition is None else condition[rows]
            own = noise(self._generator, self._seed, apart, rows)
            begun = {"full": places[rows], "end": torch.zeros_like(places[rows])}
            yield rows, Ways(z[rows], others[rows], some, own, begun)

    def _change(self, ways: Ways, space: str, kind: str) -> Tensor:
        """By how much pictures differ that are a STEP apart on their ways [N]."""
        ends = (self._generator.encode(z, space, ways.condition) for z in (ways.z, ways.others))
        way, place = _CURVES[space](*ends), ways.places[kind]
        return self._differ(*(self._draw(way(at), ways, space) for at in (place, place + STEP)))

    def _draw(self, code: Tensor, ways: Ways, space: str) -> Tensor:
        """Pictures of z or w on these ways."""
        return drawn(self._generator, code, space, ways.condition, ways.noise)

    def _entropies(self, space: str, pause: Callable[[], None]) -> list[float]:
        """What planes in a space leave unsaid of each class."""
        taken = (sample(self._generator, self._seed, step, self._samples) for step in range(self._steps))
        codes = torch.cat([self._generator.encode(z, space, condition).cpu() for z, condition in taken])
        found: list[float] = []
        for margin in self._margins.unbind(dim=1):
            pause()
            found.append(conditional_entropy(codes, margin))
        return found
