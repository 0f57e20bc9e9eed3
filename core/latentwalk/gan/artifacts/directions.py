"""Directions in the store: the name of one is "<generator>/<direction>"."""

from dataclasses import asdict
from typing import Any

from torch import Tensor

from latentwalk.gan.artifacts.manifest import ArtifactRef
from latentwalk.gan.artifacts.store import ArtifactStore
from latentwalk.gan.directions import Calibration, Direction, Slider, form_of
from latentwalk.gan.edits import CustomEdit
from latentwalk.gan.errors import CorruptArtifact, GanError
from latentwalk.gan.spec import JsonObject


def save_direction(
    store: ArtifactStore,
    generator_name: str,
    direction: Direction,
    *,
    provenance: JsonObject,
    created: str,
) -> ArtifactRef:
    """Publishes the next version of a direction, under its generator's name. ``created`` is ISO 8601."""
    name = f"{generator_name}/{direction.name}"
    body = {
        "form": direction.form,
        "generator_digest": direction.generator_digest,
        "space": direction.space,
        "layers": list(direction.layers),
        "sliders": [asdict(slider) for slider in direction.sliders],
        "config": dict(direction.config),
    }
    return store.put("directions", name, tensors=direction.tensors, body=body, provenance=provenance, created=created)


def load_direction(
    store: ArtifactStore, generator_name: str, name: str, version: int | None = None
) -> tuple[Direction, ArtifactRef]:
    """Reads a direction, by default its newest version.

    Raises UnknownArtifact, and CorruptArtifact also for tensors that do not fit the form and for sliders that
    cannot be.
    """
    artifact = store.get("directions", f"{generator_name}/{name}", version)
    try:
        direction = _build(name, artifact.manifest["body"], artifact.tensors)
    except (GanError, KeyError, TypeError, ValueError) as failure:
        raise CorruptArtifact(artifact.path, f"it describes no direction: {failure!r}") from failure
    return direction, artifact.ref


def _build(name: str, body: dict[str, Any], tensors: dict[str, Tensor]) -> Direction:
    # The first artifacts, all of them linear, say nothing of form, layers and config.
    return form_of(body.get("form", "linear")).build(
        name=name,
        generator_digest=str(body["generator_digest"]),
        space=str(body["space"]),
        layers=tuple(body.get("layers", ())),
        sliders=tuple(map(_slider, body["sliders"])),
        config=dict(body.get("config", {})),
        # Cloned, because tensors that lie in the bytes of a file are not aligned.
        tensors={key: tensor.clone() for key, tensor in tensors.items()},
    )


def _slider(fields: dict[str, Any]) -> Slider:
    (trained_low, trained_high), (limit_low, limit_high) = fields["trained"], fields["limit"]
    return Slider(
        name=str(fields["name"]),
        edit=str(fields["edit"]),
        unit=str(fields["unit"]),
        scale=float(fields["scale"]),
        trained=(float(trained_low), float(trained_high)),
        limit=(float(limit_low), float(limit_high)),
        class_id=fields.get("class_id"),
        custom=_custom(fields.get("custom")),
        calibration=_calibration(fields.get("calibration")),
    )


def _calibration(fields: dict[str, Any] | None) -> Calibration | None:
    if fields is None:
        return None
    alphas, amounts = (tuple(map(float, fields[name])) for name in ("alphas", "amounts"))
    return Calibration(alphas, amounts)


def _custom(fields: dict[str, Any] | None) -> CustomEdit | None:
    if fields is None:
        return None
    matrix = tuple(tuple(float(number) for number in row) for row in fields["matrix"])
    return CustomEdit(str(fields["name"]), str(fields["unit"]), str(fields["kind"]), matrix)
