"""Makes stylegan3_t.safetensors and stylegan3_r.safetensors: random weights in the layout of NVlabs' code, and what it
draws of them.

    git clone https://github.com/NVlabs/stylegan3 /tmp/peer && git -C /tmp/peer checkout c233a91
    PYTHONPATH=/tmp/peer python tests/published/make_stylegan3.py    # with requests, scipy and setuptools below 81

The options are those of its train.py, but for the sizes; config R has classes.
"""

from pathlib import Path

import torch
from safetensors.torch import save_file
from training.networks_stylegan3 import Generator

CONFIGS = {"t": {}, "r": {"conv_kernel": 1, "use_radial_filters": True}}
CLASSES = {"t": 0, "r": 2}


@torch.no_grad()
def main() -> None:
    for config, options in CONFIGS.items():
        torch.manual_seed(0)
        classes = CLASSES[config]
        sizes = {"z_dim": 6, "w_dim": 7, "img_resolution": 32, "img_channels": 3, "num_layers": 6, "c_dim": classes}
        widths = {"channel_base": 128, "channel_max": 8}
        model = Generator(**sizes, **widths, **options, mapping_kwargs={"num_layers": 2}).eval()
        for name, tensor in model.state_dict().items():
            if name.endswith(("bias", "w_avg")) or ".affine." in name:
                tensor.add_(torch.randn_like(tensor) * 0.3)
            if name.endswith("magnitude_ema"):
                tensor.copy_(torch.rand(()) + 0.5)
        z, condition = torch.randn(3, 6), torch.eye(2)[[0, 1, 1]]
        pictures = model(z, condition[:, :classes]).contiguous()
        tensors = {f"checkpoint/{name}": tensor.clone() for name, tensor in model.state_dict().items()}
        tensors |= {"z": z, "pictures/1.0": pictures} | ({"condition": condition} if classes else {})
        save_file(tensors, Path(__file__).with_name(f"stylegan3_{config}.safetensors"))


if __name__ == "__main__":
    main()
