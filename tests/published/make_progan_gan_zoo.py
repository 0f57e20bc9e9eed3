"""Makes progan_gan_zoo.safetensors: random weights of the PGAN of pytorch_GAN_zoo, and what its code draws of them.

git clone https://github.com/facebookresearch/pytorch_GAN_zoo /tmp/peer && git -C /tmp/peer checkout b75dee4
PYTHONPATH=/tmp/peer python tests/published/make_progan_gan_zoo.py
"""

from pathlib import Path

import torch
from models.networks.progressive_conv_net import GNet
from safetensors.torch import save_file


@torch.no_grad()
def main() -> None:
    torch.manual_seed(0)
    model = GNet(dimLatent=6, depthScale0=8)
    for width in (8, 4):
        model.addScale(width)
    for weight in model.parameters():
        if weight.ndim == 1:  # a bias, which begins at 0
            weight.normal_(0.0, 0.3)
    z = torch.randn(3, 6)
    pictures = model(z).contiguous()
    checkpoint = {f"checkpoint/{name}": tensor.contiguous() for name, tensor in model.state_dict().items()}
    path = Path(__file__).with_name("progan_gan_zoo.safetensors")
    save_file({**checkpoint, "pictures/1.0": pictures, "z": z}, path)


if __name__ == "__main__":
    main()
