"""Logs are lines of JSON on standard error."""

import json
import subprocess
import sys

import pytest

from latentwalk.rpc import logs

PROGRAM = """
import logging
from latentwalk.rpc import logs
logs.configure("info")
logs.request_id.set("abc")
logging.getLogger("a.b").info("two\\nlines of %s", "text", extra=logs.fields(code="OK", seconds=0.5))
logging.getLogger("a.b").debug("not asked for")
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("a.b").exception("failed")
"""


def test_every_record_from_the_level_on_is_one_line_of_json_on_standard_error():
    done = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True)
    first, second = [json.loads(line) for line in done.stderr.splitlines()]
    assert first | {"time": ""} == {
        "time": "",
        "level": "info",
        "logger": "a.b",
        "message": "two\nlines of text",
        "request_id": "abc",
        "code": "OK",
        "seconds": 0.5,
    }
    assert "ZeroDivisionError" in second["traceback"]
    assert done.stdout == ""


def test_an_unknown_level_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="must be one of debug, info, warning, error"):
        logs.configure("shout")
