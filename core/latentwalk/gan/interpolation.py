"""How two latents are blended."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

Curve = Callable[[float | Tensor], Tensor]
"""From t to the latent [..., Z] there; t: from 0 to 1, one number or [N, 1]."""

# The sine of an angle below this is rounding: unit vectors from float32 differ by more, or not at all.
_PARALLEL = 1e-12


def lerp(a: Tensor, b: Tensor, t: float | Tensor) -> Tensor:
    """The straight line from a (t = 0) to b (t = 1). a, b: [..., Z]; t: from 0 to 1, one number or [N, 1]."""
    return torch.lerp(a, b, torch.as_tensor(t, dtype=a.dtype, device=a.device))


def line(a: Tensor, b: Tensor) -> Curve:
    """The straight line from a (t = 0) to b (t = 1), as lerp."""
    return lambda t: lerp(a, b, t)


def slerp(a: Tensor, b: Tensor, t: float | Tensor) -> Tensor:
    """The arc from a (t = 0) to b (t = 1): the angle grows at constant speed, and so does the length.

    a, b: [..., Z]; t: from 0 to 1, one number or [N, 1].
    """
    return arc(a, b)(t)


def arc(a: Tensor, b: Tensor) -> Curve:
    """The arc from a to b, as slerp, with all that does not depend on t computed once.

    After Shoemake, "Animating rotation with quaternion curves" (1985), in an orthonormal frame (u, v) of the
    plane of the arc: length(t) (cos(omega t) u + sin(omega t) v). Nothing is divided by sin(omega), so
    vectors that are parallel, opposite (then some half circle is taken) or zero do no harm.
    """
    p, q = a.double(), b.double()
    p_length, q_length = _length(p), _length(q)
    u = _unit(torch.where(p_length > 0, p, q))
    w = _unit(torch.where(q_length > 0, q, p))
    cosine = (u * w).sum(dim=-1, keepdim=True)
    across = w - cosine * u
    sine = _length(across)
    v = torch.where(sine > _PARALLEL, _unit(across), _perpendicular(u))
    omega = torch.atan2(sine, cosine)

    def at(t: float | Tensor) -> Tensor:
        t = torch.as_tensor(t, dtype=torch.float64, device=a.device)
        between = torch.lerp(p_length, q_length, t) * (torch.cos(omega * t) * u + torch.sin(omega * t) * v)
        # The ends are the very latents that were given, not their roundings.
        return torch.where(t == 0, p, torch.where(t == 1, q, between)).to(a.dtype)

    return at


def _length(x: Tensor) -> Tensor:
    return x.norm(dim=-1, keepdim=True)


def _unit(x: Tensor) -> Tensor:
    """The vectors with length 1; a zero vector stays zero."""
    length = _length(x)
    return x / torch.where(length > 0, length, 1.0)


def _perpendicular(u: Tensor) -> Tensor:
    """A unit vector at right angles to each unit vector u [..., Z]: its least axis, made orthogonal."""
    axis = F.one_hot(u.abs().argmin(dim=-1), u.shape[-1]).to(u.dtype)
    return _unit(axis - (axis * u).sum(dim=-1, keepdim=True) * u)


INTERPOLATIONS: dict[str, Callable[[Tensor, Tensor, float | Tensor], Tensor]] = {"lerp": lerp, "slerp": slerp}
CURVES: dict[str, Callable[[Tensor, Tensor], Curve]] = {"lerp": line, "slerp": arc}
"""The same, for many points between the same two latents."""
