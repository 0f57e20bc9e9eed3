"""CUDA as torch simulates it: tensors with a device and a shape, and without numbers. No GPU is needed."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

from latentwalk.gan.generator import Generator


@contextmanager
def fake_cuda(generator: Generator) -> Iterator[Generator]:
    """Within the context, the generator as it would be on CUDA; whatever is made there has no numbers either."""
    there = copy.deepcopy(generator).requires_grad_(requires_grad=False)
    with FakeTensorMode() as mode:
        for module in there.modules():
            for tensors in (module._parameters, module._buffers):
                for name, tensor in tensors.items():
                    tensors[name] = None if tensor is None else mode.from_tensor(tensor).to("cuda")
        yield there


def numbers(*shape: int) -> Tensor:
    """Of a batch of latents or conditions, on CUDA."""
    return torch.empty(*shape, device="cuda")
