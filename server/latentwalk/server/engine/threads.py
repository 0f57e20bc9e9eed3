"""How many threads torch computes with."""

import os
from pathlib import Path

import torch

_GROUPS = Path("/sys/fs/cgroup")
_OWN_GROUP = Path("/proc/self/cgroup")
_PROCESSORS = Path("/sys/devices/system/cpu")


def use_threads(count: int) -> None:
    """How many threads torch computes with; 0 leaves one core to the event loop, the encoders and the callers.

    torch's threads wait for each other by spinning, so one core too many costs far more than it gives: with a busy
    neighbour on 2 cores, 2 threads took 130 ms for what 1 thread did in 4 ms.
    """
    torch.set_num_threads(count or max(1, usable_cores() - 1))


def usable_cores() -> int:
    """How many cores this process may keep busy: those it is bound to, or less if its control group has a quota.

    Two hardware threads of one core count once, since a matrix product has no use for the second.
    """
    return max(1, min(_bound_cores(), int(_quota())))


def _bound_cores() -> int:
    if not hasattr(os, "sched_getaffinity"):
        return os.cpu_count() or 1
    return len({_siblings(processor) for processor in os.sched_getaffinity(0)})


def _siblings(processor: int) -> str:
    """What the hardware threads of one core have in common; something of its own where the system does not tell."""
    try:
        return (_PROCESSORS / f"cpu{processor}" / "topology" / "thread_siblings_list").read_text().strip()
    except OSError:
        return str(processor)


def _quota() -> float:
    """The fewest cores' worth of time that a control group (version 2) above this process allows; else infinity."""
    try:
        paths = [line.partition("::")[2] for line in _OWN_GROUP.read_text().splitlines() if line.startswith("0::")]
    except OSError:
        return float(os.cpu_count() or 1)
    own = [_GROUPS / path.lstrip("/") for path in paths]
    groups = [group for leaf in own for group in (leaf, *leaf.parents) if group.is_relative_to(_GROUPS)]
    return min((_cores_of(group / "cpu.max") for group in groups), default=float(os.cpu_count() or 1))


def _cores_of(file: Path) -> float:
    """A file `200000 100000` allows 2 cores: so many microseconds in a period of so many; `max` is no limit."""
    try:
        quota, period = file.read_text().split()
        return float(os.cpu_count() or 1) if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError):
        return float(os.cpu_count() or 1)
