"""What a generator can be told besides a latent: truncation and, of a StyleGAN, mixing and noise."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from latentwalk.client._errors import InvalidRequest
from latentwalk.client._numbers import UINT64, number, whole, wholes
from latentwalk.client._values import elements, one_or_several
from latentwalk.v1 import latent_pb2 as pb


@dataclass(frozen=True, slots=True)
class Mix:
    """The style of another latent, a seed and its class, in some layers: 0 is the coarsest; see `Model.layers`.

    In the words of the StyleGAN paper, for any resolution: layers 0 to 3 are coarse (pose, shape), 4 to 7 middle
    (features), and those from 8 on fine (colours, texture).
    """

    seed: int
    layers: Iterable[int]
    class_id: int | None = None
    """For a conditional generator."""
    truncation: float = 1.0
    """As in Style, for this latent alone."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", _listed("layers", self.layers))


@dataclass(frozen=True, slots=True)
class Style:
    """How a generator draws a latent: one with a mapping network all but for `threshold`, which is for the others."""

    truncation: float = 1.0
    """Psi: how much of the distance from the mean w is left, from -2 to 2. 1 is all, 0.7 gives more even pictures, 0 is
    the mean itself."""
    truncated_layers: int | None = None
    """Only the first so many layers are truncated; None for all."""
    mix: Mix | Sequence[Mix] = ()
    """Styles of other latents, in some layers; after truncation."""
    noise: int | Literal["weights", "none"] = "weights"
    """The noise that belongs to the weights, the same for every picture; or drawn for a seed; or none."""
    noise_strength: float = 1.0
    """From 0 to 4: 1 is what the generator was trained with."""
    noise_layers: Iterable[int] | None = None
    """Only these layers are given that noise, 0 is the coarsest, and the others that of the weights; None for all."""
    threshold: float | None = None
    """The truncation of BigGAN, for generators that draw z itself: seeds are normal numbers drawn again until they lie
    within +- this. Above 0, up to 100; 0.5 gives more even pictures than 2. Refused for a z that is given, and for a
    model with a truncation of its own (`Model.truncation`). None for all that the generator was trained with."""

    def __post_init__(self) -> None:
        if self.noise_layers is not None:
            object.__setattr__(self, "noise_layers", _listed("noise_layers", self.noise_layers))


Styles = Style | Sequence[Style]
"""One style for every latent, or one for each."""


def set_styles(latents: Sequence[pb.Latent], styles: Styles | None) -> None:
    """Puts the styles into the latents: one into all, or each into its own."""
    if styles is None:
        return
    each = [styles] * len(latents) if isinstance(styles, Style) else one_or_several("styles", styles, Style)
    if len(each) != len(latents):
        raise InvalidRequest.of(
            "styles", f"{len(each)} styles for {len(latents)} latents; give one for all, or one for each"
        )
    for index, (latent, style) in enumerate(zip(latents, each, strict=True)):
        _set_style(f"styles[{index}]", latent, style)


def _set_style(field: str, latent: pb.Latent, style: Style) -> None:
    _set_truncation(field, latent, style)
    mixed = one_or_several(f"{field}.mix", style.mix, Mix)
    latent.styles.extend(_layer_style(f"{field}.mix[{index}]", mix) for index, mix in enumerate(mixed))
    _set_noise(field, latent, style)


def _set_truncation(field: str, latent: pb.Latent, style: Style) -> None:
    if (psi := number(f"{field}.truncation", style.truncation)) != 1:
        latent.truncation.psi = psi
    if style.truncated_layers is not None:
        if psi == 1:
            raise InvalidRequest.of(f"{field}.truncated_layers", "has no effect without a truncation other than 1")
        latent.truncation.layers = whole(f"{field}.truncated_layers", style.truncated_layers)
    if style.threshold is not None:
        latent.truncation.threshold = number(f"{field}.threshold", style.threshold)


def _set_noise(field: str, latent: pb.Latent, style: Style) -> None:
    noise, strength = _noise(f"{field}.noise", style.noise), number(f"{field}.noise_strength", style.noise_strength)
    if noise == "none":
        if strength != 1:
            raise InvalidRequest.of(f"{field}.noise_strength", 'has no effect on noise "none"')
        latent.noise.strength = 0
    elif noise != "weights" or strength != 1:
        latent.noise.strength = strength
        if isinstance(noise, int):
            latent.noise.seed = noise
    if style.noise_layers is not None:
        if not latent.HasField("noise"):
            raise InvalidRequest.of(f"{field}.noise_layers", "has no effect on the noise of the weights")
        if not (layers := wholes(f"{field}.noise_layers", style.noise_layers)):
            raise InvalidRequest.of(f"{field}.noise_layers", "are none; give at least 1, or None for all")
        latent.noise.layers.extend(layers)


def _listed(field: str, layers: Iterable[int]) -> tuple[int, ...]:
    """All of them: an iterator of layers would be at its end after the first latent."""
    return tuple(elements(field, layers, "a list of whole numbers"))


def _noise(field: str, noise: int | str) -> int | str:
    """A seed, or one of the two words."""
    if not isinstance(noise, str):
        return whole(field, noise, high=UINT64)
    if noise not in ("weights", "none"):
        raise InvalidRequest.of(field, f"{noise!r} is neither 'weights', 'none' nor a seed")
    return noise


def _layer_style(field: str, mix: Mix) -> pb.LayerStyle:
    latent = pb.Latent(seed=whole(f"{field}.seed", mix.seed, high=UINT64))
    if mix.class_id is not None:
        latent.condition.class_id = whole(f"{field}.class_id", mix.class_id)
    if (psi := number(f"{field}.truncation", mix.truncation)) != 1:
        latent.truncation.psi = psi
    return pb.LayerStyle(latent=latent, layers=wholes(f"{field}.layers", mix.layers))
