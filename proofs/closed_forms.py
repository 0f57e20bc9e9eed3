"""Claim: SeFa, PCA and boundaries are what numpy and scikit-learn make of the same weights, latents and scores.

The jobs run on the real faces and on the digits that come with the package, which have classes. Beside each stands the
method, written down once more without any of ours: the singular vectors of the weights; an exact decomposition of all
first features at once, and numpy's least squares; and another solver for the plane (liblinear's, not libsvm's). From us
come only the pictures and which latents they are of. Of a bank the worst direction counts; the sign of an eigenvector
and of a component says nothing, that of a boundary does.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.svm import LinearSVC

from benchmarks.report import Claim, report
from latentwalk.cli.pull import FACES, publish, published
from latentwalk.gan.artifacts import ArtifactStore, load_direction, load_generator, save_generator
from latentwalk.gan.directions import LinearDirection
from latentwalk.gan.generator import Generator
from latentwalk.server.builtin import BUILTIN
from latentwalk.trainer.methods.samples import sample
from latentwalk.trainer.specs.closed_form import SAMPLES_PER_STEP
from proofs.options import RESULTS, Options
from proofs.workshop import Workshop, request_id, workshop

NAME = "closed_forms"
DIRECTIONS = 8
SAMPLES = 20_000
FRACTION = 0.02
LEARNT_FROM = 0.7
SEED = 1
LEAST = 0.999
LUMA = (0.299, 0.587, 0.114)
"""ITU-R BT.601."""
BATCH_NORM_EPSILON = 1e-5

Array = NDArray[np.float64]


def main(options: Options) -> bool:
    """Run the jobs, compute the same outside, print and write the result, and say whether the claims hold."""
    with workshop(options, NAME) as shop:
        _publish_models(options, shop)
        claims = [claim for model in (FACES.name, "digits") for claim in _compare(options, shop, model)]
    return report(NAME, claims, results=RESULTS)


def _publish_models(options: Options, shop: Workshop) -> None:
    if not published(store := options.work / NAME / "store", FACES):
        publish(store, FACES)
    if not shop.store.versions("generators", "digits"):
        digits, _ = load_generator(ArtifactStore(str(BUILTIN)), "digits")
        save_generator(shop.store, "digits", digits, provenance={}, created="")


def _compare(options: Options, shop: Workshop, model: str) -> Iterator[Claim]:
    """A claim for each of the three methods."""
    client, name = shop.client, request_id(model, options)
    shop.finish(
        client.train_sefa(model, "sefa", directions=DIRECTIONS, request_id=f"{name}-sefa"),
        client.train_pca(model, "pca", directions=DIRECTIONS, samples=SAMPLES, seed=SEED, request_id=f"{name}-pca"),
        client.train_boundary(
            model,
            "boundary",
            attribute="luminance",
            samples=SAMPLES,
            fraction=FRACTION,
            seed=SEED,
            request_id=f"{name}-boundary",
        ),
    )
    outside = _Outside.of(load_generator(shop.store, model)[0])
    sefa, pca, boundary = (_vectors(shop.store, model, method) for method in ("sefa", "pca", "boundary"))
    yield Claim(f"{model}, sefa, worst of {DIRECTIONS}: cosine", _worst(sefa, outside.sefa()), "", LEAST)
    yield Claim(f"{model}, pca, worst of {DIRECTIONS}: cosine", _worst(pca, outside.pca()), "", LEAST)
    yield Claim(f"{model}, boundary: cosine, sign and all", float(boundary[0] @ outside.boundary()), "", LEAST)


def _vectors(store: ArtifactStore, model: str, direction: str) -> Array:
    """What a job has published, [S, Z]."""
    found = load_direction(store, model, direction)[0]
    assert isinstance(found, LinearDirection)
    return found.vectors.double().numpy()


def _worst(ours: Array, others: Array) -> float:
    """The least cosine, without its sign, between the rows of [S, Z] of the same place."""
    lengths = np.linalg.norm(ours, axis=1) * np.linalg.norm(others, axis=1)
    return float(np.min(np.abs(np.sum(ours * others, axis=1)) / lengths))


@dataclass(frozen=True)
class _Outside:
    """The three methods by numpy and scikit-learn."""

    weights: Array
    """Of the first layer [Z + K, F], those of the classes last."""
    gain: Array
    """What its normalisation multiplies each feature by [F]."""
    bias: Array
    """And adds [F], before negative ones are set to 0."""
    z: Array
    """The latents [M, Z] that the jobs have looked at."""
    conditions: Array
    """And their classes [M, K]."""
    scores: Array
    """The luminance of their pictures [M]."""

    @classmethod
    def of(cls, generator: Generator) -> "_Outside":
        """Of a generator of the dcgan family."""
        state = {name: tensor.double().numpy() for name, tensor in generator.state_dict().items()}
        kernel = state["main.0.weight"]
        gain = state["main.1.weight"] / np.sqrt(state["main.1.running_var"] + BATCH_NORM_EPSILON)
        bias = state["main.1.bias"] - gain * state["main.1.running_mean"]
        places = kernel[0, 0].size
        seen = zip(*(_looked_at(generator, step) for step in range(SAMPLES // SAMPLES_PER_STEP)), strict=True)
        looked_at = [np.concatenate(one) for one in seen]
        return cls(kernel.reshape(len(kernel), -1), gain.repeat(places), bias.repeat(places), *looked_at)

    def sefa(self) -> Array:
        """The right singular vectors [S, Z] of the weights of the latent, each feature's brought to length 1."""
        rows = self.weights[: self.z.shape[1]].T
        return np.linalg.svd(rows / np.linalg.norm(rows, axis=1, keepdims=True), full_matrices=False).Vh[:DIRECTIONS]

    def pca(self) -> Array:
        """The components of the first features, brought back [S, Z]."""
        features = np.maximum(np.hstack([self.z, self.conditions]) @ self.weights * self.gain + self.bias, 0)
        coordinates = PCA(DIRECTIONS, svd_solver="arpack", random_state=0).fit_transform(features)
        return np.linalg.lstsq(coordinates, self.z)[0]

    def boundary(self) -> Array:
        """The unit normal [Z] of the plane, which points to the high scores."""
        count, order = int(FRACTION * SAMPLES), np.argsort(self.scores, kind="stable")
        z = self.z[np.concatenate([order[:count], order[-count:]])]
        sides = np.repeat([0, 1], count)
        learnt = torch.randperm(2 * count, generator=torch.Generator().manual_seed(SEED)).numpy()
        learnt = learnt[: round(LEARNT_FROM * 2 * count)]
        # liblinear shrinks the distance of the plane, too, unless its unit is large.
        machine = LinearSVC(loss="hinge", intercept_scaling=100, tol=1e-6, max_iter=1_000_000, random_state=0)
        normal = machine.fit(z[learnt], sides[learnt]).coef_[0]
        return normal / np.linalg.norm(normal)


@torch.no_grad()
def _looked_at(generator: Generator, step: int) -> tuple[Array, Array, Array]:
    """The latents [N, Z] of one step of a job, their classes [N, K], and the luminance of their pictures [N]."""
    z, condition = sample(generator, SEED, step, SAMPLES)
    channels = generator(z, condition).double().mean(dim=(2, 3)).numpy()
    classes = torch.zeros(len(z), 0) if condition is None else condition
    luminance = channels @ np.array(LUMA) if channels.shape[1] == len(LUMA) else channels[:, 0]
    return z.double().numpy(), classes.double().numpy(), luminance
