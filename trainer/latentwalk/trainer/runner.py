"""The process of one job: `python -m latentwalk.trainer.runner --folder data/jobs/<id>`.

It reads its job from the folder, goes on from the newest checkpoint there, and writes what it has to say as JSON lines
to standard output; its log is standard error. SIGTERM makes it write a checkpoint and leave; it also ends, at once,
when standard input does: so it cannot outlive the service.
"""

import argparse
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import torch
from threadpoolctl import threadpool_limits

from latentwalk.gan.errors import GanError
from latentwalk.trainer.board import Board
from latentwalk.trainer.checkpoint import CheckpointFailed, Checkpoints
from latentwalk.trainer.data import DataRefused
from latentwalk.trainer.jobs.folders import BOARD, CHECKPOINTS, lock, read_assignment
from latentwalk.trainer.loop import Interrupted, NonFinite, Pause, train
from latentwalk.trainer.methods import METHODS
from latentwalk.trainer.publish import Publisher, PublishFailed
from latentwalk.trainer.reports import Ending, Failure, Message, News, Report, Result, Stopped, to_json

Speak: TypeAlias = Callable[[Report], None]

_log = logging.getLogger("latentwalk.runner")


def main(argv: Sequence[str]) -> None:
    """Runs a job to its end, or until it is told to stop; what came of it is its last line."""
    arguments = _parser().parse_args(argv)
    logging.basicConfig(level="INFO", format="%(asctime)s %(levelname)s %(message)s")
    threading.Thread(target=_end_with_the_service, daemon=True).start()
    speak, pause = _voice(), _ear()
    # An orphan of a killed service may still be on its way out.
    with lock(arguments.folder, wait=True), threadpool_limits(arguments.threads):
        torch.set_num_threads(arguments.threads)
        board = Board(arguments.folder / BOARD) if arguments.tensorboard else None
        speak(_ending(arguments.folder, speak, board, pause))


def _ending(folder: Path, speak: Speak, board: Board | None, pause: Pause) -> Ending:
    try:
        return _work(folder, speak, board, pause)
    except Interrupted:
        return Stopped()
    except (GanError, DataRefused, NonFinite, CheckpointFailed, PublishFailed) as error:
        return Failure(str(error))
    except Exception as error:  # noqa: BLE001 - whatever it was, the service must be told
        _log.exception("the job failed")
        return Failure(f"{type(error).__name__}: {error}")


def _work(folder: Path, speak: Speak, board: Board | None, pause: Pause) -> Result:
    job_id, spec, sources = read_assignment(folder)
    _log.info("job %s in process %d: %s", job_id, os.getpid(), spec)
    materials = sources.open()
    method = METHODS[spec.method].prepare(spec, materials)

    def report(news: News) -> None:
        speak(news)
        if board:
            board.hear(news)

    train(method, Checkpoints(folder / CHECKPOINTS), spec.checkpoint_every, report=report, pause=pause)
    result = Publisher(materials.store, job_id, spec).publish(method.outcome(pause))
    for one in result.artifacts:
        speak(Message(f"published {one.kind}/{one.name} version {one.version}"))
    return result


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m latentwalk.trainer.runner", description="Runs one job.")
    parser.add_argument("--folder", type=Path, required=True, help="the folder of the job, with its job.json")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads to compute with (default: 1)")
    parser.add_argument("--tensorboard", action=argparse.BooleanOptionalAction, default=True, help="write for it, too")
    return parser


def _voice() -> Speak:
    """Takes standard output for reports alone: whatever else is printed goes to the log."""
    lines = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1, encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def speak(report: Report) -> None:
        lines.write(json.dumps(to_json(report), allow_nan=False) + "\n")

    return speak


def _ear() -> Pause:
    """From now on SIGTERM is heard at the next pause."""
    told = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: told.set())

    def pause() -> None:
        if told.is_set():
            raise Interrupted

    return pause


def _end_with_the_service() -> None:
    """Ends the process when standard input does. No file is half written then: each is renamed when it is whole."""
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
    sys.stderr.flush()
    # Python would take torch apart first, for a second that whoever stops a job waits for. Every file is whole by now.
    os._exit(0)
