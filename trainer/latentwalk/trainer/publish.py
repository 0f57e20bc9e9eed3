"""Publishing what a job has found: once, however often the job is killed on the way."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

import torch

from latentwalk.gan.artifacts import ArtifactRef, ArtifactStore, save_direction
from latentwalk.gan.directions import LinearDirection
from latentwalk.gan.errors import CorruptArtifact
from latentwalk.trainer.reports import Result, SliderEvaluation
from latentwalk.trainer.specs import JobSpec


@dataclass(frozen=True, slots=True)
class Publisher:
    """Publishes for one job."""

    store: ArtifactStore
    job_id: str
    spec: JobSpec

    def publish(self, direction: LinearDirection, evaluations: Sequence[SliderEvaluation]) -> Result:
        """Puts the direction into the store, unless an earlier run of the job did. Raises GanError, OSError."""
        published = self._published() or self._put(direction, evaluations)
        return Result(direction.name, published.version, direction.generator_digest, tuple(evaluations))

    def _published(self) -> ArtifactRef | None:
        """What an earlier run of this job published before it was killed."""
        name = f"{self.spec.model}/{self.spec.direction}"
        for number in reversed(self.store.versions("directions", name)):
            try:
                artifact = self.store.get("directions", name, number)
            except CorruptArtifact:
                continue
            if artifact.manifest["provenance"].get("job") == self.job_id:
                return artifact.ref
        return None

    def _put(self, direction: LinearDirection, evaluations: Sequence[SliderEvaluation]) -> ArtifactRef:
        provenance = {
            "job": self.job_id,
            "method": self.spec.method,
            "spec": self.spec.to_json(),
            "evaluations": [asdict(one) for one in evaluations],
            "generator": {
                "name": self.spec.model,
                "version": self.spec.model_version,
                "digest": direction.generator_digest,
            },
            "latentwalk": _own_version(),
            "torch": torch.__version__,
            "threads": torch.get_num_threads(),
        }
        created = datetime.now(UTC).isoformat(timespec="seconds")
        return save_direction(self.store, self.spec.model, direction, provenance=provenance, created=created)


def _own_version() -> str:
    try:
        return version("latentwalk")
    except PackageNotFoundError:
        return "from source"
