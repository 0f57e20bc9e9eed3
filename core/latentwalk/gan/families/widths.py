"""How wide networks are that double the resolution step by step, as the config of a spec says it."""

from collections.abc import Collection

from latentwalk.gan.errors import GanError, OutOfRange
from latentwalk.gan.spec import GeneratorSpec

LIMITS = {"width": (1, 4_096), "max_width": (1, 4_096), "mapping_layers": (1, 32), "kernel": (1, 3)}
"""Of the numbers that a config may have, each with both ends."""


def widths_of(spec: GeneratorSpec) -> list[int]:
    """The channels at 4x4, 8x8, ..., resolution: "width" at the last, twice as many before it, up to "max_width"."""
    width, most = config_of(spec, "width"), config_of(spec, "max_width")
    rungs = spec.resolution.bit_length() - 2
    return [min(width << (rungs - 1 - rung), most) for rung in range(rungs)]


def check_config(spec: GeneratorSpec, names: Collection[str], optional: Collection[str] = ()) -> None:
    """Raises GanError for a resolution that is no power of two, or a config without one of the names, or with others.

    Those that are optional may be there or not.
    """
    name = spec.family
    if spec.resolution.bit_count() != 1:
        raise GanError(f"resolution of a {name} is {spec.resolution}: it must be a power of two")
    if set(spec.config) - set(optional) != set(names):
        raise GanError(f"config of a {name} is {dict(spec.config)}: it must have {', '.join(names)}")


def config_of(spec: GeneratorSpec, name: str) -> int:
    """A number of the config. Raises GanError if it is none, and OutOfRange."""
    value, (low, high) = spec.config.get(name), LIMITS[name]
    if type(value) is not int:
        raise GanError(f"{name} of a {spec.family} is {value!r}: it must be an integer")
    if not low <= value <= high:
        raise OutOfRange(f"{name} of a {spec.family}", value, low, high)
    return value
