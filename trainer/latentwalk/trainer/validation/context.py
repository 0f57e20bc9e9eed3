"""What the rules of a method may look at."""

from dataclasses import dataclass, replace

from latentwalk.gan.artifacts import load_classifier, load_direction, load_generator
from latentwalk.gan.classifiers import ClassifierSpec
from latentwalk.gan.directions import Direction
from latentwalk.gan.errors import GanError, GeneratorMismatch, InvalidTruncation, UnknownArtifact
from latentwalk.gan.generator import Generator
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.gan.truncations import Truncation
from latentwalk.rpc.errors import InvalidRequest
from latentwalk.trainer.data import DataRefused, Form
from latentwalk.trainer.materials import Materials
from latentwalk.trainer.methods.samples import count_first_features
from latentwalk.trainer.references import Reference
from latentwalk.trainer.specs import Data


@dataclass(frozen=True, slots=True)
class Context:
    """Where a spec stands in its request, and what it is to work on."""

    where: str
    """The place of the settings in the request, for errors."""
    generator: Generator | None
    """None for a method that works on none."""
    model: str
    materials: Materials

    @property
    def known_generator(self) -> GeneratorSpec:
        """What the generator is, for a method that works on one."""
        assert self.generator is not None  # noqa: S101 - MethodSettings.reads_generator
        return self.generator.spec

    @property
    def digest(self) -> str:
        """That of the generator, for a method that works on one."""
        assert self.generator is not None  # noqa: S101 - MethodSettings.reads_generator
        return self.generator.digest

    @property
    def first_features(self) -> int:
        """How many the generator has, for a method that works on one."""
        assert self.generator is not None  # noqa: S101 - MethodSettings.reads_generator
        return count_first_features(self.generator)

    def check_truncation(self, field: str, truncation: Truncation) -> Truncation:
        """A truncation as the generator takes it; InvalidRequest naming its part if it does not."""
        try:
            return truncation.of(self.known_generator)
        except InvalidTruncation as error:
            raise InvalidRequest(f"{field}.{error.part}", error.reason) from error

    def check_data(self, field: str, data: Data) -> Form:
        """Of what channels and classes the data is; InvalidRequest if it cannot be read."""
        try:
            return self.materials.form(data)
        except DataRefused as error:
            raise InvalidRequest(field, str(error)) from error

    def check_real(self, field: str, data: Data) -> Form:
        """As check_data, for pictures that the generator's are compared with: they need as many channels."""
        form, own = self.check_data(field, data), self.known_generator.channels
        if form.channels != own:
            raise InvalidRequest(field, f"its pictures have {form.channels} channels, those of the generator {own}")
        return form

    def check_direction(self, field: str, text: str) -> tuple[Direction, str]:
        """A direction, and how it is named with its version; InvalidRequest if it is none of this generator."""
        reference = _reference(field, text)
        try:
            direction, ref = load_direction(self.materials.store, self.model, reference.name, reference.version)
            direction.check_generator(self.digest)
        except (UnknownArtifact, GeneratorMismatch) as error:
            raise InvalidRequest(field, str(error)) from error
        return direction, str(replace(reference, version=ref.version))

    def check_start(self, field: str, text: str) -> tuple[GeneratorSpec, str]:
        """What a generator is that another is to start from, and how it is named with its version.

        InvalidRequest if there is none; CorruptArtifact for one that cannot be read.
        """
        reference = _reference(field, text)
        try:
            generator, ref = load_generator(self.materials.store, reference.name, reference.version)
        except UnknownArtifact as error:
            raise InvalidRequest(field, str(error)) from error
        return generator.spec, str(replace(reference, version=ref.version))

    def check_classifier(self, field: str, text: str, class_id: int = 0) -> tuple[ClassifierSpec, str]:
        """What a classifier is, and how it is named with its version.

        InvalidRequest if there is none, or it does not fit the generator's pictures, or has not that class.
        """
        spec, reference = self.known_generator, _reference(field, text)
        try:
            classifier, ref = load_classifier(self.materials.store, reference.name, reference.version)
        except UnknownArtifact as error:
            raise InvalidRequest(field, str(error)) from error
        seen = classifier.spec
        try:
            seen.check_pictures(spec.resolution, spec.channels)
        except GanError as error:
            raise InvalidRequest(field, f"{text!r} does not fit the generator's pictures: {error}") from error
        if class_id >= seen.classes:
            raise InvalidRequest(field, f"class {class_id} is not one of 0 to {seen.classes - 1} of {text!r}")
        return seen, str(replace(reference, version=ref.version))


def _reference(field: str, text: str) -> Reference:
    try:
        return Reference.read(text)
    except ValueError as error:
        raise InvalidRequest(field, str(error)) from error
