"""What the manifest of a direction says of sliders that were picked from others: written here, and read again."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

from latentwalk.gan.artifacts.reading import MOST_LETTERS, mappings, text
from latentwalk.gan.spec import JsonObject

_METHOD = "pick"
MOST_OTHERS = 64
"""The most sliders that one is projected off at once, and that a source says, so that it cannot fill a reply."""
# Of "direction@version:slider".
_MOST_LETTERS_OF_OTHER = 3 * MOST_LETTERS
PICKED = "picked"
"""The field of provenance that has an entry for each picked slider."""


@dataclass(frozen=True, slots=True)
class Source:
    """The slider, of a direction of the same generator, that one was picked from."""

    direction: str
    version: int
    slider: str
    """Its name there."""
    opposite: bool = False
    """Whether its alpha was the opposite there."""
    method: str = ""
    """By which method that direction was found."""
    job: str = ""
    """By which job."""
    without: tuple[str, ...] = ()
    """The sliders that it was projected off, in this order, "direction@version:slider" each; at most MOST_OTHERS."""


def provenance_of_picks(sources: Mapping[str, Source], measures: Mapping[str, Mapping[str, float]]) -> JsonObject:
    """The provenance of a direction whose sliders, by name, were picked from these, and what was measured of each."""
    picked = [
        {"name": name, **_said(source), "measures": dict(measures.get(name, {}))} for name, source in sources.items()
    ]
    return {"method": _METHOD, PICKED: picked}


def _said(source: Source) -> JsonObject:
    """All of it, without an empty list of what it was projected off."""
    return {key: value for key, value in asdict(source).items() if key != "without" or value}


def sources_in(provenance: Mapping[str, Any], sliders: Sequence[str]) -> Mapping[str, Source]:
    """The sources of the sliders of these names, as far as provenance says them."""
    sources: dict[str, Source] = {}
    for said in mappings(provenance.get(PICKED)):
        name, direction, version, slider = (said.get(key) for key in ("name", "direction", "version", "slider"))
        if name in sliders and text(direction) and type(version) is int and 0 < version < 2**63 and text(slider):
            about = {key: text(said.get(key)) for key in ("method", "job")}
            sources[text(name)] = Source(
                text(direction),
                version,
                text(slider),
                opposite=said.get("opposite") is True,
                without=_others(said.get("without")),
                **about,
            )
    return sources


def _others(said: object) -> tuple[str, ...]:
    """Those of a list that are printable and not too long, and not too many; none of anything else."""
    listed = cast("Sequence[object]", said) if isinstance(said, list | tuple) else []
    return tuple(other for one in listed[:MOST_OTHERS] if (other := text(one, _MOST_LETTERS_OF_OTHER)))
