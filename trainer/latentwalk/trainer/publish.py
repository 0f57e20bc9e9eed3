"""Publishing what a job has found: once, however often the job is killed on the way."""

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

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
        entries = [_entry_of(product, self.spec.model) for product in outcome.products]
        published = tuple(self._published(entry) or self._put(entry, outcome) for entry in entries)
        digest = next((entry.digest for entry in entries), outcome.generator_digest)
        return Result(published, digest, outcome.evaluations, dict(outcome.measures), dict(outcome.data))

    def _published(self, entry: "_Entry") -> Published | None:
        """What an earlier run of this job published before it was killed."""
        for number in reversed(self.store.versions(entry.kind, entry.stored_name)):
            with suppress(CorruptArtifact, UnknownArtifact):  # the latter if it is deleted meanwhile
                provenance = self.store.manifest(ArtifactRef(entry.kind, entry.stored_name, number)).provenance
                if mapping(provenance.get(CALIBRATION, provenance)).get("job") == self.job_id:
                    whole = self.store.get(entry.kind, entry.stored_name, number)
                    return Published(entry.kind, entry.name, whole.ref.version)
        return None

    def _put(self, entry: "_Entry", outcome: Outcome) -> Published:
        created = datetime.now(UTC).isoformat(timespec="seconds")
        try:
            provenance = self._provenance(entry, outcome)
            ref = entry.save(self.store, self.spec.model, entry.product, provenance=provenance, created=created)
        except OSError as error:
            raise PublishFailed(
                f"{entry.kind}/{entry.stored_name} could not be written to the artifact store: "
                f"{error.strerror or error}; see to that and resume the job: nothing is trained again"
            ) from error
        return Published(entry.kind, entry.name, ref.version)

    def _provenance(self, entry: "_Entry", outcome: Outcome) -> dict[str, Any]:
        """Where the product comes from, for its manifest; of one that is only calibrated, that and by whom."""
        if entry.kind == "directions" and entry.name in outcome.calibrated_from:
            version = outcome.calibrated_from[entry.name]
            before = self.store.manifest(ArtifactRef(entry.kind, entry.stored_name, version))
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
                "digest": entry.digest,
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


class _Entry(NamedTuple):
    """A product, as it stands in the store."""

    product: Product
    kind: Kind
    name: str
    """Its own."""
    stored_name: str
    """Of a direction with its generator's."""
    digest: str
    """Of the generator that it is, or belongs to; empty for a classifier."""
    save: Callable[..., ArtifactRef]


def _entry_of(product: Product, model: str) -> _Entry:
    match product:
        case Generator():
            return _Entry(product, "generators", model, model, product.digest, save_generator)
        case Classifier():
            return _Entry(product, "classifiers", model, model, "", save_classifier)
        case _:
            name, digest = product.name, product.generator_digest
            return _Entry(product, "directions", name, f"{model}/{name}", digest, save_direction)


def _check(outcome: Outcome) -> None:
    """Raises GanError naming the first measure that is no number: the store takes none, nor does the wire."""
    errors = {f"{what} of slider {one.slider}": getattr(one, what) for one in outcome.evaluations for what in _ERRORS}
    for name, value in {**errors, **outcome.measures}.items():
        if not math.isfinite(value):
            raise GanError(f"{name} was measured as {value}, so nothing is published: look at the generator's weights")
