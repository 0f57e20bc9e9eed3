"""Taking sliders out of directions that were found, into one of their own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from latentwalk.gan.closed_form import project_off
from latentwalk.gan.directions.direction import Direction
from latentwalk.gan.directions.slider import Slider, check_slider_name
from latentwalk.gan.edits import Span
from latentwalk.gan.errors import GanError


@dataclass(frozen=True, eq=False, slots=True)
class Pick:
    """A slider of a direction, and what is to become of it."""

    direction: Direction
    place: int
    """Which of its sliders."""
    name: str = ""
    """Its name from now on; empty for the one that it has."""
    opposite: bool = False
    """Whether its alpha becomes the opposite of what it was; the amounts of an edit stay what they were."""
    limit: Span | None = None
    """The least and greatest alpha, as it is from now on, that may be asked for; None for all that could be before."""
    without: Sequence[tuple[Direction, int]] = ()
    """Sliders, of directions, that are not to move with it: its vector is projected off theirs, and keeps its length
    (InterFaceGAN, Shen et al. 2020, section 2.3)."""

    def alone(self) -> Direction:
        """The slider as the only one of a direction.

        Raises GanError for a name that people are not to give, for a limit without 0 in it, and for others that it
        cannot be projected off, and OutOfRange for a limit beyond what could be asked for before.
        """
        own, slider = self.direction, self.direction.sliders[self.place]
        if self.opposite:
            slider = slider.turned()
        if self.name:
            check_slider_name(self.name)
            slider = replace(slider, name=self.name)
        if self.limit is not None:
            slider = slider.within(self.limit)
        rows = {field: row[self.place, None] for field, row in own.rows.items()}
        if self.without:
            # What was measured to come of an alpha was that of another vector.
            rows, slider = {"vectors": self._projected()}, replace(slider, calibration=None)
        alone = _rebuilt(own, own.name, (slider,), rows)
        return _rebuilt(alone, own.name, (slider,), alone.turned_rows()) if self.opposite else alone

    def _projected(self) -> Tensor:
        """Its vector off those of the others, [1, D]."""
        own, name = self.direction, self.direction.sliders[self.place].name
        for other, place in self.without:
            theirs = f"{other.name}:{other.sliders[place].name}"
            if own.form != "linear" or other.form != "linear":
                forms = f"{own.name}:{name} is {own.form}, {theirs} {other.form}"
                raise GanError(f"{forms}: only linear ones are projected")
            if difference := _difference(own, other):
                raise GanError(f"{own.name}:{name} cannot be projected off {theirs}: {difference}")
        vector = own.rows["vectors"][self.place]
        others = torch.stack([other.rows["vectors"][place] for other, place in self.without])
        rest = project_off(vector, others) * vector.norm()
        if not rest.any():
            raise GanError(f"nothing is left of {own.name}:{name}: the others move all that it moves")
        return rest[None]


def joined(name: str, parts: Sequence[Direction]) -> Direction:
    """One direction of this name with the sliders of some others, each of which moves codes as it did there.

    Raises GanError for none, for those that differ in more than their sliders, and for two sliders of one name.
    """
    if not parts:
        raise GanError(f"direction {name!r} would have no sliders: pick at least one")
    first, *others = parts
    for other in others:
        if difference := _difference(first, other):
            raise GanError(
                f"sliders of {first.name!r} and of {other.name!r} cannot be in one direction: {difference}; "
                "pick them into two"
            )
    rows = {field: torch.cat([part.rows[field] for part in parts]) for field in first.rows}
    return _rebuilt(first, name, tuple(slider for part in parts for slider in part.sliders), rows)


def _rebuilt(direction: Direction, name: str, sliders: tuple[Slider, ...], rows: Mapping[str, Tensor]) -> Direction:
    """The direction with other sliders, of these rows."""
    return direction.build(
        name=name,
        generator_digest=direction.generator_digest,
        space=direction.space,
        layers=direction.layers,
        sliders=sliders,
        config=direction.config,
        tensors={**direction.tensors, **rows},
    )


def _difference(one: Direction, other: Direction) -> str:
    """In what two directions differ beside their sliders; empty if in nothing."""
    for what in ("generator_digest", "form", "space", "layers", "config"):
        if getattr(one, what) != getattr(other, what):
            return f"{what} is {getattr(one, what)} of the one, {getattr(other, what)} of the other"
    for field, row in one.rows.items():
        if row.shape[1:] != other.rows[field].shape[1:]:
            return f"{field} are {list(row.shape[1:])} of the one, {list(other.rows[field].shape[1:])} of the other"
    shared, also = ({key: one for key, one in each.tensors.items() if key not in each.rows} for each in (one, other))
    if shared.keys() != also.keys() or not all(torch.equal(tensor, also[field]) for field, tensor in shared.items()):
        return "they go by networks of their own"
    return ""
