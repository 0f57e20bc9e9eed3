"""The latent of a given picture: gradient descent on how much the picture of a latent differs from it.

After the projection of Karras et al. 2020 (arXiv:1912.04958, appendix D). Pictures are compared at several scales: on
the coarse ones, shapes that are far apart still pull at each other; and, if a search asks for it, by LPIPS, which needs
a network that is a download.

A search is plain data, and a step a function of it: whoever holds it may go on with it anywhere, at any time.

Shapes: N searches, Z and W lengths of a z and a w, L layers, K classes, C, H, W of a picture.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from latentwalk.gan.generator import Generator
from latentwalk.gan.images import to_uint8
from latentwalk.gan.latents import classes_in_turn, latents_from_seeds
from latentwalk.gan.matching import difference, squared_error
from latentwalk.gan.perceptual import PerceptualError, shrunk

# Adam's learning rate, in deviations of a latent: it rises over the first part of the steps and falls, along half a
# cosine, over the last. All but the rate as in the paper's appendix.
_RATE, _RISING, _FALLING = 0.2, 0.05, 0.25
_FORGETTING = (0.9, 0.999)
_EPSILON = 1e-8
# From so many latents the deviation of w is measured.
_SAMPLES = 1_000


@dataclass(frozen=True, slots=True)
class Scale:
    """Where the codes of a space lie: what is one deviation from the centre is as usual as any other."""

    centre: Tensor
    """The mean of z, 0, or the mean w [W]."""
    deviation: float


def scale_of(generator: Generator, space: str) -> Scale:
    """The scale of z, w or w+ on the generator's device. Raises InvalidLatent for a space that it has not."""
    generator.spec.size_of(space)
    device = generator.device
    if space == "z":
        return Scale(torch.zeros((), device=device), generator.spec.truncation or 1.0)
    z = latents_from_seeds(range(_SAMPLES), generator.spec)
    condition = classes_in_turn(_SAMPLES, generator.spec.classes)
    with torch.no_grad():
        w = generator.encode(z.to(device), "w", None if condition is None else condition.to(device))
    centre = generator.mean_w
    return Scale(centre, float((w - centre).square().mean().sqrt()) or 1.0)  # all alike: any length will do


@dataclass(frozen=True, slots=True)
class Search:
    """A search under way, all on one device."""

    space: str
    """z, w or w+."""
    target: Tensor
    """The given picture, uint8 [H, W, C]."""
    code: Tensor
    """Where it stands: z [Z], w [W] or w+ [L, W], float32."""
    condition: Tensor | None
    """[K], for z; None without classes, and for w and w+."""
    steps: int
    """How many there will be, at least 1."""
    prior: float
    """How strongly the code is held where those of the generator lie: the mean square of one, in deviations, is near 1
    (it lies on a shell, not near the centre), and what is missing to 1, or above, counts squared with this weight."""
    strict: bool = False
    """Whether it takes its steps alone, to be the same to the last bit in any company."""
    lpips: float = 0.0
    """The weight of LPIPS beside the difference of pixels, of values in 0 to 1."""
    mask: Tensor | None = None
    """How much each pixel of the target counts, uint8 [H, W], 255 for in full, of at least one more than 0; None for
    all alike."""
    step: int = 0
    """How many were taken."""
    momentum: Tensor | None = None
    """Adam's mean of the gradients, as the code; None before the first step."""
    energy: Tensor | None = None
    """Adam's mean of their squares."""

    def to(self, device: torch.device) -> "Search":
        """The same on another device."""
        tensors = {field.name: getattr(self, field.name) for field in fields(self)}
        return replace(self, **{name: part.to(device) for name, part in tensors.items() if isinstance(part, Tensor)})


@dataclass(frozen=True, slots=True)
class Look:
    """What a search saw when it took a step."""

    picture: Tensor
    """That of its code before the step, uint8 [H, W, C]."""
    error: float
    """The mean squared difference between it and the target, of values in 0 to 1, over the pixels that count; not
    finite if the picture is not."""
    after: Search
    """The search after the step."""
    lpips: float = 0.0
    """Between the two, of what counts; 0 if the search does not ask for it."""

    @property
    def distance(self) -> float:
        """By which one picture is better than another: the error, and LPIPS by the weight that the search gives it."""
        return self.error + self.after.lpips * self.lpips

    @property
    def is_finite(self) -> bool:
        """Whether there was a picture to see."""
        return math.isfinite(self.distance)

    def to(self, device: torch.device) -> "Look":
        """The same on another device."""
        return replace(self, picture=self.picture.to(device), after=self.after.to(device))


