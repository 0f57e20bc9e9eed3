"""Where a direction comes from and how good it is, as its manifest says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from latentwalk.gan.artifacts.manifest import Manifest
from latentwalk.gan.artifacts.picked import PICKED, Source, sources_in
from latentwalk.gan.artifacts.reading import mapping, mappings, moment, numbers, text

Measures: TypeAlias = Mapping[str, float]

# Far more than any method says, so that a manifest cannot fill a reply.
MOST_MEASURES = 64
MOST_SLIDER_MEASURES = 8
MOST_LETTERS_OF_FILE = 255

CALIBRATION = "calibration"
"""The field of provenance that says by which "job" a direction was calibrated; all else is what it was before."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The provenance of a direction, of which an artifact may say as little as it likes."""

    created: datetime | None = None
    """When it was published."""
    method: str = ""
    """That of the job, or "import", or "pick"."""
    job: str = ""
    """Which job of a trainer has found it."""
    file: str = ""
    """The name of the file that it was imported from."""
    measures: Measures = field(default_factory=dict[str, float])
    """Of all of it, by name."""
    of_sliders: Mapping[str, Measures] = field(default_factory=dict[str, Measures])
    """Of one slider, by its name and by that of the measure."""
    calibration_job: str = ""
    """Which job of a trainer has calibrated its sliders."""
    sources: Mapping[str, Source] = field(default_factory=dict[str, Source])
    """Of those sliders that were picked from others, by name."""


def origin_of(manifest: Manifest, sliders: Sequence[str]) -> Origin:
    """What the manifest of a direction says of it, and of its sliders of these names.

    A measure "accuracy.3" is the accuracy of slider "3"; evaluations are the error, the baseline (what doing nothing
    costs) and the gain, 1 - error / baseline, of the slider that they name. Provenance is for people and may be
    anything: what is of another form, not finite, or beyond the limits is left out.
    """
    said, whole, of_sliders = manifest.provenance, dict[str, float](), {name: dict[str, float]() for name in sliders}
    for evaluation in mappings(said.get("evaluations")):
        of_sliders.get(text(evaluation.get("slider")), {}).update(_evaluated(evaluation))
    for name, value in numbers(said.get("measures")):
        what, _, slider = name.partition(".")
        if slider in of_sliders:
            _add(of_sliders[slider], what, value, MOST_SLIDER_MEASURES)
        else:
            _add(whole, name, value, MOST_MEASURES)
    for picked in mappings(said.get(PICKED)):
        for what, value in numbers(picked.get("measures")):
            _add(of_sliders.get(text(picked.get("name")), {}), what, value, MOST_SLIDER_MEASURES)
    imported = mapping(said.get("imported"))
    return Origin(
        moment(manifest.created),
        method=text(said.get("method")),
        job=text(said.get("job")),
        file=text(imported.get("file"), MOST_LETTERS_OF_FILE),
        measures=whole,
        of_sliders=of_sliders,
        calibration_job=text(mapping(said.get(CALIBRATION)).get("job")),
        sources=sources_in(said, sliders),
    )


def _add(measures: dict[str, float], name: str, value: float, most: int) -> None:
    if len(measures) < most:
        measures[name] = value


def _evaluated(evaluation: Mapping[str, Any]) -> Measures:
    measures = dict(numbers({name: evaluation.get(name) for name in ("error", "baseline")}))
    if len(measures) < 2 or measures["baseline"] <= 0:
        return measures
    gain = 1 - measures["error"] / measures["baseline"]
    return measures | dict(numbers({"gain": gain}))
