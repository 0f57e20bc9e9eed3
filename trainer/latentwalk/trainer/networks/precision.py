"""How precisely networks are trained."""

import torch

from latentwalk.gan.processor import has_bf16


def reduced(device: torch.device) -> torch.autocast:
    """Within this context convolutions and products are taken in bfloat16, where the device does that itself.

    The weights stay float32. Measured on one core of an AMD EPYC with AVX-512 BF16, a step of the default GAN at 32 px
    and batch 64 takes 62 ms instead of 110 ms.
    """
    return torch.autocast(device.type, torch.bfloat16, enabled=has_bf16(device))
