"""Makes stylegan_rosinality.safetensors: random weights in the layout of rosinality's code, and what it draws of them.

    git clone https://github.com/rosinality/style-based-gan-pytorch /tmp/peer && git -C /tmp/peer checkout 07fa60b
    PYTHONPATH=/tmp/peer python tests/published/make_stylegan_rosinality.py

As if grown to 32 px of 64, and doubled and convolved at once from 16 px on; there these are 1024 and 128.
"""

from itertools import pairwise
from pathlib import Path

import torch
from model import EqualConv2d, StyledConvBlock, StyledGenerator
from safetensors.torch import save_file
from torch import nn

WIDTHS, GROWN, FUSED, SIZE = (8, 8, 8, 4, 2), 3, 2, 7


@torch.no_grad()
def main() -> None:
    torch.manual_seed(0)
    model = StyledGenerator(SIZE, n_mlp=3)
    blocks = [StyledConvBlock(8, 8, style_dim=SIZE, initial=True)]
    for rung, (inputs, outputs) in enumerate(pairwise(WIDTHS), start=1):
        blocks.append(StyledConvBlock(inputs, outputs, style_dim=SIZE, upsample=True, fused=rung >= FUSED))
    model.generator.progression = nn.ModuleList(blocks)
    model.generator.to_rgb = nn.ModuleList(EqualConv2d(width, 3, 1) for width in WIDTHS)
    for name, weight in model.named_parameters():
        if not name.startswith(("generator.progression.4", "generator.to_rgb.4")) and weight.numel() < 64:
            weight.add_(torch.randn_like(weight) * 0.3)
    z = torch.randn(3, SIZE)
    noise = [torch.randn(3, 1, 4 << rung, 4 << rung) for rung in range(GROWN + 1)]
    pictures = model(z, noise=noise, step=GROWN, alpha=1).contiguous()
    checkpoint = {f"checkpoint/{name}": tensor.clone() for name, tensor in model.state_dict().items()}
    both = torch.cat([one.flatten(1) for one in noise for _ in range(2)], dim=1)
    path = Path(__file__).with_name("stylegan_rosinality.safetensors")
    save_file({**checkpoint, "pictures/1.0": pictures, "z": z, "noise": both}, path)


if __name__ == "__main__":
    main()
