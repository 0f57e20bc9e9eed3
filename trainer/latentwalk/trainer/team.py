"""The processes that train one job together, each on its own rows of every batch.

They find one another as those of torchrun do, by RANK and WORLD_SIZE in the environment: at the address it gives, or,
when the first of them has started the others, at a file in the folder of the job.
"""

import logging
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import torch
import torch.distributed as dist
from torch import Tensor

from latentwalk.trainer.seat import ALONE, Seat

_MEETING = ".meeting"

_log = logging.getLogger("latentwalk.runner")


class Parted(Exception):
    """Another process of the job is gone."""


class Unshareable(Exception):
    """The processes cannot share the job: because of its device, or of batches that do not fall into equal parts."""


@dataclass(frozen=True, slots=True)
class Team:
    """What one process knows of all of them; alone, by default. All must ask the same in the same order."""

    seat: Seat = ALONE

    @property
    def leads(self) -> bool:
        """Whether this process speaks for all: it alone reports, writes checkpoints, and publishes."""
        return self.seat.number == 0

    def averages(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """The mean of each tensor, float32, over all processes; without gradients. Raises Parted."""
        if self.seat.of == 1 or not tensors:
            return [tensor.detach() for tensor in tensors]
        flat = torch.cat([tensor.detach().flatten() for tensor in tensors])
        try:
            dist.all_reduce(flat)
        except RuntimeError as error:
            raise Parted(f"process {self.seat.number} of {self.seat.of} has lost the others: {error}") from error
        parts = flat.div_(self.seat.of).split([tensor.numel() for tensor in tensors])
        return [part.view(tensor.shape) for part, tensor in zip(parts, tensors, strict=True)]

    def any(self, own: bool) -> bool:
        """Whether it is so in any of the processes. Raises Parted."""
        return self.averages([torch.tensor(float(own))])[0].item() > 0


SOLO = Team()


def seat_by(environment: Mapping[str, str]) -> Seat:
    """The seat that torchrun, or the first process of a job, has given to this process; the only one without such."""
    return Seat(int(environment.get("RANK", "0")), int(environment.get("WORLD_SIZE", "1")))


def most_processes(batch_size: int, limit: int, group: int = 1) -> int:
    """The most processes, up to a limit, that can share the rows of a batch equally, and no group of rows."""
    return max(number for number in range(1, limit + 1) if number == 1 or batch_size % (number * group) == 0)


def check_shares(method: str, batch_size: int, processes: int, group: int = 1) -> None:
    """Raises Unshareable."""
    if processes > 1 and batch_size % (processes * group):
        grouped = f" in groups of {group}" if group > 1 else ""
        raise Unshareable(
            f"a job of method {method} has {batch_size} rows a step{grouped}, which {processes} processes cannot share "
            f"equally: start {most_processes(batch_size, processes, group)}"
        )


def check_devices(devices: Iterable[str], processes: int) -> None:
    """Raises Unshareable for several processes that would share a job anywhere but on the CPU."""
    others = [device for device in devices if device != "cpu"]
    if processes > 1 and others:
        raise Unshareable(
            f"{processes} processes cannot share a job on {', '.join(others)}, only on the CPU: let one do it "
            "(processes_per_job), or let jobs compute on the CPU (devices)"
        )


def start_fellows(command: Sequence[str], folder: Path, processes: int) -> Team:
    """Starts all processes but the first, which is this one, with ``command``, and joins them.

    They end when this process does. When one of them is killed, so is this one.
    """
    meeting = folder / _MEETING
    meeting.unlink(missing_ok=True)
    for number in range(1, processes):
        place = {"RANK": str(number), "WORLD_SIZE": str(processes)}
        fellow = subprocess.Popen(command, stdin=subprocess.PIPE, env=os.environ | place)
        threading.Thread(target=_fall_with, args=(fellow,), daemon=True).start()
    return join(Seat(0, processes), folder)


def join(seat: Seat, folder: Path) -> Team:
    """Meets the others: where torchrun says, or else in the folder of the job, by the loopback device."""
    if seat.of == 1:
        return Team(seat)
    place = "env://"
    if "MASTER_ADDR" not in os.environ:
        place = f"file://{(folder / _MEETING).absolute()}"
        os.environ.setdefault("GLOO_SOCKET_IFNAME", _loopback())
    dist.init_process_group("gloo", init_method=place, rank=seat.number, world_size=seat.of)
    return Team(seat)


def fall() -> NoReturn:
    """Ends this process as a kill would: whoever has started it starts it again."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("a process lives on after SIGKILL")


def _fall_with(fellow: subprocess.Popen[bytes]) -> None:
    if code := fellow.wait():
        _log.error("process %d of the job has ended with code %d: so does this one", fellow.pid, code)
        fall()


def _loopback() -> str:
    return next(name for _, name in socket.if_nameindex() if name.startswith("lo"))
