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
from latentwalk.server.engine.tf32 import Tf32

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
    if generator.device.type == "cuda":
        _check_precision(precision, generator.device)
    elif precision == torch.float16:
        raise NotApplicable("not on CUDA")
    draw = _as_it_is(copy.deepcopy(generator).to(precision).to(memory_format=memory_format))
    return lambda inputs: draw(inputs.to(precision))


def _in_tf32(generator: Generator, memory_format: torch.memory_format) -> Draw:
    if generator.device.type != "cuda" or torch.version.hip or not has_bf16(generator.device):
        raise NotApplicable("not on CUDA from Ampere on")
    draw = _cast(generator, torch.float32, memory_format)

    def drawn(inputs: Inputs) -> Tensor:
        with torch.inference_mode(mode=False), torch.no_grad(), Tf32():
            return draw(inputs)

    return drawn


def _check_precision(precision: torch.dtype, device: torch.device) -> None:
    """Of the two forms of 16 bits, one is fast on any CUDA device: fp16 up to Turing, from Ampere on bf16, which has
    the range of fp32 and so overflows nowhere.
    """
    if precision == torch.bfloat16 and not has_bf16(device):
        raise NotApplicable(f"{device} does not multiply in bf16")
    if precision == torch.float16 and has_bf16(device):
        raise NotApplicable(f"{device} multiplies as fast in bf16")


def _ladder(generator: Generator, precision: torch.dtype) -> Draw:
    if not isinstance(generator, DCGAN):
        raise NotApplicable("not a dcgan")
    if generator.device.type != "cpu" or not torch.backends.mkldnn.is_available():
        raise NotApplicable("not on a CPU that oneDNN computes on")
    if precision == torch.bfloat16 and not has_bf16():
        raise NotApplicable("oneDNN has no bf16 on this processor")
    ladder = Ladder(generator, precision)
    return lambda inputs: ladder(inputs.code, inputs.condition)


def _compiled(generator: Generator) -> Draw:
    if generator.device.type == "cpu" and not (shutil.which("g++") or shutil.which("clang++")):
        raise NotApplicable("there is no C++ compiler")
    if generator.device.type == "cuda":
        _check_precision(torch.bfloat16, generator.device)
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
    "tf32-channels-last": partial(_in_tf32, memory_format=torch.channels_last),
    "tf32": partial(_in_tf32, memory_format=torch.contiguous_format),
    "fp16-channels-last": partial(_cast, precision=torch.float16, memory_format=torch.channels_last),
    "fp16": partial(_cast, precision=torch.float16, memory_format=torch.contiguous_format),
    "bf16-compiled": _compiled,
}


def worth_trying(seconds: float) -> list[str]:
    """The names of the forms to measure when there is so much time: compiled ones only from two minutes on."""
    return [name for name in VARIANTS if name != "bf16-compiled" or seconds >= _COMPILING_SECONDS]
