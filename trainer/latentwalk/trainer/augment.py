"""Real pictures, mirrored or edited before they are shown.

Edited ones are the data of the augmentation baseline (Jahanian et al. 2020, 4.4).
"""

import torch
from torch import Tensor

from latentwalk.gan.spec import GeneratorSpec
from latentwalk.trainer.seat import Dice
from latentwalk.trainer.specs import EditTarget
from latentwalk.trainer.specs.edits import edit_of_target

# Amounts at which it is seen whether an edit looks beyond the border: in steps of which no number turns a square, from
# a whole turn, onto itself, as its ends may.
_LOOKS = 8


class Augmentation:
    """One edit of real pictures, by amounts drawn from its range.

    Where an edit looks beyond the border of a picture, it sees the mean colour of that border, so that a generator has
    no frame to learn. What leaves the range of pictures is clipped, as a generator could not draw it.
    """

    def __init__(self, target: EditTarget, spec: GeneratorSpec) -> None:
        self._edit, self._amounts = edit_of_target(target)[0], target.amounts
        blank = torch.zeros(1, spec.channels, spec.resolution, spec.resolution)
        self._looks_beyond = any(
            not self._edit(blank, amount[None])[1].all() for amount in torch.linspace(*self._amounts, _LOOKS)
        )

    def __call__(self, pictures: Tensor, dice: Dice) -> Tensor:
        """Edits pictures [N, C, H, W] in (-1, 1), each by its own amount."""
        amounts = dice.roll(len(pictures), lambda whole, random: self._edit.draw(whole, *self._amounts, random))
        # An edit fills with 0 what it sees beyond the border: moved to where the border's colour is 0, and back.
        ground = _border(pictures) if self._looks_beyond else pictures.new_zeros(())
        edited, _ = self._edit(pictures - ground, amounts)
        return (edited + ground).clamp_(-1, 1)


def mirrored(pictures: Tensor, dice: Dice) -> Tensor:
    """Half of the pictures [N, C, H, W], as the dice fall, with left and right exchanged."""
    chosen = dice.roll(len(pictures), lambda whole, random: torch.rand(whole, 1, 1, 1, generator=random) < 0.5)
    return torch.where(chosen.to(pictures.device), pictures.flip(3), pictures)


def _border(pictures: Tensor) -> Tensor:
    """The mean colour of the outermost pixels [N, C, 1, 1]."""
    rows, columns = pictures[:, :, [0, -1]].flatten(2), pictures[:, :, :, [0, -1]].flatten(2)
    return torch.cat([rows, columns], dim=2).mean(dim=2)[:, :, None, None]
