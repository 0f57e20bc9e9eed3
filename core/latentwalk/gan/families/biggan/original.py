"""BigGAN (Brock, Donahue and Simonyan 2019, arXiv:1809.11096, appendix B), as ajbrock's BigGAN-PyTorch draws it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from latentwalk.gan.errors import GanError
from latentwalk.gan.families.biggan.ajbrock import from_ajbrock
from latentwalk.gan.families.biggan.residual import Normalisation, ResidualBlock
from latentwalk.gan.families.shapes import places_of, tensor_of
from latentwalk.gan.generator import Generator
from latentwalk.gan.spec import GeneratorSpec

_CHANNELS = re.compile(r"[1-9]\d{0,4}( [1-9]\d{0,4}( @)?){1,10}")


class BigGAN(Generator):
    """Residual blocks 4x4 -> 8x8 -> ... -> resolution; the embedded class scales and shifts every layer.

    config: {"channels": of the features at 4x4, 8x8, ..., with @ where an attention follows, such as
    "1536 1536 768 384 192 @ 96" of the published 128x128; "embedding": how many numbers a class becomes;
    "hierarchical": whether z is cut into equal parts, of which the first makes the features at 4x4, and each block is
    told one more beside the class}. A condition may be any mixture: the embedding is linear.
    """

    def __init__(self, spec: GeneratorSpec) -> None:
        super().__init__(spec)
        plan = _plan(spec)
        self._part = plan.part
        self.embedding = nn.Linear(spec.classes, plan.embedding, bias=False)
        self.linear = nn.Linear(plan.part or spec.latent_size, 4 * 4 * plan.blocks[0].inputs)
        self.blocks = nn.ModuleList(
            ResidualBlock(one.inputs, one.outputs, plan.embedding + plan.part, has_attention=one.has_attention)
            for one in plan.blocks
        )
        last = plan.blocks[-1].outputs
        colours = nn.Conv2d(last, spec.channels, 3, padding=1)
        self.output_layer = nn.Sequential(Normalisation(last), nn.ReLU(inplace=True), colours)

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """Pictures [N, C, H, W] in (-1, 1) from z [N, Z] and a condition [N, K]."""
        self.check_condition(condition)
        first, *others = self._parts(z)
        embedded = self.embedding(condition)
        codes = [torch.cat([embedded, part], dim=1) for part in others] or [embedded] * len(self.blocks)
        features = self.linear(first).unflatten(1, (-1, 4, 4))
        for block, code in zip(self.blocks, codes, strict=True):
            features = block(features, code)
        return self.output_layer(features).tanh()

    def first_weights(self) -> Tensor:
        """From z to 4x4 places [4 * 4 * channels, Z]; with a z in parts, also how each block is told its own, below."""
        if not self._part:
            return self.linear.weight
        blocks = [block for block in self.blocks if isinstance(block, ResidualBlock)]
        told = [block.style_weights()[:, self.embedding.out_features :] for block in blocks]
        return torch.block_diag(self.linear.weight, *told)

    def first_features(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """The features at 4x4, [N, 4 * 4 * channels]; of a z in parts they tell the first."""
        self.check_condition(condition)
        return self.linear(self._parts(z)[0])

    def _parts(self, z: Tensor) -> tuple[Tensor, ...]:
        """What the first layer and, of a hierarchical z, each block is told."""
        return z.split(self._part, dim=1) if self._part else (z,)

    @classmethod
    def translate(cls, checkpoint: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """From the layout of ajbrock, or our own. Raises GanError."""
        return from_ajbrock(checkpoint)

    @classmethod
    def infer_spec(cls, state_dict: Mapping[str, Tensor], classes: int = 0) -> GeneratorSpec:
        """Reads the spec off the shapes, classes too.

        Raises GanError naming the first tensor that is missing, unknown or of another shape.
        """
        embedding, found = tensor_of("biggan", state_dict, "embedding.weight", 2).shape
        if classes not in (0, found):
            raise GanError(f"not a biggan of {classes} classes: its embedding knows {found}")
        rows, part = tensor_of("biggan", state_dict, "linear.weight", 2).shape
        code_size = tensor_of("biggan", state_dict, "blocks.0.bn1.gain.weight", 2).shape[1]
        words, blocks = [str(rows // 16)], places_of(state_dict, "blocks")
        for number in blocks:
            outputs = len(tensor_of("biggan", state_dict, f"blocks.{number}.conv1.weight", 4))
            words.append(f"{outputs} @" if f"blocks.{number}.attention.gamma" in state_dict else f"{outputs}")
        is_hierarchical = code_size != embedding
        spec = GeneratorSpec(
            family="biggan",
            latent_size=part * (len(blocks) + 1) if is_hierarchical else part,
            classes=found,
            resolution=4 << len(blocks),
            channels=len(tensor_of("biggan", state_dict, "output_layer.2.weight", 4)),
            config={"channels": " ".join(words), "embedding": embedding, "hierarchical": is_hierarchical},
        )
        cls.check_layout(spec, state_dict)
        return spec


@dataclass(frozen=True, slots=True)
class _Block:
    """One block, which doubles the resolution."""

    inputs: int
    outputs: int
    has_attention: bool


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a config says."""

    blocks: list[_Block]
    embedding: int
    part: int
    """The length of a part of z; 0 if it is not cut."""


def _plan(spec: GeneratorSpec) -> _Plan:
    """The plan of a spec. Raises GanError if it is none of a biggan."""
    words, embedding, hierarchical = (spec.config.get(name) for name in ("channels", "embedding", "hierarchical"))
    if not (isinstance(words, str) and _CHANNELS.fullmatch(words) and type(embedding) is int and embedding > 0):
        raise _malformed(spec)
    if not isinstance(hierarchical, bool) or len(spec.config) != 3:
        raise _malformed(spec)
    found = pairwise(re.findall(r"(\d+)( @)?", words))
    blocks = [_Block(int(inputs), int(outputs), bool(mark)) for (inputs, _), (outputs, mark) in found]
    if spec.resolution != (drawn := 4 << len(blocks)):
        raise GanError(f"resolution of a biggan is {spec.resolution}: its {len(blocks)} blocks draw {drawn}")
    if not spec.classes:
        raise GanError("classes of a biggan are 0: it needs at least 1")
    if hierarchical and spec.latent_size % (len(blocks) + 1):
        raise GanError(f"latent_size of a biggan is {spec.latent_size}: it must be {len(blocks) + 1} equal parts")
    return _Plan(blocks, embedding, spec.latent_size // (len(blocks) + 1) if hierarchical else 0)


def _malformed(spec: GeneratorSpec) -> GanError:
    return GanError(
        f'config of a biggan is {dict(spec.config)}: it must be {{"channels": <such as "64 64 32 @ 16">, '
        '"embedding": <integer above 0>, "hierarchical": <true or false>}'
    )
