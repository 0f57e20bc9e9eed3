"""The devices that torch can compute on, by name."""

import platform
from pathlib import Path

import torch

_CPU_INFORMATION = Path("/proc/cpuinfo")


class NoSuchDevice(Exception):
    """A device was asked for that is not there."""


def find_device(name: str) -> torch.device:
    """The device of that name, as torch knows it; "auto" is CUDA where there is one, else the CPU.

    Raises NoSuchDevice.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:
        raise NoSuchDevice(f"device {name!r} cannot be used: {str(error).splitlines()[0]}") from error


def find_devices(names: str) -> tuple[torch.device, ...]:
    """The devices that share each batch: names joined by "+", such as "cuda:0+cuda:1"; "auto" is one. Raises
    NoSuchDevice.
    """
    return tuple(find_device(name) for name in names.split("+"))


def describe_device(device: torch.device) -> str:
    """What the device is, so that another machine's is not taken for it."""
    if device.type == "cuda":
        return f"cuda {torch.cuda.get_device_name(device)}"
    return f"{device.type} {_processor()} {torch.backends.cpu.get_cpu_capability()}"


def _processor() -> str:
    """The processor's own name, where the system tells it."""
    lines = _CPU_INFORMATION.read_text().splitlines() if _CPU_INFORMATION.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())
