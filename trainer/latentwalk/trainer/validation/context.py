"""What the rules of a method may look at."""

from dataclasses import dataclass

from latentwalk.gan.spec import GeneratorSpec
from latentwalk.trainer.materials import Materials


@dataclass(frozen=True, slots=True)
class Context:
    """Where a spec stands in its request, and what it is to work on."""

    where: str
    """The place of the settings in the request, for errors."""
    generator: GeneratorSpec | None
    """What the generator is; None for a method that works on none."""
    model: str
    materials: Materials

    @property
    def known_generator(self) -> GeneratorSpec:
        """What the generator is, for a method that works on one."""
        assert self.generator is not None  # noqa: S101 - MethodSettings.reads_generator
        return self.generator
