"""The process of one job: forked by the service, or `python -m latentwalk.trainer.runner --folder data/jobs/<id>`.

It reads its job from the folder, goes on from the newest checkpoint there, and writes what it has to say as JSON lines
to standard output; its log is standard error. SIGTERM makes it write a checkpoint and leave; it also ends, at once,
when standard input does, unless that is a terminal or nothing: so it cannot outlive the service.

Several processes train a job together, each on its own rows of every batch: with `--processes N` this one starts the
others; or `torchrun --nproc-per-node N -m latentwalk.trainer.runner --folder ...` starts them all.
"""

import argparse
import json
import logging
import os
import signal
import stat
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NoReturn, TypeAlias

import torch
from threadpoolctl import threadpool_limits

from latentwalk.gan.errors import GanError
from latentwalk.trainer.board import Board
from latentwalk.trainer.checkpoint import CheckpointFailed, Checkpoints
from latentwalk.trainer.data import DataRefused
from latentwalk.trainer.devices import describe, settle_on
from latentwalk.trainer.jobs.folders import BOARD, CHECKPOINTS, lock, read_assignment
from latentwalk.trainer.loop import Interrupted, NonFinite, Pause, train
from latentwalk.trainer.methods import METHODS
from latentwalk.trainer.networks.shared_norm import share_norms
from latentwalk.trainer.publish import Publisher, PublishFailed
from latentwalk.trainer.reports import Ending, Failure, Message, News, Report, Stopped, to_json
from latentwalk.trainer.sharing import Unshareable, check_devices, check_shares, most_processes
from latentwalk.trainer.specs import AnyJobSpec
from latentwalk.trainer.team import TEAM_OF_ONE, Team, TeamBroken, die, join, read_seat, start_team

Speak: TypeAlias = Callable[[Report], None]
Stopping: TypeAlias = Callable[[], bool]
"""Whether this process was told to stop."""

_STDIN, _STDOUT, _STDERR = range(3)

_log = logging.getLogger("latentwalk.runner")


def main(argv: Sequence[str]) -> None:
    """Runs a job to its end, or until it is told to stop; what came of it is its last line."""
    arguments = _parser().parse_args(argv)
    logging.basicConfig(level="INFO", format="%(asctime)s %(levelname)s %(message)s")
    threading.Thread(target=_end_with_the_service, daemon=True).start()
    say, stopping = _reporter(), _stop_at_sigterm()
    leads = read_seat(os.environ).rank == 0
    # An orphan of a killed service may still be on its way out.
    with lock(arguments.folder, wait=True) if leads else nullcontext(), threadpool_limits(arguments.threads):
        torch.set_num_threads(arguments.threads)
        board = Board(arguments.folder / BOARD) if arguments.tensorboard and leads else None
        speak = say if leads else _say_nothing
        speak(_ending(arguments, speak, board, stopping))


def run_forked(
    arguments: Sequence[str], environment: Mapping[str, str], streams: tuple[Connection, Connection, Path]
) -> NoReturn:
    """What `python -m latentwalk.trainer.runner` does, in a process that was forked.

    It gets these standard streams, of which the third is a file to add to, and leads a session of its own: Ctrl-C in
    the terminal of the service must not reach it.
    """
    os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    lifeline, voice, log = streams
    with log.open("ab") as errors:
        for number, stream in enumerate((lifeline, voice, errors)):
            os.dup2(stream.fileno(), number)
    lifeline.close()
    voice.close()
    main(arguments)
    _leave()


def _ending(arguments: argparse.Namespace, speak: Speak, board: Board | None, stopping: Stopping) -> Ending:
    try:
        return _work(arguments, speak, board, stopping)
    except Interrupted:
        return Stopped()
    except TeamBroken:
        _log.exception("this process ends as if killed, too: together they go on from the checkpoint")
        die()
    except (GanError, DataRefused, NonFinite, CheckpointFailed, PublishFailed, Unshareable) as error:
        return Failure(str(error))
    except torch.OutOfMemoryError as error:
        _log.exception("the job failed")
        return Failure(
            f"{arguments.device} has too little memory for the job ({str(error).partition('. ')[0]}): free some and "
            "resume it, or create another one with a smaller batch_size"
        )
    except Exception as error:  # noqa: BLE001 - whatever it was, the service must be told
        _log.exception("the job failed")
        return Failure(f"{type(error).__name__}: {error}")


