"""What the rules of a method may look at."""

from dataclasses import dataclass

from latentwalk.gan.artifacts import load_direction
from latentwalk.gan.artifacts.manifest import is_name_part
from latentwalk.gan.classifiers import ClassifierSpec
from latentwalk.gan.directions import Direction
from latentwalk.gan.errors import GeneratorMismatch, UnknownArtifact
from latentwalk.gan.generator import Generator
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.rpc.errors import InvalidRequest
from latentwalk.trainer.data import DataRefused, Form
from latentwalk.trainer.materials import Materials
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

    def check_direction(self, field: str, name: str) -> Direction:
        """The newest version of a direction; InvalidRequest if there is none, or if it is of another generator."""
        if not is_name_part(name):
            raise InvalidRequest(field, f"{name!r} is no name of a direction")
        try:
            direction, _ = load_direction(self.materials.store, self.model, name)
            direction.check_generator(self.digest)
        except (UnknownArtifact, GeneratorMismatch) as error:
            raise InvalidRequest(field, str(error)) from error
        return direction

    def check_classifier(self, field: str, name: str, class_id: int = 0) -> ClassifierSpec:
        """What the classifier of that name is; InvalidRequest if none fits the generator's pictures and the class."""
        spec = self.known_generator
        if not is_name_part(name):
            raise InvalidRequest(field, f"{name!r} is no name of a classifier")
        try:
            classifier = self.materials.classifier(name).spec
        except UnknownArtifact as error:
            raise InvalidRequest(field, str(error)) from error
        if (classifier.resolution, classifier.channels) != (spec.resolution, spec.channels):
            raise InvalidRequest(
                field,
                f"{name!r} classifies pictures of {classifier.resolution} px and {classifier.channels} channels; "
                f"those of the generator have {spec.resolution} px and {spec.channels}",
            )
        if class_id >= classifier.classes:
            raise InvalidRequest(field, f"class {class_id} is not one of 0 to {classifier.classes - 1} of {name!r}")
        return classifier
