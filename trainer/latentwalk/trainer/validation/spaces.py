"""The rules of the latent spaces in which a job works."""

from collections.abc import Sequence

from latentwalk.gan.spec import GeneratorSpec
from latentwalk.rpc.errors import InvalidRequest


def check_space(field: str, space: str, spec: GeneratorSpec, allowed: Sequence[str] = ("z", "w", "w+")) -> None:
    """Raises InvalidRequest for a space that the generator has not, or that the method does not work in."""
    if space not in spec.spaces:
        raise InvalidRequest(field, f"{space!r} is none that the generator has: {', '.join(spec.spaces)}")
    if space not in allowed:
        raise InvalidRequest(field, f"{space!r} is none of {', '.join(allowed)}, in which this method works")


def check_layers(field: str, layers: Sequence[int], spec: GeneratorSpec) -> None:
    """Raises InvalidRequest unless the layers rise, and the generator has them."""
    if layers and not spec.layers:
        raise InvalidRequest(field, "is refused: the generator has no mapping network, and so no layers of w+")
    if list(layers) != sorted(set(layers)) or any(one >= spec.layers for one in layers):
        raise InvalidRequest(field, f"{list(layers)} must rise, and be from 0 to {spec.layers - 1}")
