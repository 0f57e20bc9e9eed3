"""The rules of jobs that train a generator or a classifier."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from latentwalk.rpc.errors import InvalidRequest
from latentwalk.trainer.data import Form
from latentwalk.trainer.methods.match import count_weights
from latentwalk.trainer.networks.games import GAMES
from latentwalk.trainer.specs import ClassifierSpec, GanFamily, GanSettings, GanSpec, JointMode, JointSpec
from latentwalk.trainer.validation.context import Context
from latentwalk.trainer.validation.edits import complete_targets
from latentwalk.trainer.validation.shapes import shaped

DEFAULT_EDIT_WEIGHT = 1.0
DEFAULT_WALK_STEPS = 1_000
"""Of a walk that comes after its generator."""

DEFAULT_LEARNING_RATES: Mapping[GanFamily, float] = {
    GanFamily.DCGAN: 0.0002,
    GanFamily.PROGAN: 0.001,
    GanFamily.STYLEGAN: 0.001,
}
PHASES = ("fade_steps", "stable_steps")
_GROWING = ("max_width", "progressive_from", *PHASES)
_STYLES = ("w_size", "mapping_layers", "style_mixing")
OWN: Mapping[GanFamily, tuple[str, ...]] = {
    GanFamily.DCGAN: (),
    GanFamily.PROGAN: _GROWING,
    GanFamily.STYLEGAN: (*_GROWING, *_STYLES),
}
"""What may be said of a family, and not of all."""
MAX_WEIGHTS = 2**29
"""Of both players: 2 GiB, of which training takes five times as much."""
DEFAULT_MAX_WIDTH, DEFAULT_MAPPING_LAYERS, DEFAULT_STYLE_MIXING = 512, 8, 0.9


def complete_gan(settings: GanSpec, context: Context) -> GanSpec:
    """The settings with what follows from the game and from the data."""
    gan, _ = _completed(settings.gan, context)
    return replace(settings, gan=gan)


def complete_joint(settings: JointSpec, context: Context) -> JointSpec:
    """As complete_gan, with the amounts of every edit, and what the mode asks for."""
    gan, form = _completed(settings.gan, context)
    settings = _completed_mode(settings, context.where)
    if gan.progressive_from and settings.mode is JointMode.JOINT:
        raise InvalidRequest(
            f"{context.where}.gan.progressive_from",
            "is refused in mode joint: its walk learns edits of whole pictures from the first step on, and there are "
            "none before the generator has grown; use mode sequential",
        )
    edits = complete_targets(f"{context.where}.edits", settings.edits, gan.resolution, form.channels)
    return replace(settings, gan=gan, edits=edits)


def complete_classifier(settings: ClassifierSpec, context: Context) -> ClassifierSpec:
    """The settings, if the data has classes."""
    form = context.check_data(f"{context.where}.data", settings.data)
    if form.classes < 2:
        problem = f"has {form.classes} classes to tell: at least 2 are needed; a folder needs a sub-folder for each"
        raise InvalidRequest(f"{context.where}.data", problem)
    return settings


def _completed_mode(settings: JointSpec, where: str) -> JointSpec:
    """The settings with the weight of the edit loss, or with the steps of a walk of its own: each mode has one."""
    if settings.mode is JointMode.JOINT:
        if settings.walk_steps:
            raise InvalidRequest(f"{where}.walk_steps", "is refused: only mode sequential has steps of the walk alone")
        return replace(settings, edit_weight=settings.edit_weight or DEFAULT_EDIT_WEIGHT)
    if settings.edit_weight is not None:
        raise InvalidRequest(f"{where}.edit_weight", "is refused: only mode joint weighs it against the game")
    return replace(settings, walk_steps=settings.walk_steps or DEFAULT_WALK_STEPS)


def _completed(gan: GanSettings, context: Context) -> tuple[GanSettings, Form]:
    where = f"{context.where}.gan"
    form = context.check_data(f"{where}.data", gan.data)
    gan = shaped(gan, form, where, context)
    family = gan.family or GanFamily.DCGAN
    if gan.conditional and not form.classes:
        raise InvalidRequest(f"{where}.conditional", "the data has no classes; a folder needs a sub-folder for each")
    if gan.resolution.bit_count() != 1:
        raise InvalidRequest(f"{where}.resolution", f"{gan.resolution} must be a power of two")
    if gan.batch_size % gan.group:
        raise InvalidRequest(
            f"{where}.batch_size",
            f"{gan.batch_size:,} must be a multiple of {gan.group} with minibatch_deviation, which compares so many",
        )
    gan = _completed_family(gan, OWN[family], where)
    augmentation = gan.augmentation and complete_targets(
        f"{where}.augmentation", gan.augmentation, gan.resolution, form.channels
    )
    rate = gan.learning_rate or DEFAULT_LEARNING_RATES[family]
    completed = replace(
        gan,
        discriminator_width=gan.discriminator_width or gan.width,
        learning_rate=rate,
        discriminator_learning_rate=gan.discriminator_learning_rate or rate,
        penalty=GAMES[gan.loss].default_penalty if gan.penalty is None else gan.penalty,
        augmentation=tuple(augmentation),
    )
    _check_weights(completed, form, where)
    return completed, form


def _check_weights(gan: GanSettings, form: Form, where: str) -> None:
    """Raises InvalidRequest for players that are larger than can be trained."""
    weights = count_weights(gan, form.channels, form.classes)
    if weights > MAX_WEIGHTS:
        field, instead = ("discriminator_width", "") if gan.start_from else ("width", ", or a lower resolution")
        raise InvalidRequest(
            f"{where}.{field}",
            f"{getattr(gan, field):,}, at {gan.resolution} px, makes players of {weights:,} weights; at most "
            f"{MAX_WEIGHTS:,} are allowed: take less{instead}",
        )


def _completed_family(gan: GanSettings, own: Collection[str], where: str) -> GanSettings:
    """The settings with what is the family's own, as in the paper of StyleGAN (appendix C); of others it is refused."""
    for name in (*_GROWING, *_STYLES):
        if name not in own and getattr(gan, name) not in (0, None):
            families = " or a ".join(family for family in GanFamily if name in OWN[family])
            raise InvalidRequest(f"{where}.{name}", f"is refused: only a {families} has it, not a {gan.family}")
    if gan.max_width and gan.max_width < gan.width:
        raise InvalidRequest(f"{where}.max_width", f"{gan.max_width:,} must be at least {gan.width:,}, the width")
    completed: dict[str, Any] = {
        "max_width": gan.max_width or max(DEFAULT_MAX_WIDTH, gan.width),
        "w_size": gan.w_size or gan.latent_size,
        "mapping_layers": gan.mapping_layers or DEFAULT_MAPPING_LAYERS,
        "style_mixing": DEFAULT_STYLE_MIXING if gan.style_mixing is None else gan.style_mixing,
    }
    given = {name: value for name, value in completed.items() if name in own}
    return replace(_completed_growth(gan, where), **given)


