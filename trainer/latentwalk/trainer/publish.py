"""Publishing what a job has found: once, however often the job is killed on the way."""

import math
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import torch

from latentwalk.gan.artifacts import (
    ArtifactRef,
    ArtifactStore,
    Kind,
    save_classifier,
    save_direction,
    save_generator,
)
from latentwalk.gan.artifacts.origin import CALIBRATION
from latentwalk.gan.artifacts.reading import mapping
from latentwalk.gan.classifiers import Classifier
from latentwalk.gan.directions import Direction
from latentwalk.gan.errors import CorruptArtifact, GanError, UnknownArtifact
from latentwalk.gan.generator import Generator
from latentwalk.rpc.version import own_version
from latentwalk.trainer.methods.method import Outcome, Product
from latentwalk.trainer.reports import Published, Result
from latentwalk.trainer.specs import AnyJobSpec, spec_to_json

_ERRORS = ("error", "baseline")
"""The numbers of a SliderEvaluation."""


class PublishFailed(Exception):
    """What a job has made could not be written to the store."""


@dataclass(frozen=True, slots=True)
class Publisher:
    """Publishes for one job."""

    store: ArtifactStore
    job_id: str
    spec: AnyJobSpec
    processes: int = 1
    """That have trained it together."""
    device: str = "cpu"
    """Where, for people."""

    def publish(self, outcome: Outcome) -> Result:
        """Puts each product into the store, unless an earlier run of the job did.

        Raises GanError, also for a measure that is not finite, before anything is put; PublishFailed.
        """
        _check(outcome)
        published = tuple(self._published(product) or self._put(product, outcome) for product in outcome.products)
        digest = next(map(_digest, outcome.products), outcome.generator_digest)
        return Result(published, digest, outcome.evaluations, dict(outcome.measures), dict(outcome.data))

    def _published(self, product: Product) -> Published | None:
        """What an earlier run of this job published before it was killed."""
        kind, name = _kind(product), self._stored_name(product)
        for number in reversed(self.store.versions(kind, name)):
            with suppress(CorruptArtifact, UnknownArtifact):  # the latter if it is deleted meanwhile
                provenance = self.store.manifest(ArtifactRef(kind, name, number)).provenance
                if mapping(provenance.get(CALIBRATION, provenance)).get("job") == self.job_id:
                    return self._entry(product, self.store.get(kind, name, number).ref)
        return None

    def _put(self, product: Product, outcome: Outcome) -> Published:
        try:
            ref = self._saved(product, self._provenance(product, outcome))
        except OSError as error:
            raise PublishFailed(
                f"{_kind(product)}/{self._stored_name(product)} could not be written to the artifact store: "
                f"{error.strerror or error}; see to that and resume the job: nothing is trained again"
            ) from error
        return self._entry(product, ref)

    def _saved(self, product: Product, provenance: dict[str, Any]) -> ArtifactRef:
        created, model = datetime.now(UTC).isoformat(timespec="seconds"), self.spec.model
        match product:
            case Generator():
                return save_generator(self.store, model, product, provenance=provenance, created=created)
            case Classifier():
                return save_classifier(self.store, model, product, provenance=provenance, created=created)
            case _:
                return save_direction(self.store, model, product, provenance=provenance, created=created)

    def _provenance(self, product: Product, outcome: Outcome) -> dict[str, Any]:
        """Where the product comes from, for its manifest; of one that is only calibrated, that and by whom."""
        if isinstance(product, Direction) and product.name in outcome.calibrated_from:
            version = outcome.calibrated_from[product.name]
            before = self.store.manifest(ArtifactRef("directions", self._stored_name(product), version))
            return {**before.provenance, CALIBRATION: {"version": version, **self._run(outcome)}}
        begun = outcome.parent
        parent = {"name": begun.name, "version": begun.version, "digest": begun.generator.digest} if begun else None
        return {
            **self._run(outcome),
            "evaluations": [asdict(one) for one in outcome.evaluations],
            "measures": dict(outcome.measures),
            "generator": {
                "name": self.spec.model,
                "version": self.spec.model_version,
                "digest": _digest(product),
            },
            **({"parent": parent} if parent else {}),
        }

    def _run(self, outcome: Outcome) -> dict[str, Any]:
        """What there is to tell of the run of the job."""
        return {
            "job": self.job_id,
            "method": self.spec.method,
            "spec": spec_to_json(self.spec),
            "data": dict(outcome.data),
            "latentwalk": own_version(),
            "torch": torch.__version__,
            "threads": torch.get_num_threads(),
            "processes": self.processes,
            "device": self.device,
        }

    def _stored_name(self, product: Product) -> str:
        own = self._own_name(product)
        return f"{self.spec.model}/{own}" if _kind(product) == "directions" else own

    def _own_name(self, product: Product) -> str:
        return self.spec.model if isinstance(product, Generator | Classifier) else product.name

    def _entry(self, product: Product, ref: ArtifactRef) -> Published:
        return Published(ref.kind, self._own_name(product), ref.version)


def _check(outcome: Outcome) -> None:
    """Raises GanError naming the first measure that is no number: the store takes none, nor does the wire."""
    errors = {f"{what} of slider {one.slider}": getattr(one, what) for one in outcome.evaluations for what in _ERRORS}
    for name, value in {**errors, **outcome.measures}.items():
        if not math.isfinite(value):
            raise GanError(f"{name} was measured as {value}, so nothing is published: look at the generator's weights")


def _kind(product: Product) -> Kind:
    match product:
        case Generator():
            return "generators"
        case Classifier():
            return "classifiers"
        case _:
            return "directions"


def _digest(product: Product) -> str:
    """Of the generator that it is, or belongs to; empty for a classifier."""
    match product:
        case Generator():
            return product.digest
        case Classifier():
            return ""
        case _:
            return product.generator_digest
