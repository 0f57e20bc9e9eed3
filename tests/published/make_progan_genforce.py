"""Makes progan_genforce.safetensors: random weights in the layout of genforce, and what SeFa's code draws of them.

git clone https://github.com/genforce/sefa /tmp/peer && git -C /tmp/peer checkout 0d16060
PYTHONPATH=/tmp/peer python tests/published/make_progan_genforce.py
"""

from pathlib import Path

import torch
from models.pggan_generator import PGGANGenerator
from safetensors.torch import save_file


@torch.no_grad()
def main() -> None:
    torch.manual_seed(0)
    model = PGGANGenerator(16, z_space_dim=6, fmaps_base=64, fmaps_max=8)
    for weight in model.parameters():
        if weight.ndim == 1:  # a bias, which begins at 0
            weight.normal_(0.0, 0.3)
    z = torch.randn(3, 6)
    pictures = model(z)["image"].contiguous()
    checkpoint = {f"checkpoint/{name}": tensor.contiguous() for name, tensor in model.state_dict().items()}
    path = Path(__file__).with_name("progan_genforce.safetensors")
    save_file({**checkpoint, "pictures/1.0": pictures, "z": z}, path)


if __name__ == "__main__":
    main()