def _completed_growth(gan: GanSettings, where: str) -> GanSettings:
    """The settings with the steps of each phase, of those that leave some for the full resolution."""
    start, given = gan.progressive_from, max(gan.fade_steps, gan.stable_steps)
    if not start:
        for name in PHASES:
            if getattr(gan, name):
                raise InvalidRequest(
                    f"{where}.{name}", "is refused: only a generator that grows has it; set progressive_from"
                )
        return gan
    if gan.start_from:
        raise InvalidRequest(
            f"{where}.progressive_from", f"is refused with start_from: {gan.start_from!r} has grown; leave it out"
        )
    if start.bit_count() != 1 or start >= gan.resolution:
        raise InvalidRequest(
            f"{where}.progressive_from", f"{start} must be a power of two below {gan.resolution}, the resolution"
        )
    default = given or max(1, gan.steps // (4 * gan.growth.doublings))
    gan = replace(gan, fade_steps=gan.fade_steps or default, stable_steps=gan.stable_steps or default)
    growth = gan.growth
    if growth.grown_at >= gan.steps:
        raise InvalidRequest(
            f"{where}.steps",
            f"{gan.steps:,} must be above {growth.grown_at:,}, the steps in which it grows: {growth.doublings} times "
            f"stable_steps ({growth.stable_steps:,}) and fade_steps ({growth.fade_steps:,})",
        )
    return gan
