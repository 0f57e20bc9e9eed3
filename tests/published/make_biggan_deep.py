"""Makes biggan_deep.safetensors: random weights in the published layout, and what the published code draws with them.

    pip install --target /tmp/peer --no-deps pytorch-pretrained-biggan && pip install --target /tmp/peer boto3 requests
    PYTHONPATH=/tmp/peer python tests/published/make_biggan_deep.py

pytorch-pretrained-biggan 0.1.1 (MIT) is the one that was taken. A model fresh from its constructor draws NaN: its
spectral norms know no singular vectors until it has been trained a little, or has at least drawn in training mode.
"""

from pathlib import Path

import torch
from pytorch_pretrained_biggan import BigGAN, BigGANConfig
from pytorch_pretrained_biggan.model import BigGANBatchNorm
from safetensors.torch import save_file

# Whether a block doubles the resolution, and its channels in widths; an attention comes before the third.
LAYERS = [(False, 16, 8), (True, 8, 4), (False, 4, 2), (True, 2, 1)]
TRUNCATIONS = ("0.02", "0.3", "0.4", "0.5", "1.0")
Z, CLASSES, WARMING = 4, 4, 4


def main() -> None:
    torch.manual_seed(0)
    config = BigGANConfig(16, Z, Z, channel_width=4, num_classes=CLASSES, layers=LAYERS, attention_layer_position=2)
    model = BigGAN(config)
    warm(model)
    checkpoint = {f"checkpoint/{name}": tensor.contiguous() for name, tensor in model.state_dict().items()}
    z, condition = torch.randn(3, Z), torch.eye(CLASSES)[:3]
    condition[2] = torch.tensor([0.5, 0.25, 0.25, 0.0])
    with torch.no_grad():
        pictures = {f"pictures/{name}": model(z, condition, float(name)).contiguous() for name in TRUNCATIONS}
    path = Path(__file__).with_name("biggan_deep.safetensors")
    save_file({**checkpoint, **pictures, "z": z, "condition": condition}, path)


@torch.no_grad()
def warm(model: BigGAN) -> None:
    """Finds the singular vectors, and gives each normalisation about the statistics of what it normalises."""
    weights = model.state_dict()
    weights["generator.layers.2.gamma"].fill_(0.7)
    weights["generator.bn.weight"].normal_(0.0, 1.5)
    weights["generator.bn.bias"].normal_(0.0, 0.3)
    hooks = [
        layer.register_forward_pre_hook(calibrate) for layer in model.modules() if isinstance(layer, BigGANBatchNorm)
    ]
    model.train()
    for _ in range(WARMING):
        model(torch.randn(8, Z), torch.softmax(3 * torch.randn(8, CLASSES), dim=1), 1.0)
    for hook in hooks:
        hook.remove()
    model.eval()


def calibrate(layer: BigGANBatchNorm, inputs: tuple[torch.Tensor, ...]) -> None:
    features, means, variances = inputs[0], layer.running_means, layer.running_vars
    means.copy_(features.mean((0, 2, 3)) * (1 + 0.2 * torch.randn_like(means)))
    variances.copy_(features.var((0, 2, 3)) * (1 + 0.2 * torch.randn_like(variances)).clamp(min=0.3))


if __name__ == "__main__":
    main()
