"""The rules of jobs that are supervised by edits."""

import math
from collections.abc import Sequence
from dataclasses import replace

import torch

from latentwalk.gan.edits import EDITS, Edit
from latentwalk.gan.errors import GanError
from latentwalk.rpc.errors import InvalidRequest
from latentwalk.trainer.specs import EditDirectionSpec, EditTarget
from latentwalk.trainer.validation.context import Context


def complete_edit_direction(settings: EditDirectionSpec, context: Context) -> EditDirectionSpec:
    """The settings with the amounts of every edit."""
    spec = context.known_generator
    edits = complete_targets(f"{context.where}.edits", settings.edits, spec.resolution, spec.channels)
    return replace(settings, edits=edits)


def complete_targets(
    field: str, targets: Sequence[EditTarget], resolution: int, channels: int
) -> tuple[EditTarget, ...]:
    """The targets with their amounts, for pictures of that size. Raises InvalidRequest."""
    if not targets:
        raise InvalidRequest(field, "has none; at least 1 is needed")
    names = [target.edit for target in targets]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise InvalidRequest(f"{field}[{index}].edit", f"{name!r} is there twice")
    picture = torch.zeros(1, channels, resolution, resolution)
    return tuple(_completed(f"{field}[{index}]", target, picture) for index, target in enumerate(targets))


def _completed(field: str, target: EditTarget, picture: torch.Tensor) -> EditTarget:
    if target.edit not in EDITS:
        raise InvalidRequest(f"{field}.edit", f"{target.edit!r} is none of {', '.join(EDITS)}")
    edit = EDITS[target.edit]
    low, high = edit.default_range(picture.shape[-1])
    low = low if target.amount_low is None else target.amount_low
    high = high if target.amount_high is None else target.amount_high
    for name, amount in (("amount_low", low), ("amount_high", high)):
        _check_amount(f"{field}.{name}", edit, amount, picture)
    try:
        edit.draw(1, low, high, torch.Generator())
    except GanError as error:
        raise InvalidRequest(f"{field}.amount_high", str(error)) from error
    return replace(target, amount_low=float(low), amount_high=float(high))


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
