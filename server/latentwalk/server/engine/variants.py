"""The forms that a generator may serve in, by name. All compute the same function, at different speed and precision."""

import copy
import shutil
from collections.abc import Callable, Mapping
from functools import partial

import torch
from torch import Tensor

from latentwalk.gan.families.dcgan import DCGAN
from latentwalk.gan.generator import Generator
from latentwalk.gan.processor import has_bf16
from latentwalk.server.engine.ladder import Ladder
from latentwalk.server.engine.rows import Inputs

Draw = Callable[[Inputs], Tensor]
"""Inputs, float32 -> pictures [N, C, H, W]; all on the generator's device."""

REFERENCE = "fp32"

# Compiling takes about a minute for each of the first two batch sizes.
_COMPILING_SECONDS = 120.0


class NotApplicable(Exception):
    """This form does not exist for this generator on this device."""


def _as_it_is(generator: Generator) -> Draw:
    space = generator.spec.space
    return lambda inputs: generator.draw(inputs.code, space, inputs.condition, inputs.noise)


def _cast(generator: Generator, precision: torch.dtype, memory_format: torch.memory_format) -> Draw:
    draw = _as_it_is(copy.deepcopy(generator).to(precision).to(memory_format=memory_format))
    return lambda inputs: draw(inputs.to(precision))


def _ladder(generator: Generator, precision: torch.dtype) -> Draw:
    if not isinstance(generator, DCGAN):
        raise NotApplicable("not a dcgan")
    if next(generator.parameters()).device.type != "cpu" or not torch.backends.mkldnn.is_available():
        raise NotApplicable("not on a CPU that oneDNN computes on")
    if precision == torch.bfloat16 and not has_bf16():
        raise NotApplicable("oneDNN has no bf16 on this processor")
    ladder = Ladder(generator, precision)
    return lambda inputs: ladder(inputs.code, inputs.condition)


def _compiled(generator: Generator) -> Draw:
    if next(generator.parameters()).device.type == "cpu" and not (shutil.which("g++") or shutil.which("clang++")):
        raise NotApplicable("there is no C++ compiler")
    form = copy.deepcopy(generator).to(torch.bfloat16).to(memory_format=torch.channels_last)
    compiled = torch.compile(_as_it_is(form), options={"freezing": True})
    return lambda inputs: compiled(inputs.to(torch.bfloat16))


VARIANTS: Mapping[str, Callable[[Generator], Draw]] = {
    # In the order in which they are tried: the reference first, then those that won most often.
    REFERENCE: _as_it_is,
    "bf16-ladder": partial(_ladder, precision=torch.bfloat16),
    "fp32-ladder": partial(_ladder, precision=torch.float32),
    "bf16-channels-last": partial(_cast, precision=torch.bfloat16, memory_format=torch.channels_last),
    "fp32-channels-last": partial(_cast, precision=torch.float32, memory_format=torch.channels_last),
    "bf16": partial(_cast, precision=torch.bfloat16, memory_format=torch.contiguous_format),
    "bf16-compiled": _compiled,
}


def worth_trying(seconds: float) -> list[str]:
    """The names of the forms to measure when there is so much time: compiled ones only from two minutes on."""
    return [name for name in VARIANTS if name != "bf16-compiled" or seconds >= _COMPILING_SECONDS]
