"""The generator families, by name: ours, and those of packages that are installed beside latentwalk."""

from functools import cache
from importlib.metadata import EntryPoint, entry_points

from latentwalk.gan.errors import GanError, UnknownFamily
from latentwalk.gan.families.biggan import BigGAN, BigGANDeep
from latentwalk.gan.families.dcgan import DCGAN
from latentwalk.gan.families.progan import ProGAN
from latentwalk.gan.families.stylegan import StyleGAN
from latentwalk.gan.families.stylegan2 import StyleGAN2
from latentwalk.gan.families.stylegan3 import StyleGAN3
from latentwalk.gan.generator import Generator
from latentwalk.gan.spec import GeneratorSpec

FAMILIES: dict[str, type[Generator]] = {
    "dcgan": DCGAN,
    "progan": ProGAN,
    "stylegan": StyleGAN,
    "stylegan2": StyleGAN2,
    "stylegan3": StyleGAN3,
    "biggan_deep": BigGANDeep,
    "biggan": BigGAN,
}
"""Ours."""
OTHERS = "latentwalk.families"
"""The group of entry points by which a package says which families it has: `name = "module:Class"`."""


def family_names() -> tuple[str, ...]:
    """The names of all families, ours first."""
    return *FAMILIES, *sorted(entry_points(group=OTHERS).names - FAMILIES.keys())


def build_generator(spec: GeneratorSpec) -> Generator:
    """A generator with fresh random weights. Raises UnknownFamily, or GanError if the spec does not fit."""
    return family_of(spec.family)(spec)


def family_of(name: str) -> type[Generator]:
    """The class of a family. Raises UnknownFamily, and GanError for one of another package that cannot be used."""
    return FAMILIES[name] if name in FAMILIES else _family_of_others(name)


@cache
def _family_of_others(name: str) -> type[Generator]:
    found = entry_points(group=OTHERS, name=name)
    if not found:
        raise UnknownFamily(name, family_names())
    first, *more = found
    if more:
        packages = ", ".join(sorted(entry.dist.name for entry in found if entry.dist))
        raise GanError(f"family {name!r} is in several packages ({packages}): uninstall all but one")
    return _loaded(first)


def _loaded(entry: EntryPoint) -> type[Generator]:
    """The class that an entry point names, which is a program that whoever installed it trusts."""
    try:
        family = entry.load()
    except Exception as error:  # whatever the code of others stumbles over
        raise GanError(f"family {entry.name!r} cannot be loaded from {entry.value}: {error!r}") from error
    if not (isinstance(family, type) and issubclass(family, Generator)):
        raise GanError(
            f"family {entry.name!r} is {family!r}: it must be a subclass of latentwalk.gan.generator.Generator"
        )
    return family
