"""The generator families, by name."""

from latentwalk.gan.errors import UnknownFamily
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


def build_generator(spec: GeneratorSpec) -> Generator:
    """A generator with fresh random weights. Raises UnknownFamily, or GanError if the spec does not fit."""
    return family_of(spec.family)(spec)


def family_of(name: str) -> type[Generator]:
    """The class of a family. Raises UnknownFamily."""
    if name not in FAMILIES:
        raise UnknownFamily(name, tuple(FAMILIES))
    return FAMILIES[name]
