"""Logs: one JSON object a line on standard error, with the id of the request that caused it."""

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime

LOG_LEVELS = ("debug", "info", "warning", "error")

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the rpc whose task runs; empty outside of one."""

_FIELDS = "fields"
_encode = json.JSONEncoder(ensure_ascii=False, default=str).encode


def fields(**values: str | float) -> dict[str, dict[str, str | float]]:
    """The `extra` of a log call that adds `values` as keys of their own: `log.info("rpc", extra=fields(code="OK"))`."""
    return {_FIELDS: values}


def configure(level: str = "info") -> None:
    """Sends the logs of the whole process to standard error, from `level` (one of LOG_LEVELS) on.

    Raises ValueError for another level.
    """
    if level not in LOG_LEVELS:
        raise ValueError(f"log level {level!r}: must be one of {', '.join(LOG_LEVELS)}")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    # What no line tells need not be found out for each: "Optimization" in Python's guide to logging.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - as that guide has it
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON: time, level, logger, message, request_id, its fields, and a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """One JSON object without a line break."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if identifier := request_id.get():
            line["request_id"] = identifier
        line |= getattr(record, _FIELDS, {})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return _encode(line)