def take_step(
    generator: Generator, searches: Sequence[Search], scale: Scale, perceived: PerceptualError | None = None
) -> list[Look]:
    """One step of each search; all must be of one space, and all or none with a condition.

    What is ``perceived`` is asked for by searches that give it a weight; without any it may be None.

    The generator must be frozen; its noise is that of the weights. A search is moved by its own picture alone, whatever
    others there are.
    """
    targets = torch.stack([search.target for search in searches]).permute(0, 3, 1, 2).float() / 255
    masks = torch.stack([_mask(search) for search in searches])[:, None]
    prior = torch.tensor([search.prior for search in searches], device=targets.device)
    weights = torch.tensor([search.lpips for search in searches], device=targets.device)
    with torch.enable_grad():
        codes = torch.stack([search.code for search in searches]).requires_grad_()
        drawn = generator.draw(codes, searches[0].space, _conditions(searches))
        pictures = _in_unit_range(drawn, generator.spec.range)
        seen = _perceived(perceived, pictures, targets, masks)
        cost = difference(pictures, targets, masks) + weights * seen + prior * _strangeness(codes, scale)
        (gradients,) = torch.autograd.grad(cost.sum(), codes)
    errors = squared_error(pictures.detach().clamp(0, 1), targets, masks).tolist()
    pixels = to_uint8(drawn.detach(), generator.spec.range)
    return [
        Look(picture, error, _moved(search, gradient, scale.deviation), lpips)
        for search, picture, error, gradient, lpips in zip(
            searches, pixels, errors, gradients, seen.tolist(), strict=True
        )
    ]


def _perceived(by: PerceptualError | None, pictures: Tensor, targets: Tensor, masks: Tensor) -> Tensor:
    """LPIPS of pictures in 0 to 1, [N]; 0 without the network."""
    if by is None:
        return torch.zeros(len(pictures), device=pictures.device)
    return by(shrunk(2 * pictures - 1), shrunk(2 * targets - 1), shrunk(masks))


def _mask(search: Search) -> Tensor:
    """[H, W], of 0 to 1."""
    if search.mask is None:
        return torch.ones(search.target.shape[:2], device=search.target.device)
    return search.mask.float() / 255


def _conditions(searches: Sequence[Search]) -> Tensor | None:
    given = [search.condition for search in searches if search.condition is not None]
    return torch.stack(given) if given else None


def _strangeness(codes: Tensor, scale: Scale) -> Tensor:
    """How far the mean square of each code, in deviations, is from 1, squared: [N]."""
    return (((codes - scale.centre) / scale.deviation).square().flatten(1).mean(dim=1) - 1).square()


def _in_unit_range(pictures: Tensor, value_range: tuple[float, float]) -> Tensor:
    black, white = value_range
    return (pictures.float() - black) / (white - black)


def _moved(search: Search, gradient: Tensor, deviation: float) -> Search:
    """A step of Adam (Kingma and Ba 2015, algorithm 1), which takes codes in deviations."""
    step, (keep, keep_energy) = search.step + 1, _FORGETTING
    slope = deviation * gradient
    momentum = torch.zeros_like(slope) if search.momentum is None else search.momentum
    energy = torch.zeros_like(slope) if search.energy is None else search.energy
    momentum = keep * momentum + (1 - keep) * slope
    energy = keep_energy * energy + (1 - keep_energy) * slope.square()
    size = (energy / (1 - keep_energy**step)).sqrt() + _EPSILON
    way = momentum / (1 - keep**step) / size
    code = search.code - deviation * _rate(search.step, search.steps) * way
    return replace(search, code=code, step=step, momentum=momentum, energy=energy)


def _rate(step: int, steps: int) -> float:
    """The learning rate of a step from 0 to steps - 1."""
    done = (step + 1) / (steps + 1)
    falling = 0.5 - 0.5 * math.cos(math.pi * min(1.0, (1 - done) / _FALLING))
    return _RATE * min(1.0, done / _RISING) * falling
