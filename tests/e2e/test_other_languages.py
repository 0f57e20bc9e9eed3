"""What docs/serving.md says of clients in other languages is true: a generic one draws a picture."""

import asyncio
import io
import json
import re
import shlex
import sys
from base64 import b64decode
from pathlib import Path

import numpy as np
from PIL import Image

from latentwalk.client import AsyncClient
from latentwalk.server.assembly import serving
from latentwalk.server.settings import Settings

# Beside the Python that runs the tests, whether its folder is on the path or not.
BUF = Path(sys.executable).with_name("buf")
PAGE = (Path(__file__).parents[2] / "docs" / "serving.md").read_text()


async def test_a_client_that_knows_nothing_draws_by_reflection(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (command,) = re.findall(r"^buf curl (.*?)\n```", PAGE, flags=re.DOTALL | re.MULTILINE)
    settings = Settings(address="127.0.0.1:0", metrics_address="", engine_seconds=0, torch_threads=1)
    async with serving(settings) as server, AsyncClient(f"127.0.0.1:{server.port}") as client:
        words = shlex.split(command.replace("\\\n", "").replace("127.0.0.1:50051", f"127.0.0.1:{server.port}"))
        pipe = asyncio.subprocess.PIPE
        curl = await asyncio.create_subprocess_exec(BUF, "curl", *words, stdout=pipe, stderr=pipe)
        told, complaint = await curl.communicate()
        assert curl.returncode == 0, complaint
        (expected,) = await client.generate("digits", seeds=7, classes=3)
    (image,) = json.loads(told)["images"]
    drawn = np.asarray(Image.open(io.BytesIO(b64decode(image["data"]))))
    assert np.abs(drawn.astype(int) - expected.array[..., 0]).max() <= 1
