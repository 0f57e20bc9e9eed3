"""How a BigGAN-deep is laid out: in its config, and in the shapes of its weights."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

from torch import Tensor

from latentwalk.gan.errors import GanError, OutOfRange
from latentwalk.gan.families.shapes import places_of, tensor_of
from latentwalk.gan.spec import GeneratorSpec

MAX_WIDTH = 4_096
FIRST = 16
"""Channels at 4x4, in widths."""

ATTENTION = "@"
_WORDS = re.compile(r"(\d{1,2}\^?|@)( (\d{1,2}\^?|@)){0,63}")
# A block narrows to a quarter inside.
_LEAST_CHANNELS = 4


@dataclass(frozen=True, slots=True)
class Step:
    """What one layer does to channels and places."""

    inputs: int
    outputs: int
    doubles: bool
    is_attention: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """The width, and a word for each layer after 4x4: "8" is a block that gives out 8 widths of channels, "8^" one that
    also doubles the resolution, "@" an attention.

    Raises GanError for blocks that do not fall from 16 widths to 1, and OutOfRange for the width.
    """

    width: int
    words: tuple[str, ...]

    def __post_init__(self) -> None:
        if not 1 <= self.width <= MAX_WIDTH:
            raise OutOfRange("width of a biggan_deep", self.width, 1, MAX_WIDTH)
        sizes = self._sizes
        if sizes[-1] != 1 or any(after > before for before, after in pairwise(sizes)):
            raise GanError(f'blocks of a biggan_deep are "{" ".join(self.words)}": they must fall from {FIRST} to 1')
        if (narrowest := sizes[-2] * self.width) < _LEAST_CHANNELS:
            raise GanError(
                f"width of a biggan_deep is {self.width}: its last block has {narrowest} channels, it needs at least "
                f"{_LEAST_CHANNELS}"
            )

    @classmethod
    def of(cls, spec: GeneratorSpec) -> Self:
        """The plan in the config of a spec. Raises GanError if the spec is not one of a biggan_deep."""
        width, blocks = spec.config.get("width"), spec.config.get("blocks")
        if type(width) is not int or not isinstance(blocks, str) or len(spec.config) != 2:
            raise GanError(
                f"config of a biggan_deep is {dict(spec.config)}: it must be "
                '{"width": <integer>, "blocks": <words such as "16 16^ 8 4^ @ 2 1^">}'
            )
        if not _WORDS.fullmatch(blocks):
            raise GanError(f'blocks of a biggan_deep are "{blocks}": they must be words such as "16 16^ 8 4^ @ 2 1^"')
        plan = cls(width, tuple(blocks.split()))
        if spec.resolution != plan.resolution:
            raise GanError(f"resolution of a biggan_deep is {spec.resolution}: its blocks draw {plan.resolution}")
        return plan

    @classmethod
    def inferred(cls, state_dict: Mapping[str, Tensor]) -> Self:
        """The plan that the shapes show, and what they do not: as in all that was published, every second block doubles
        the resolution. Raises GanError naming a tensor that is missing.
        """
        width = len(tensor_of("biggan_deep", state_dict, "bn.weight", 1))
        words: list[str] = []
        for place in places_of(state_dict, "layers"):
            if f"layers.{place}.gamma" in state_dict:
                words.append(ATTENTION)
            else:
                outputs = len(tensor_of("biggan_deep", state_dict, f"layers.{place}.conv_3.weight", 4)) // max(1, width)
                doubles = (len(words) - words.count(ATTENTION)) % 2 == 1
                words.append(f"{outputs}{'^' if doubles else ''}")
        return cls(width, tuple(words))

    @property
    def config(self) -> dict[str, str | int]:
        """The config of a spec of this plan."""
        return {"width": self.width, "blocks": " ".join(self.words)}

    @property
    def resolution(self) -> int:
        """H and W of the pictures."""
        return 4 << sum(word.endswith("^") for word in self.words)

    def steps(self) -> Iterator[Step]:
        """The layers, with their numbers of channels."""
        inputs = FIRST * self.width
        for word in self.words:
            outputs = inputs if word == ATTENTION else _outputs(word) * self.width
            yield Step(inputs, outputs, word.endswith("^"), word == ATTENTION)
            inputs = outputs

    @property
    def _sizes(self) -> list[int]:
        """The channels from block to block, in widths."""
        return [FIRST, *(_outputs(word) for word in self.words if word != ATTENTION)]


def _outputs(word: str) -> int:
    return int(word.removesuffix("^"))
