"""What a job says on its way, as TensorBoard reads it: `tensorboard --logdir data/jobs`."""

import base64
import logging
import os
import time
from pathlib import Path
from typing import Any

from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto.event_pb2 import Event, SessionLog  # pyright: ignore[reportAttributeAccessIssue]
from tensorboardX.proto.summary_pb2 import Summary  # pyright: ignore[reportAttributeAccessIssue]

from latentwalk.trainer.reports import Message, News, Progress, Sample

_log = logging.getLogger("latentwalk.board")


class Board:
    """Writes one file a run into the folder. A run that goes on from a checkpoint takes back what came after it.

    A file that cannot be written ends the board, and not the job.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writer: EventsWriter | None = None
        self._broken = False

    def hear(self, news: News) -> None:
        """Shows the numbers of a progress report, and the pictures of a sample."""
        if self._broken or isinstance(news, Message):
            return
        try:
            writer = self._writer = self._writer or self._open(news.step)
            writer.write_event(Event(wall_time=time.time(), step=news.step, summary=_summary(news)))
            writer.flush()
        except OSError as error:
            self._broken = True
            _log.warning("nothing more is written for TensorBoard to %s: %s", self._folder, error)

    def _open(self, step: int) -> EventsWriter:
        self._folder.mkdir(parents=True, exist_ok=True)
        writer = EventsWriter(str(self._folder / "events"), f".{os.getpid()}")
        start = SessionLog(status=SessionLog.START)
        writer.write_event(Event(wall_time=time.time(), step=step, session_log=start))
        return writer


def _summary(news: Progress | Sample) -> Any:
    match news:
        case Progress():
            loss = {} if news.loss is None else {"loss": news.loss}
            terms = {f"terms/{name}": value for name, value in news.terms.items()}
            return Summary(value=[Summary.Value(tag=tag, simple_value=one) for tag, one in (loss | terms).items()])
        case Sample():
            image = Summary.Image(encoded_image_string=base64.b64decode(news.png))
            return Summary(value=[Summary.Value(tag=news.caption, image=image)])
