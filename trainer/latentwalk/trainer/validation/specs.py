"""The spec of a job: read, completed by the rules of its method, and refused if it cannot work."""

from collections.abc import Callable, Mapping
from typing import Any

from latentwalk.gan.artifacts import load_generator
from latentwalk.gan.artifacts.manifest import is_name_part
from latentwalk.gan.errors import UnknownArtifact
from latentwalk.gan.generator import Generator
from latentwalk.rpc.errors import InvalidRequest, UnknownModel
from latentwalk.trainer.materials import Materials
from latentwalk.trainer.specs import SPECS, AnyJobSpec, JobSpec, MethodSettings
from latentwalk.trainer.validation.closed_form import complete_boundary, complete_pca, complete_sefa
from latentwalk.trainer.validation.context import Context
from latentwalk.trainer.validation.discovery import complete_class_directions, complete_discovery
from latentwalk.trainer.validation.edits import complete_edit_direction
from latentwalk.trainer.validation.evaluation import complete_evaluation
from latentwalk.trainer.validation.gan import complete_classifier, complete_gan, complete_joint
from latentwalk.trainer.wire import read_settings
from latentwalk.v1 import training_service_pb2 as pb

DEFAULT_CHECKPOINT_EVERY = 50
MAX_CHECKPOINT_EVERY = 1_000_000
MAX_PRIORITY = 100

_COMPLETIONS: Mapping[str, Callable[[Any, Context], MethodSettings]] = {
    "edit_direction": complete_edit_direction,
    "sefa": complete_sefa,
    "pca": complete_pca,
    "boundary": complete_boundary,
    "gan": complete_gan,
    "joint": complete_joint,
    "classifier": complete_classifier,
    "discovery": complete_discovery,
    "class_directions": complete_class_directions,
    "evaluation": complete_evaluation,
}
"""The rules of each method: what its defaults depend on, and what its fields ask of one another. By its name."""


def read_spec(message: pb.JobSpec, materials: Materials) -> AnyJobSpec:
    """The spec with every default filled in.

    Raises InvalidRequest; UnknownModel for a generator or a version that the store does not have, CorruptArtifact (of
    latentwalk.gan) for one that cannot be read. Blocks while it reads the generator.
    """
    method = message.WhichOneof("method")
    if method is None or method not in SPECS:
        raise InvalidRequest("spec.method", f"is needed: set one of {', '.join(SPECS)}")
    settings = read_settings(SPECS[method], getattr(message, method), f"spec.{method}")
    _check_direction(message.direction, settings)
    version, generator = _generator(message, settings, materials)
    settings = _COMPLETIONS[method](settings, Context(f"spec.{method}", generator, message.model, materials))
    if not -MAX_PRIORITY <= message.priority <= MAX_PRIORITY:
        raise InvalidRequest("spec.priority", f"{message.priority} must be from {-MAX_PRIORITY} to {MAX_PRIORITY}")
    every = message.checkpoint_every or DEFAULT_CHECKPOINT_EVERY
    if every > MAX_CHECKPOINT_EVERY:
        raise InvalidRequest("spec.checkpoint_every", f"{every:,} must be from 1 to {MAX_CHECKPOINT_EVERY:,}")
    return JobSpec(
        model=message.model,
        model_version=version,
        direction=message.direction,
        seed=message.seed,
        checkpoint_every=every,
        method=method,
        settings=settings,
        priority=message.priority,
    )


def _check_direction(name: str, settings: MethodSettings) -> None:
    if settings.makes_direction and not is_name_part(name):
        raise InvalidRequest(
            "spec.direction",
            f"{name!r} must be 1 to 63 characters a-z, 0-9, '_', '.', '-', the first a letter or a digit",
        )
    if name and not settings.makes_direction:
        raise InvalidRequest("spec.direction", f"{name!r} is refused: this method publishes no direction")


def _generator(message: pb.JobSpec, settings: MethodSettings, materials: Materials) -> tuple[int, Generator | None]:
    """The version and the generator to work on; 0 and None for a method that works on none."""
    if not is_name_part(message.model):
        raise InvalidRequest("spec.model", f"{message.model!r} is no name of a generator")
    wanted = message.model_version
    if not settings.reads_generator:
        if wanted:
            raise InvalidRequest("spec.model_version", f"{wanted!r} is refused: this method makes a new model")
        return 0, None
    if wanted and not (wanted.isascii() and wanted.isdecimal() and len(wanted) < 19 and int(wanted) >= 1):
        raise InvalidRequest(
            "spec.model_version", f"{wanted!r} must be a whole number from 1 on, or empty for the newest"
        )
    try:
        generator, ref = load_generator(materials.store, message.model, int(wanted) if wanted else None)
    except UnknownArtifact as error:
        name = message.model if error.version is None else f"{message.model} version {error.version}"
        raise UnknownModel(name, error.existing) from error
    return ref.version, generator
