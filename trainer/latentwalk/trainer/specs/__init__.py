"""What a job does, as plain data: one dataclass a method, with its defaults and limits beside its fields."""

from dataclasses import asdict
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from latentwalk.gan.spec import JsonObject
from latentwalk.trainer.specs.closed_form import BoundarySpec, PcaSpec, SefaSpec, SliderReference
from latentwalk.trainer.specs.data import Data
from latentwalk.trainer.specs.discovery import ClassDirectionsSpec, DiscoverySpec, TellingSettings
from latentwalk.trainer.specs.edits import EditDirectionSpec, EditLoss, EditTarget, WalkForm
from latentwalk.trainer.specs.evaluation import Distance, EvaluationSpec
from latentwalk.trainer.specs.gan import ClassifierSpec, GanFamily, GanLoss, GanSettings, GanSpec, JointMode, JointSpec
from latentwalk.trainer.specs.job import AnyJobSpec, JobSpec, MethodSettings, Unreadable
from latentwalk.trainer.specs.scores import ClassifierScore, Codes, Labels, Score

__all__ = [
    "SPECS",
    "AnyJobSpec",
    "BoundarySpec",
    "ClassDirectionsSpec",
    "ClassifierScore",
    "ClassifierSpec",
    "Codes",
    "Data",
    "DiscoverySpec",
    "Distance",
    "EditDirectionSpec",
    "EditLoss",
    "EditTarget",
    "EvaluationSpec",
    "GanFamily",
    "GanLoss",
    "GanSettings",
    "GanSpec",
    "JobSpec",
    "JointMode",
    "JointSpec",
    "Labels",
    "MethodSettings",
    "PcaSpec",
    "Score",
    "SefaSpec",
    "SliderReference",
    "TellingSettings",
    "Unreadable",
    "WalkForm",
    "spec_from_json",
    "spec_from_row",
    "spec_to_json",
]

SPECS: dict[str, type[MethodSettings]] = {
    "edit_direction": EditDirectionSpec,
    "sefa": SefaSpec,
    "pca": PcaSpec,
    "boundary": BoundarySpec,
    "gan": GanSpec,
    "joint": JointSpec,
    "classifier": ClassifierSpec,
    "discovery": DiscoverySpec,
    "class_directions": ClassDirectionsSpec,
    "evaluation": EvaluationSpec,
}
"""The settings of each method, by the method's name in the oneof of latentwalk.v1.JobSpec."""


def spec_to_json(spec: AnyJobSpec) -> dict[str, Any]:
    """Plain JSON, the inverse of spec_from_json."""
    return asdict(spec)


def spec_from_json(document: JsonObject) -> AnyJobSpec:
    """Reads what spec_to_json wrote. Raises KeyError, TypeError or ValueError for anything else."""
    fields: dict[str, Any] = dict(document)
    settings = _reader(fields["method"]).validate_python(fields.pop("settings"))
    return JobSpec(**fields, settings=settings)


def spec_from_row(document: JsonObject) -> AnyJobSpec:
    """As spec_from_json; of what cannot be read, the names, with settings that are Unreadable."""
    try:
        return spec_from_json(document)
    except (KeyError, TypeError, ValueError) as error:
        model, direction, method = (str(document.get(name, "")) for name in ("model", "direction", "method"))
        reason = "an unknown method" if method not in SPECS else str(error).partition("\n")[0]
        problem = (
            f"this trainer cannot read the spec of the job, of method {method!r}: {reason}; "
            "resume it with a trainer of the version that made it, or a newer one"
        )
        return JobSpec(model, 0, direction, seed=0, checkpoint_every=0, method=method, settings=Unreadable(problem))


@cache
def _reader(method: str) -> TypeAdapter[MethodSettings]:
    """Takes longer to make than to use."""
    return TypeAdapter(SPECS[method])
