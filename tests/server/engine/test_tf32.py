"""Convolutions in TF32 are those that were asked for, of cuDNN."""

import copy

import pytest
import torch
from styled import make_lively
from torch.utils._python_dispatch import TorchDispatchMode

from latentwalk.gan.spec import SPACES, GeneratorSpec
from latentwalk.server.engine.rows import sample_rows, stack
from latentwalk.server.engine.tf32 import Tf32

STYLEGAN2 = GeneratorSpec(
    "stylegan2", 6, 2, 16, 3, {"width": 4, "max_width": 8, "mapping_layers": 2}, spaces=SPACES, layers=6, w_size=5
)


class OnTheCPU(TorchDispatchMode):
    """Takes the convolutions of cuDNN by those of torch, and says which were taken by whom."""

    def __init__(self):
        super().__init__()
        self.groups = {"cudnn": set(), "torch": set()}

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        if operation is torch.ops.aten.cudnn_convolution.default:
            features, kernel, padding, stride, dilation, groups, *how = args
            args = features, kernel, None, stride, padding, dilation, False, [0, 0], groups
        elif operation is torch.ops.aten.cudnn_convolution_transpose.default:
            features, kernel, padding, output_padding, stride, dilation, groups, *how = args
            args = features, kernel, None, stride, padding, dilation, True, output_padding, groups
        elif operation is torch.ops.aten.convolution.default:
            self.groups["torch"].add(args[-1])
            return operation(*args)
        else:
            return operation(*args, **(kwargs or {}))
        assert how == [False, True, True]  # not searched for, with the same bits each time, in TF32
        self.groups["cudnn"].add(groups)
        return torch.ops.aten.convolution.default(*args)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last], ids=str)
@pytest.mark.parametrize("name", ["faces", "stylegan2"])
def test_they_are_taken_by_cudnn_but_for_depthwise_ones(request, name, memory_format):
    generator = make_lively(STYLEGAN2) if name == "stylegan2" else request.getfixturevalue(name)
    form = copy.deepcopy(generator).to(memory_format=memory_format)
    code, condition, _ = stack(sample_rows(generator, 3))
    with torch.no_grad():
        expected = form.draw(code, generator.spec.space, condition)
        with OnTheCPU() as taken, Tf32():
            drawn = form.draw(code, generator.spec.space, condition)
    assert torch.allclose(drawn, expected, atol=1e-6)
    assert taken.groups["cudnn"] == {1}
    assert 1 not in taken.groups["torch"]
