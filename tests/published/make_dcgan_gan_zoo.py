"""Makes dcgan_gan_zoo.safetensors: random weights of the DCGAN of pytorch_GAN_zoo, and what its code draws of them.

git clone https://github.com/facebookresearch/pytorch_GAN_zoo /tmp/peer && git -C /tmp/peer checkout b75dee4
PYTHONPATH=/tmp/peer python tests/published/make_dcgan_gan_zoo.py
"""

from pathlib import Path

import torch
from models.networks.DCGAN_nets import GNet
from safetensors.torch import save_file


@torch.no_grad()
def main() -> None:
    torch.manual_seed(0)
    model = GNet(dimLatentVector=6, dimOutput=3, dimModelG=4, depthModel=2)
    for weight in model.parameters():  # which begin so small that all pictures are grey
        weight.normal_(weight.mean().round(), 0.3)
    for _ in range(20):  # in which the batch normalisation sees its own activations
        model(torch.randn(32, 6))
    z = torch.randn(3, 6)
    pictures = model.eval()(z).contiguous()
    checkpoint = {f"checkpoint/{name}": tensor.contiguous() for name, tensor in model.state_dict().items()}
    path = Path(__file__).with_name("dcgan_gan_zoo.safetensors")
    save_file({**checkpoint, "pictures/1.0": pictures, "z": z}, path)


if __name__ == "__main__":
    main()
