"""Of what shape a new generator is: as it is said to be, or as the one that it starts from."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from latentwalk.gan.spec import GeneratorSpec
from latentwalk.gan.usual_range import USUAL_RANGE
from latentwalk.rpc.errors import InvalidRequest
from latentwalk.trainer.data import Form
from latentwalk.trainer.specs import GanFamily, GanSettings
from latentwalk.trainer.specs.bounds import BOUNDS
from latentwalk.trainer.validation.context import Context

DEFAULT_RESOLUTION, DEFAULT_LATENT_SIZE, DEFAULT_WIDTH = 32, 100, 32


def shaped(gan: GanSettings, form: Form, where: str, context: Context) -> GanSettings:
    """The settings with family and sizes: the defaults, or those of `start_from`, with which what is said must agree.

    `form` is that of the data. Raises InvalidRequest.
    """
    if gan.start_from:
        return _as_parent(gan, form, where, context)
    return replace(
        gan,
        family=gan.family or GanFamily.DCGAN,
        resolution=gan.resolution or DEFAULT_RESOLUTION,
        latent_size=gan.latent_size or DEFAULT_LATENT_SIZE,
        width=gan.width or DEFAULT_WIDTH,
    )


def _as_parent(gan: GanSettings, form: Form, where: str, context: Context) -> GanSettings:
    spec, name = context.check_start(f"{where}.start_from", gan.start_from)
    shape = _shape_of(spec, f"{where}.start_from", name)
    for field, own in shape.items():
        if (said := getattr(gan, field)) not in (0, None, own):
            raise InvalidRequest(f"{where}.{field}", f"{said} is refused: that of {name!r} is {own}; leave it out")
    if gan.conditional and not spec.classes:
        raise InvalidRequest(f"{where}.conditional", f"is refused: {name!r}, which it is to start from, has no classes")
    if form.channels != spec.channels:
        problem = f"its pictures have {form.channels} channels, those of {name!r} {spec.channels}"
        raise InvalidRequest(f"{where}.data", problem)
    if spec.classes and form.classes != spec.classes:
        raise InvalidRequest(f"{where}.data", f"it has {form.classes} classes, {name!r} {spec.classes}")
    return replace(gan, start_from=name, conditional=spec.classes > 0, **shape)


def _shape_of(spec: GeneratorSpec, field: str, name: str) -> Mapping[str, Any]:
    """The settings with which such a generator would be made; InvalidRequest if it could not."""
    if spec.family not in list(GanFamily):
        raise InvalidRequest(field, f"{name!r} is of family {spec.family}: only {', '.join(GanFamily)} are trained")
    if spec.range != USUAL_RANGE:
        raise InvalidRequest(
            field, f"{name!r} draws pictures in the range {spec.range}: what is trained has {USUAL_RANGE}"
        )
    styles = {"w_size": spec.w_size} if spec.layers else {}
    told: dict[str, Any] = {"resolution": spec.resolution, "latent_size": spec.latent_size, **styles, **spec.config}
    bounds = {one.name: one.metadata[BOUNDS] for one in fields(GanSettings) if one.name in told}
    sizes = {size: told[size] for size in bounds}
    for size, value in sizes.items():
        if not bounds[size].admit(value):
            raise InvalidRequest(field, f"{size} of {name!r} is {value:,}: what is trained has {bounds[size]}")
    return {"family": GanFamily(spec.family), **sizes}
