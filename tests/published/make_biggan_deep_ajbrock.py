"""Makes biggan_deep_ajbrock.safetensors: random weights of ajbrock's BigGANdeep, and what its code draws of them.

    git clone https://github.com/ajbrock/BigGAN-PyTorch /tmp/peer && git -C /tmp/peer checkout 9845943
    PYTHONPATH=/tmp/peer python tests/published/make_biggan_deep_ajbrock.py

Its smallest network of 16 times as many channels at 4x4 as at the end draws 128x128; a table of its sizes is replaced
by one for 16x16.
"""

from pathlib import Path

import BigGANdeep
import torch
from safetensors.torch import save_file

CLASSES, WARMING = 4, 12
SIZES = {
    "in_channels": [32, 8],
    "out_channels": [8, 2],
    "upsample": [True, True],
    "resolution": [8, 16],
    "attention": {8: True, 16: False},
}


def main() -> None:
    torch.manual_seed(0)
    BigGANdeep.G_arch = lambda *_: {16: SIZES}
    sizes = {"dim_z": 5, "shared_dim": 5, "n_classes": CLASSES, "resolution": 16}
    model = BigGANdeep.Generator(**sizes, hier=True, G_shared=True, SN_eps=1e-6, BN_eps=1e-5, no_optim=True)
    warm(model)
    checkpoint = {f"checkpoint/{name}": tensor.contiguous() for name, tensor in model.state_dict().items()}
    z, condition = torch.randn(3, model.dim_z), torch.eye(CLASSES)[:3]
    condition[2] = torch.tensor([0.5, 0.25, 0.25, 0.0])
    with torch.no_grad():
        pictures = model(z, condition @ model.shared.weight).contiguous()
    path = Path(__file__).with_name("biggan_deep_ajbrock.safetensors")
    save_file({**checkpoint, "pictures/1.0": pictures, "z": z, "condition": condition}, path)


@torch.no_grad()
def warm(model: BigGANdeep.Generator) -> None:
    """Finds singular vectors and statistics, and gives what would begin at 0 a part in the picture."""
    weights = model.state_dict()
    weights["blocks.1.1.gamma"].fill_(0.7)
    weights["output_layer.0.gain"].normal_(0.0, 1.5)
    for name, tensor in weights.items():
        if name.endswith((*(f"conv{place}.bias" for place in range(1, 5)), "layer.0.bias", "layer.2.bias")):
            tensor.normal_(0.0, 0.3)
    model.train()
    for _ in range(WARMING):
        model(torch.randn(16, model.dim_z), model.shared(torch.randint(CLASSES, (16,))))
    model.eval()


if __name__ == "__main__":
    main()
