"""The rules of jobs that train a generator or a classifier."""

from dataclasses import replace

from latentwalk.rpc.errors import InvalidRequest
from latentwalk.trainer.data import Form
from latentwalk.trainer.networks.games import GAMES
from latentwalk.trainer.specs import ClassifierSpec, GanSettings, GanSpec, JointSpec
from latentwalk.trainer.validation.context import Context
from latentwalk.trainer.validation.edits import complete_targets


def complete_gan(settings: GanSpec, context: Context) -> GanSpec:
    """The settings with what follows from the game and from the data."""
    gan, _ = _completed(settings.gan, context)
    return replace(settings, gan=gan)


def complete_joint(settings: JointSpec, context: Context) -> JointSpec:
    """As complete_gan, with the amounts of every edit."""
    gan, form = _completed(settings.gan, context)
    edits = complete_targets(f"{context.where}.edits", settings.edits, gan.resolution, form.channels)
    return replace(settings, gan=gan, edits=edits)


def complete_classifier(settings: ClassifierSpec, context: Context) -> ClassifierSpec:
    """The settings, if the data has classes."""
    form = context.check_data(f"{context.where}.data", settings.data)
    if not form.classes:
        raise InvalidRequest(f"{context.where}.data", "has no classes to tell; a folder needs a sub-folder for each")
    return settings


def _completed(gan: GanSettings, context: Context) -> tuple[GanSettings, Form]:
    where = f"{context.where}.gan"
    form = context.check_data(f"{where}.data", gan.data)
    if gan.conditional and not form.classes:
        raise InvalidRequest(f"{where}.conditional", "the data has no classes; a folder needs a sub-folder for each")
    if gan.resolution.bit_count() != 1:
        raise InvalidRequest(f"{where}.resolution", f"{gan.resolution} must be a power of two")
    augmentation = gan.augmentation and complete_targets(
        f"{where}.augmentation", gan.augmentation, gan.resolution, form.channels
    )
    completed = replace(
        gan,
        discriminator_width=gan.discriminator_width or gan.width,
        discriminator_learning_rate=gan.discriminator_learning_rate or gan.learning_rate,
        penalty=GAMES[gan.loss].default_penalty if gan.penalty is None else gan.penalty,
        augmentation=tuple(augmentation),
    )
    return completed, form
