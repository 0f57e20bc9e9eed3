"""Makes biggan.safetensors: random weights in the layout of ajbrock's BigGAN-PyTorch, and what its code draws of them.

    git clone https://github.com/ajbrock/BigGAN-PyTorch /tmp/peer && git -C /tmp/peer checkout 9845943
    PYTHONPATH=/tmp/peer python tests/published/make_biggan.py

The options are those of its launch_BigGAN_bs256x8.sh, but for the sizes.
"""

from pathlib import Path

import torch
from BigGAN import Generator
from safetensors.torch import save_file

CLASSES, WARMING = 4, 12


def main() -> None:
    torch.manual_seed(0)
    sizes = {"G_ch": 4, "dim_z": 12, "shared_dim": 5, "n_classes": CLASSES, "resolution": 32, "G_attn": "16"}
    model = Generator(**sizes, hier=True, G_shared=True, SN_eps=1e-6, BN_eps=1e-5, no_optim=True)
    warm(model)
    checkpoint = {f"checkpoint/{name}": tensor.contiguous() for name, tensor in model.state_dict().items()}
    z, condition = torch.randn(3, model.dim_z), torch.eye(CLASSES)[:3]
    condition[2] = torch.tensor([0.5, 0.25, 0.25, 0.0])
    with torch.no_grad():
        pictures = model(z, condition @ model.shared.weight).contiguous()
    path = Path(__file__).with_name("biggan.safetensors")
    save_file({**checkpoint, "pictures/1.0": pictures, "z": z, "condition": condition}, path)


@torch.no_grad()
def warm(model: Generator) -> None:
    """Finds singular vectors and statistics, and gives what would begin at 0 a part in the picture."""
    weights = model.state_dict()
    weights["blocks.1.1.gamma"].fill_(0.7)
    weights["output_layer.0.gain"].normal_(0.0, 1.5)
    for name, tensor in weights.items():
        if name.endswith(("conv1.bias", "conv2.bias", "conv_sc.bias", "layer.0.bias", "layer.2.bias", "linear.bias")):
            tensor.normal_(0.0, 0.3)
    model.train()
    for _ in range(WARMING):
        model(torch.randn(16, model.dim_z), model.shared(torch.randint(CLASSES, (16,))))
    model.eval()


if __name__ == "__main__":
    main()
