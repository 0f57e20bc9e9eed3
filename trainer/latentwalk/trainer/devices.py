"""The devices that jobs compute on, by name."""

import torch

CPU = torch.device("cpu")


class NoSuchDevice(Exception):
    """Devices were asked for that are not there, or not together."""


def devices_for_jobs(names: str) -> tuple[str, ...]:
    """The devices of names joined by "+", such as "cuda:0+cuda:1"; "auto" is all of CUDA, or the CPU without CUDA.

    Nothing is started on them: what CUDA takes for a process, it takes for those of jobs alone. Raises NoSuchDevice.
    """
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    cuda = tuple(f"cuda:{number}" for number in range(count))
    if names == "auto":
        return cuda or ("cpu",)
    found = tuple("cuda:0" if name == "cuda" else name for name in names.split("+"))
    for name in found:
        if name not in ("cpu", *cuda):
            raise NoSuchDevice(f"devices = {names!r}: there is no {name!r} here, only {', '.join(('cpu', *cuda))}")
    if len(set(found)) < len(found):
        raise NoSuchDevice(f"devices = {names!r}: one is named twice; for more jobs at a time raise concurrency")
    if "cpu" in found and len(found) > 1:
        raise NoSuchDevice(f"devices = {names!r}: the CPU and CUDA do not share jobs; name devices of one kind")
    return found


def settle_on(name: str) -> torch.device:
    """Makes a device that of this process, and has it compute float32 in full.

    Left alone, CUDA takes its convolutions in TF32, with 10 bits after the point: too few to measure with.
    """
    device = torch.device(name)
    if device.type == "cuda":
        torch.cuda.set_device(device)
        torch.backends.cudnn.allow_tf32 = False
    return device


def describe(device: torch.device) -> str:
    """What it is, for people: "cpu", or "cuda" and the name of the card."""
    return f"cuda {torch.cuda.get_device_name(device)}" if device.type == "cuda" else device.type
