"""Principal components of what a generator computes first.

Haerkoenen et al., "GANSpace: discovering interpretable GAN controls" (NeurIPS 2020), section 3.1, for generators whose
latent is isotropic: the components of the first features, brought back to latent space by regression. Of a style-based
one the first features are w, and the latent space is w: regression then gives the components themselves.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Self

import numpy as np
import torch
from torch import Tensor, nn

from latentwalk.gan.closed_form import latents_of_components
from latentwalk.gan.generator import Generator
from latentwalk.gan.likeness import Moments
from latentwalk.trainer.materials import Materials
from latentwalk.trainer.methods.bank import bank
from latentwalk.trainer.methods.method import Method, Outcome
from latentwalk.trainer.methods.samples import count_first_features, sample
from latentwalk.trainer.specs import JobSpec, PcaSpec
from latentwalk.trainer.specs.closed_form import SAMPLES_PER_STEP

if TYPE_CHECKING:
    from sklearn.decomposition import IncrementalPCA

# Components that are carried along beyond those that are wanted, so that what one batch cuts off is not missed.
_SPARE = 64


class Components(nn.Module):
    """The state of scikit-learn's IncrementalPCA, on the CPU, as buffers: a checkpoint holds all of it."""

    def __init__(self, kept: int, features: int) -> None:
        super().__init__()
        self.components: Tensor
        self.singular_values: Tensor
        self.mean: Tensor
        self.variance: Tensor
        self.seen: Tensor
        self.register_buffer("components", torch.zeros(kept, features, dtype=torch.float64))
        self.register_buffer("singular_values", torch.zeros(kept, dtype=torch.float64))
        self.register_buffer("mean", torch.zeros(features, dtype=torch.float64))
        self.register_buffer("variance", torch.zeros(features, dtype=torch.float64))
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))

    def take(self, features: Tensor) -> None:
        """Learns from more features [N, F]; the first of them must be at least as many as the components."""
        fitted = self._restored().partial_fit(features.double().numpy())
        self.components.copy_(torch.from_numpy(fitted.components_))
        self.singular_values.copy_(torch.from_numpy(fitted.singular_values_))
        self.mean.copy_(torch.from_numpy(fitted.mean_))
        self.variance.copy_(torch.from_numpy(fitted.var_))
        self.seen.fill_(int(fitted.n_samples_seen_))

    def coordinates(self, features: Tensor, count: int) -> Tensor:
        """Features [N, F] -> coordinates [N, count] along the first components, float64."""
        return (features.double() - self.mean) @ self.components[:count].T

    def _restored(self) -> "IncrementalPCA":
        from sklearn.decomposition import IncrementalPCA  # takes seconds to import

        pca = IncrementalPCA(len(self.components))
        if self.seen:
            pca.components_ = self.components.numpy().copy()
            pca.singular_values_ = self.singular_values.numpy().copy()
            pca.mean_, pca.var_ = self.mean.numpy().copy(), self.variance.numpy().copy()
            pca.n_samples_seen_ = np.int64(self.seen.item())
            pca.n_components_ = len(self.components)
        return pca


class Pca(Method):
    """Sliders "0", "1", ..., the component of the greatest variance first."""

    def __init__(self, spec: JobSpec[PcaSpec], generator: Generator) -> None:
        settings = spec.settings
        self.steps = settings.steps
        self._name, self._seed = spec.direction, spec.seed
        self._count, self._samples, self._layers = settings.directions, settings.samples, settings.layers
        self._class_ids = settings.class_ids
        self._generator, self._space = generator, "w" if generator.spec.layers else "z"
        features = count_first_features(generator)
        kept = min(self._count + _SPARE, SAMPLES_PER_STEP, self._samples, features)
        self._components = self.trained = Components(kept, features)

    @classmethod
    def prepare(cls, spec: JobSpec[PcaSpec], materials: Materials) -> Self:
        """On the generator of the spec."""
        return cls(spec, materials.generator(spec))

    @torch.no_grad()
    def after_step(self, step: int) -> None:
        """Learns from the features of fresh latents."""
        z, condition = sample(self._generator, self._seed, step, self._samples, class_ids=self._class_ids)
        # The last batch may be smaller than the components, which scikit-learn refuses for the very first only.
        self._components.take(self._generator.first_features(z, condition).cpu())

    @torch.no_grad()
    def outcome(self, pause: Callable[[], None]) -> Outcome:
        """The components, brought back to latent space, and the part of the variance that each explains."""
        along = Moments(self._count)
        vectors = latents_of_components(self._seen(along, pause))
        names = [str(number) for number in range(self._count)]
        variance = along.covariance.diagonal() / self._components.variance.sum()
        measures = {f"explained_variance.{name}": part for name, part in zip(names, variance.tolist(), strict=True)}
        found = bank(
            self._name,
            self._generator,
            names,
            vectors,
            space=self._space,
            layers=self._layers,
            class_ids=self._class_ids,
        )
        return Outcome((found,), measures=measures)

    def _seen(self, along: Moments, pause: Callable[[], None]) -> Iterator[tuple[Tensor, Tensor]]:
        """All codes [N, D] and their coordinates [N, K], a step at a time; the moments of these are gathered."""
        for step in range(self.steps):
            pause()
            z, condition = sample(self._generator, self._seed, step, self._samples, class_ids=self._class_ids)
            features = self._generator.first_features(z, condition).cpu()
            coordinates = self._components.coordinates(features, self._count)
            along.add(coordinates)
            yield self._generator.encode(z, self._space, condition).cpu(), coordinates