def _work(arguments: argparse.Namespace, speak: Speak, board: Board | None, stopping: Stopping) -> Ending:
    job_id, spec, sources = read_assignment(arguments.folder)
    team, device = _team(arguments, spec), settle_on(arguments.device)
    place = f"{team.seat}, on {arguments.device}"
    _log.info("job %s in process %d, %s: %s", job_id, os.getpid(), place, spec)
    materials = sources.open(team.seat, device)
    method = METHODS[spec.method].prepare(spec, materials)
    if team.seat.world_size > 1:
        share_norms(method.trained, team)

    def report(news: News) -> None:
        speak(news)
        if board:
            board.hear(news)

    checkpoints = Checkpoints(arguments.folder / CHECKPOINTS)
    pause = _pause(lambda: team.any(stopping()))
    train(method, checkpoints, spec.checkpoint_every, report=report, pause=pause, team=team)
    if not team.leads:
        return Stopped()
    publisher = Publisher(materials.store, job_id, spec, team.seat.world_size, describe(device))
    result = publisher.publish(method.outcome(_pause(stopping)))
    for one in result.artifacts:
        speak(Message(f"published {one.kind}/{one.name} version {one.version}"))
    return result


def _team(arguments: argparse.Namespace, spec: AnyJobSpec) -> Team:
    """The processes of torchrun, or as many, up to those that may be started here, as can share the job's batches."""
    batch_size, group = spec.settings.batch_size, spec.settings.group
    seat = read_seat(os.environ)
    check_devices([arguments.device], max(seat.world_size, arguments.processes))
    if seat.world_size > 1:
        check_shares(spec.method, batch_size, seat.world_size, group)
        return join(seat, arguments.folder)
    processes = most_processes(batch_size, arguments.processes, group)
    if processes == 1:
        return TEAM_OF_ONE
    command = [sys.executable, "-m", "latentwalk.trainer.runner"]
    command += ["--folder", str(arguments.folder), "--threads", str(arguments.threads)]
    return start_team(command, arguments.folder, processes)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m latentwalk.trainer.runner", description="Runs one job.")
    parser.add_argument("--folder", type=Path, required=True, help="the folder of the job, with its job.json")
    parser.add_argument("--device", default="cpu", help="the device to compute on, such as cuda:1 (default: cpu)")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads to compute with (default: 1)")
    parser.add_argument("--processes", type=int, default=1, help="most processes to train it with (default: 1)")
    parser.add_argument("--tensorboard", action=argparse.BooleanOptionalAction, default=True, help="write for it, too")
    return parser


def _reporter() -> Speak:
    """Takes standard output for reports alone: whatever else is printed goes to the log."""
    # What the name of a file has that is no text, and NUL, can neither be kept by every database nor sent.
    lines = os.fdopen(os.dup(_STDOUT), "w", buffering=1, encoding="utf-8", errors="replace")
    os.dup2(_STDERR, _STDOUT)

    def speak(report: Report) -> None:
        said = json.dumps(to_json(report), allow_nan=False, ensure_ascii=False)
        lines.write(said.replace("\\u0000", "?") + "\n")

    return speak


def _say_nothing(report: Report) -> None:
    """Another process speaks for this one."""


def _stop_at_sigterm() -> Stopping:
    """From now on SIGTERM is heard."""
    told = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: told.set())
    return told.is_set


def _pause(stopping: Stopping) -> Pause:
    def pause() -> None:
        if stopping():
            raise Interrupted

    return pause


def _end_with_the_service() -> None:
    """Ends the process when standard input does. No file is half written then: each is renamed when it is whole."""
    if stat.S_ISCHR(os.fstat(_STDIN).st_mode):
        return
    while os.read(_STDIN, 1024):
        pass
    os._exit(1)


def _leave() -> NoReturn:
    """Ends the process. Python would take torch apart first, for a second that whoever stops a job waits for."""
    sys.stderr.flush()
    os._exit(0)  # every file is whole by now


if __name__ == "__main__":
    main(sys.argv[1:])
    _leave()
