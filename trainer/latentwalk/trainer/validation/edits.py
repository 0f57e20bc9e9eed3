"""The rules of jobs that are supervised by edits."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch

from latentwalk.gan.directions.slider import check_slider_name
from latentwalk.gan.edits import ADDING, EDITS, Edit
from latentwalk.gan.errors import GanError
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.gan.truncations import Truncation
from latentwalk.rpc.errors import InvalidRequest
from latentwalk.trainer.specs import EditDirectionSpec, EditTarget, WalkForm
from latentwalk.trainer.specs.edits import ClassChoice, CustomTarget, edit_of_target
from latentwalk.trainer.validation.context import Context
from latentwalk.trainer.validation.spaces import check_layers, check_space

DEFAULT_LEARNING_RATES: Mapping[WalkForm, float] = {WalkForm.LINEAR: 0.4, WalkForm.NONLINEAR: 0.003}
"""Measured on the demo's faces, see methods.edits.direction; nonlinear, on zoom: 30 % better than nothing at
0.0003, 39 at 0.001, 43 at 0.003, 40 at 0.01."""
DEFAULT_WALK_STEPS = 5
"""Of a nonlinear walk."""
MAX_EDITS = 64
MAX_SLIDERS = 4_096
"""Of a direction, one for each edit and class."""
MAX_WALK_NUMBERS = 2**29
"""That a walk learns: 2 GiB, of which training takes four times as much."""
MAX_UNIT = 32


def complete_edit_direction(settings: EditDirectionSpec, context: Context) -> EditDirectionSpec:
    """The settings with the amounts of every edit, and a walk that the generator can go."""
    spec, nonlinear = context.known_generator, settings.form is WalkForm.NONLINEAR
    _check_space(settings, spec, context.where)
    _check_classes(settings.classes, spec, f"{context.where}.classes")
    if settings.walk_steps and not nonlinear:
        raise InvalidRequest(f"{context.where}.walk_steps", "is refused: only a nonlinear walk goes in steps")
    try:
        context.materials.check_loss(settings.loss, spec)
    except GanError as error:
        raise InvalidRequest(f"{context.where}.loss", str(error)) from error
    rate = settings.learning_rate
    edits = complete_targets(f"{context.where}.edits", settings.edits, spec.resolution, spec.channels)
    _check_size(settings, spec, f"{context.where}.edits")
    if settings.together:
        _check_together(settings, f"{context.where}.together")
    return replace(
        settings,
        edits=edits,
        learning_rate=DEFAULT_LEARNING_RATES[settings.form] if rate is None else rate,
        truncation=_truncation(settings, context),
        threshold=None,
        walk_steps=settings.walk_steps or (DEFAULT_WALK_STEPS if nonlinear else 0),
    )


def _truncation(settings: EditDirectionSpec, context: Context) -> Truncation | None:
    """As the generator takes it."""
    if settings.threshold is None:
        truncation = settings.truncation
        return truncation and context.check_truncation(f"{context.where}.truncation", truncation)
    if settings.truncation is not None:
        raise InvalidRequest(f"{context.where}.threshold", "is refused beside truncation, of which it is a part")
    return context.check_truncation(context.where, Truncation(threshold=settings.threshold))


def _check_space(settings: EditDirectionSpec, spec: GeneratorSpec, where: str) -> None:
    check_space(f"{where}.space", settings.space, spec)
    if settings.layers and settings.space != "w+":
        raise InvalidRequest(f"{where}.layers", f"only w+ has layers; the space is {settings.space!r}")
    check_layers(f"{where}.layers", settings.layers, spec)


def _check_classes(choice: ClassChoice | None, spec: GeneratorSpec, where: str) -> None:
    if choice is None:
        return
    if not spec.classes:
        raise InvalidRequest(where, "the generator has no classes; leave it out")
    if choice.class_id is not None and choice.class_id >= spec.classes:
        raise InvalidRequest(f"{where}.class_id", f"{choice.class_id} is not one of 0 to {spec.classes - 1}")
    if choice.class_id is None and not choice.each:
        raise InvalidRequest(where, "is empty: give class_id, or each")


def _check_size(settings: EditDirectionSpec, spec: GeneratorSpec, field: str) -> None:
    """Raises InvalidRequest for more sliders than a direction can hold, or than can be learned at once."""
    classes = settings.class_ids(spec.classes)
    each = "" if classes is None else f" for each of {len(classes):,} classes"
    sliders = len(settings.edits) * (1 if classes is None else len(classes))
    if sliders > MAX_SLIDERS:
        made = f"{len(settings.edits):,} edits{each} make {sliders:,} sliders"
        raise InvalidRequest(field, f"{made}; at most {MAX_SLIDERS:,} are allowed")
    size = spec.size_of(settings.space, len(settings.layers))
    numbers = sliders * (4 * size * (size + 1) if settings.form is WalkForm.NONLINEAR else size)
    if numbers > MAX_WALK_NUMBERS:
        made = f"{sliders:,} {settings.form} sliders of {size:,} numbers of a code learn {numbers:,} numbers"
        raise InvalidRequest(field, f"{made}; at most {MAX_WALK_NUMBERS:,} are allowed: take fewer, or fewer layers")


def _check_together(settings: EditDirectionSpec, field: str) -> None:
    """Raises InvalidRequest for sliders of which the order would matter, or that are for different rows."""
    if settings.form is not WalkForm.LINEAR:
        raise InvalidRequest(field, f"is refused for a {settings.form} walk: only linear ones add up")
    if settings.classes and settings.classes.each:
        raise InvalidRequest(field, "is refused with one walk for each class: a picture has one class")
    names = [target.name for target in settings.edits]
    if len(names) < 2 or not any(adding.issuperset(names) for adding in ADDING):
        known = ", or ".join(", ".join(name for name in EDITS if name in adding) for adding in ADDING)
        raise InvalidRequest(field, f"is refused for {', '.join(names)}: it takes two edits or more of {known}")


def complete_targets(
    field: str, targets: Sequence[EditTarget], resolution: int, channels: int
) -> tuple[EditTarget, ...]:
    """The targets with their amounts, for pictures of that size. Raises InvalidRequest."""
    if not 1 <= len(targets) <= MAX_EDITS:
        raise InvalidRequest(field, f"are {len(targets):,} edits; from 1 to {MAX_EDITS} must be there")
    names = [target.name for target in targets]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise InvalidRequest(f"{field}[{index}].edit", f"{name!r} is there twice")
    picture = torch.zeros(1, channels, resolution, resolution)
    return tuple(_completed(f"{field}[{index}]", target, picture) for index, target in enumerate(targets))


def _completed(field: str, target: EditTarget, picture: torch.Tensor) -> EditTarget:
    edit = _edit(field, target)
    low, high = edit.default_range(picture.shape[-1])
    if target.custom and (target.amount_low is None or target.amount_high is None):
        raise InvalidRequest(f"{field}.amount_low", "an edit of your own needs amount_low and amount_high")
    low = low if target.amount_low is None else target.amount_low
    high = high if target.amount_high is None else target.amount_high
    for name, amount in (("amount_low", low), ("amount_high", high)):
        _check_amount(f"{field}.{name}", edit, amount, picture)
    try:
        edit.draw(1, low, high, torch.Generator())
    except GanError as error:
        raise InvalidRequest(f"{field}.amount_high", str(error)) from error
    return replace(target, amount_low=float(low), amount_high=float(high))


def _edit(field: str, target: EditTarget) -> Edit:
    if target.custom is None and target.edit not in EDITS:
        raise InvalidRequest(f"{field}.edit", f"{target.edit!r} is none of {', '.join(EDITS)}")
    if target.custom is not None:
        _check_words(f"{field}.custom", target.custom)
    try:
        return edit_of_target(target)[0]
    except GanError as error:
        raise InvalidRequest(f"{field}.custom", str(error)) from error


def _check_words(field: str, custom: CustomTarget) -> None:
    try:
        check_slider_name(custom.name)
    except GanError as error:
        raise InvalidRequest(f"{field}.name", str(error)) from error
    if len(custom.unit) > MAX_UNIT or not custom.unit.isprintable():
        raise InvalidRequest(f"{field}.unit", f"{custom.unit[:MAX_UNIT]!r} must be up to {MAX_UNIT} printable letters")


def _check_amount(field: str, edit: Edit, amount: float, picture: torch.Tensor) -> None:
    low, high = edit.domain
    if not (math.isfinite(amount) and low <= amount <= high):
        raise InvalidRequest(field, f"{amount:g} {edit.unit} must be finite and from {low:g} to {high:g}")
    try:
        _, mask = edit(picture, torch.tensor([amount]))
    except GanError as error:
        raise InvalidRequest(field.rpartition(".")[0] + ".edit", f"{edit.name}: {error}") from error
    if not mask.any():
        size = picture.shape[-1]
        raise InvalidRequest(field, f"{amount:g} {edit.unit} leaves nothing of a picture of {size} x {size} px")
