"""What the processor at hand computes fast."""

import torch


def has_bf16(device: torch.device | None = None) -> bool:
    """Whether it multiplies in bfloat16 itself; where it does not, that is slower than float32. Default: the CPU."""
    kind = "cpu" if device is None else device.type
    if kind == "cuda":
        with torch.cuda.device(device):  # which another may be
            return torch.cuda.is_bf16_supported(including_emulation=False)
    if kind != "cpu" or not torch.backends.mkldnn.is_available():
        return False
    return torch.ops.mkldnn._is_mkldnn_bf16_supported() and not _emulates_bf16()  # noqa: SLF001 - said nowhere else


def has_matrix_units() -> bool:
    """Whether the CPU multiplies matrices of bfloat16 in tiles (AMX), which needs leave of the system."""
    return torch.cpu._is_amx_tile_supported()  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]


def _emulates_bf16() -> bool:
    """Whether the CPU has AVX-512, on which oneDNN takes bfloat16 on, without the instructions for it."""
    cpu = torch.cpu
    return cpu._is_avx512_supported() and not cpu._is_avx512_bf16_supported()  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
