"""What is asked for when sliders are picked: from the words of the wire to a direction and its provenance."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from latentwalk.gan.artifacts import MOST_OTHERS, Measures, Source, provenance_of_picks
from latentwalk.gan.artifacts.manifest import check_name
from latentwalk.gan.directions import Direction, Pick, joined
from latentwalk.gan.errors import GanError
from latentwalk.gan.spec import JsonObject
from latentwalk.rpc.errors import InvalidRequest
from latentwalk.server.served import ServedModel
from latentwalk.server.validation.movements import find_slider
from latentwalk.v1 import model_service_pb2 as pb


@dataclass(frozen=True, slots=True)
class _Picked:
    """A slider that is asked for, as the only one of a direction, and what is known of it."""

    alone: Direction
    origin: str
    """Its direction and its name there: "found:3"."""
    source: Source
    measures: Measures

    @property
    def name(self) -> str:
        return self.alone.sliders[0].name


def read_picks(request: pb.PickSlidersRequest, model: ServedModel) -> tuple[Direction, JsonObject]:
    """The direction of the picked sliders, and its provenance. Raises InvalidRequest, UnknownDirection."""
    try:
        check_name("directions", f"{model.name}/{request.direction}")
    except GanError as error:
        raise InvalidRequest("direction", str(error)) from error
    picks = _read_all(request.picks, model)
    try:
        direction = joined(request.direction, [pick.alone for pick in picks])
    except GanError as error:
        raise InvalidRequest("picks", str(error)) from error
    sources, measures = {one.name: one.source for one in picks}, {one.name: one.measures for one in picks}
    return direction, provenance_of_picks(sources, measures)


def _read_all(picks: Sequence[pb.SliderPick], model: ServedModel) -> list[_Picked]:
    """No more of them than there are sliders: what stands in two picks is refused at the second one."""
    read, first_of = list[_Picked](), dict[tuple[str, str], int]()
    for index, pick in enumerate(picks):
        one = _read(f"picks[{index}]", pick, model)
        for what, value in (("slider", one.origin), ("name", one.name)):
            if (first := first_of.setdefault((what, value), index)) != index:
                raise InvalidRequest(f"picks[{index}].{what}", f"{value!r} stands in picks[{first}] already")
        read.append(one)
    return read


def _read(field: str, pick: pb.SliderPick, model: ServedModel) -> _Picked:
    served = model.direction(pick.direction)
    direction, place = find_slider(field, pick.direction, pick.slider, model)
    slider = direction.sliders[place]
    low = pick.alpha_low if pick.HasField("alpha_low") else None
    high = pick.alpha_high if pick.HasField("alpha_high") else None
    limit = slider.turned().limit if pick.opposite else slider.limit
    chosen = (limit[0] if low is None else low, limit[1] if high is None else high)
    if (count := len(pick.without)) > MOST_OTHERS:
        raise InvalidRequest(f"{field}.without", f"are {count:,} sliders; at most {MOST_OTHERS} are allowed")
    without = [
        find_slider(f"{field}.without[{index}]", other.direction, other.slider, model)
        for index, other in enumerate(pick.without)
    ]
    try:
        alone = Pick(direction, place, pick.name, pick.opposite, None if chosen == limit else chosen, without).alone()
    except GanError as error:
        raise InvalidRequest(field, str(error)) from error
    origin = served.origin
    found = Source(direction.name, served.version, slider.name, method=origin.method, job=origin.job)
    source = origin.sources.get(slider.name, found)
    left_alone = [
        f"{other.name}@{model.direction(other.name).version}:{other.sliders[place].name}" for other, place in without
    ]
    source = replace(source, opposite=source.opposite != pick.opposite, without=(*source.without, *left_alone))
    measures = {} if without else origin.of_sliders.get(slider.name, {})
    return _Picked(alone, f"{direction.name}:{slider.name}", source, measures)
