"""Makes progan_ptrblck.safetensors: random weights in ptrblck's layout, and what that code draws of them.

git clone https://github.com/ptrblck/prog_gans_pytorch_inference /tmp/peer && git -C /tmp/peer checkout 10c4a2c
PYTHONPATH=/tmp/peer python tests/published/make_progan_ptrblck.py
"""

import math
from pathlib import Path

import torch
from model import Generator, NormConvBlock, NormUpscaleConvBlock, WScaleLayer
from safetensors.torch import save_file
from torch import nn


@torch.no_grad()
def main() -> None:
    torch.manual_seed(0)
    model = Generator()  # of 1024 px, and here of 16
    model.features = nn.Sequential(
        *(NormConvBlock(6, 8, kernel_size=4, padding=3), NormConvBlock(8, 8, kernel_size=3, padding=1)),
        *(NormUpscaleConvBlock(8, 8, kernel_size=3, padding=1), NormConvBlock(8, 8, kernel_size=3, padding=1)),
        *(NormUpscaleConvBlock(8, 4, kernel_size=3, padding=1), NormConvBlock(4, 4, kernel_size=3, padding=1)),
    )
    model.output.conv = nn.Conv2d(4, 3, kernel_size=1, bias=False)
    for block in (*model.features, model.output):
        block.conv.weight.normal_()
        scale: WScaleLayer = block.wscale
        # About what the paper has, but another in each layer, as it is a weight here.
        scale.scale.copy_(torch.rand(1).add(0.5) * math.sqrt(2 / block.conv.weight[0].numel()))
        scale.b.normal_(0.0, 0.3)
    z = torch.randn(3, 6)
    pictures = model(z[:, :, None, None]).contiguous()
    checkpoint = {f"checkpoint/{name}": tensor.contiguous() for name, tensor in model.state_dict().items()}
    path = Path(__file__).with_name("progan_ptrblck.safetensors")
    save_file({**checkpoint, "pictures/1.0": pictures, "z": z}, path)


if __name__ == "__main__":
    main()
