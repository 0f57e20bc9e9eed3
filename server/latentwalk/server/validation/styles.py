"""What only a generator with a mapping network can be asked for: styles of other latents, and noise."""

from collections.abc import Sequence
from dataclasses import dataclass

from latentwalk.rpc.errors import InvalidRequest
from latentwalk.server.engine import Noise
from latentwalk.v1 import latent_pb2

_MOST_STRENGTH = 4.0


@dataclass(frozen=True, slots=True)
class LayerStyle:
    """The style of another latent, in some layers."""

    name: str
    """The field of the other latent."""
    latent: latent_pb2.Latent
    layers: Sequence[int]


def check_unstyled(name: str, latent: latent_pb2.Latent) -> None:
    """Refuses all of this, in the latent of that name."""
    if latent.HasField("noise"):
        raise InvalidRequest(f"{name}.noise", "the generator has no mapping network; leave it out")
    if latent.styles:
        raise InvalidRequest(f"{name}.styles", "the generator has no mapping network; leave them out")


def read_layer_styles(name: str, latent: latent_pb2.Latent, layers: int) -> list[LayerStyle]:
    """The styles that are mixed into a latent; no two of them in one layer."""
    styles: list[LayerStyle] = []
    taken: set[int] = set()
    for index, style in enumerate(latent.styles):
        field = f"{name}.styles[{index}]"
        if not style.layers:
            raise InvalidRequest(f"{field}.layers", "has none; at least 1 is needed")
        for layer in style.layers:
            if layer >= layers:
                raise InvalidRequest(f"{field}.layers", f"{layer} must be from 0 to {layers - 1}")
            if layer in taken:
                raise InvalidRequest(f"{field}.layers", f"{layer} has a style already")
            taken.add(layer)
        if style.latent.styles:
            raise InvalidRequest(f"{field}.latent.styles", "a style has no styles of its own; mix it directly")
        if style.latent.HasField("noise"):
            raise InvalidRequest(f"{field}.latent.noise", "a style has no noise; give it to the latent itself")
        styles.append(LayerStyle(f"{field}.latent", style.latent, list(style.layers)))
    return styles


def read_noise(name: str, latent: latent_pb2.Latent, layers: int, noisy: int) -> Noise | None:
    """The noise of a latent, for a generator of so many layers, the first ``noisy`` of which take some, if any do.

    None for that of the weights, as it is.
    """
    if not latent.HasField("noise"):
        return None
    strength = latent.noise.strength if latent.noise.HasField("strength") else 1.0
    if not 0 <= strength <= _MOST_STRENGTH:
        raise InvalidRequest(f"{name}.noise.strength", f"{strength:g} must be from 0 to {_MOST_STRENGTH:g}")
    seed = latent.noise.seed if latent.noise.HasField("seed") else None
    chosen = tuple(sorted(latent.noise.layers))
    for layer, before in zip(chosen, (None, *chosen), strict=False):
        if layer >= layers:
            raise InvalidRequest(f"{name}.noise.layers", f"{layer} must be from 0 to {layers - 1}")
        if layer == before:
            raise InvalidRequest(f"{name}.noise.layers", f"{layer} is named twice; name it once")
    if noisy and chosen and chosen[0] >= noisy:
        raise InvalidRequest(f"{name}.noise.layers", f"{chosen[0]} takes no noise; name some from 0 to {noisy - 1}")
    return None if seed is None and strength == 1 else Noise(seed, strength, chosen)
