"""What the processor at hand computes fast."""

import torch


def has_bf16(device: torch.device | None = None) -> bool:
    """Whether it multiplies in bfloat16 itself; where it does not, that is slower than float32. Default: the CPU."""
    kind = "cpu" if device is None else device.type
    if kind == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if kind != "cpu" or not torch.backends.mkldnn.is_available():
        return False
    return torch.ops.mkldnn._is_mkldnn_bf16_supported()  # noqa: SLF001 - torch says it nowhere else
