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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import torch
import torch.distributed as dist
from torch import Tensor

from latentwalk.trainer.seat import ONLY_SEAT, Seat

_RENDEZVOUS = ".meeting"

_log = logging.getLogger("latentwalk.runner")


class TeamBroken(Exception):
    """Another process of the job is gone."""


@dataclass(frozen=True, slots=True)
class Team:
    """What one process knows of all of them; alone, by default. All must ask the same in the same order."""

    seat: Seat = ONLY_SEAT

    @property
    def leads(self) -> bool:
        """Whether this process speaks for all: it alone reports, writes checkpoints, and publishes."""
        return self.seat.rank == 0

    def averages(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """The mean of each tensor, float32, over all processes; without gradients. Raises TeamBroken."""
        if self.seat.world_size == 1 or not tensors:
            return [tensor.detach() for tensor in tensors]
        flat = torch.cat([tensor.detach().flatten() for tensor in tensors])
        try:
            dist.all_reduce(flat)
        except RuntimeError as error:
            raise TeamBroken(f"process {self.seat} has lost the others: {error}") from error
        parts = flat.div_(self.seat.world_size).split([tensor.numel() for tensor in tensors])
        return [part.view(tensor.shape) for part, tensor in zip(parts, tensors, strict=True)]

    def any(self, own: bool) -> bool:
        """Whether it is so in any of the processes. Raises TeamBroken."""
        return self.averages([torch.tensor(float(own))])[0].item() > 0


TEAM_OF_ONE = Team()


def read_seat(environment: Mapping[str, str]) -> Seat:
    """The seat that torchrun, or the first process of a job, has given to this process; the only one without such."""
    return Seat(int(environment.get("RANK", "0")), int(environment.get("WORLD_SIZE", "1")))


def start_team(command: Sequence[str], folder: Path, processes: int) -> Team:
    """Starts all processes but the first, which is this one, with ``command``, and joins them.

    They end when this process does. When one of them is killed, so is this one.
    """
    rendezvous = folder / _RENDEZVOUS
    rendezvous.unlink(missing_ok=True)
    for rank in range(1, processes):
        place = {"RANK": str(rank), "WORLD_SIZE": str(processes)}
        other = subprocess.Popen(command, stdin=subprocess.PIPE, env=os.environ | place)
        threading.Thread(target=_die_with, args=(other,), daemon=True).start()
    return join(Seat(0, processes), folder)


def join(seat: Seat, folder: Path) -> Team:
    """Meets the others: where torchrun says, or else in the folder of the job, by the loopback device."""
    if seat.world_size == 1:
        return Team(seat)
    place = "env://"
    if "MASTER_ADDR" not in os.environ:
        place = f"file://{(folder / _RENDEZVOUS).absolute()}"
        os.environ.setdefault("GLOO_SOCKET_IFNAME", _loopback())
    dist.init_process_group("gloo", init_method=place, rank=seat.rank, world_size=seat.world_size)
    return Team(seat)


def die() -> NoReturn:
    """Ends this process as a kill would: whoever has started it starts it again."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("a process lives on after SIGKILL")


def _die_with(other: subprocess.Popen[bytes]) -> None:
    if code := other.wait():
        _log.error("process %d of the job has ended with code %d: so does this one", other.pid, code)
        die()


def _loopback() -> str:
    return next(name for _, name in socket.if_nameindex() if name.startswith("lo"))
