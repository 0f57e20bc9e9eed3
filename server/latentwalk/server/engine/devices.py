"""The devices that torch can compute on, by name."""

import platform
from collections.abc import Iterable
from pathlib import Path

import torch

_CPU_INFORMATION = Path("/proc/cpuinfo")


class NoSuchDevice(Exception):
    """A device was asked for that is not there."""


def find_device(name: str) -> torch.device:
    """The device of that name, as torch knows it; "auto" is CUDA where there is one, else the CPU.

    Raises NoSuchDevice, also for one that is there and cannot compute, as a card too old for this torch.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        found = torch.ones(1, device=name)
        float(found)  # only then has it been computed
    except (RuntimeError, AssertionError) as error:
        raise NoSuchDevice(f"device {name!r} cannot be used: {str(error).splitlines()[0]}") from error
    return found.device


def find_devices(names: str) -> tuple[torch.device, ...]:
    """The devices that share each batch: names joined by "+", such as "cuda:0+cuda:1"; "auto" is one. Raises
    NoSuchDevice.
    """
    return tuple(find_device(name) for name in names.split("+"))


def settle_on(devices: Iterable[torch.device]) -> None:
    """Has this process compute float32 in full, and the same to the same bits each time.

    Left alone, CUDA takes its convolutions in TF32, with 10 bits after the point, so that plain fp32, which the other
    forms are measured by, would be none; and some that double a resolution add up in an order that changes.
    """
    if any(device.type == "cuda" for device in devices):
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.deterministic = True


def is_lost(device: torch.device) -> bool:
    """Whether nothing can be computed on it any more in this process, as on CUDA after an illegal access."""
    if device.type != "cuda":
        return False
    try:
        torch.cuda.current_stream(device).synchronize()  # the device as a whole must not be while graphs are recorded
    except (RuntimeError, AssertionError):
        return True
    return False


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
