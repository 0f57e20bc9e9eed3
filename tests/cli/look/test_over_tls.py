"""What `latentwalk look` tells of a server behind TLS draws the same picture when it is typed elsewhere."""

import json
import shlex
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from typer.testing import CliRunner

from latentwalk.cli.commands import app
from latentwalk.cli.demo.processes import START_SECONDS, free_address, service
from latentwalk.client import Client, Tls


def test_the_command_has_the_files_of_the_connection(
    authority, start_looking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    shown, own = authority.sign("localhost"), authority.sign("notebook")
    address = free_address()
    files = ["--tls-certificate", str(shown.certificate), "--tls-key", str(shown.key)]
    files += ["--tls-client-ca", str(authority.root)]
    flags = ["--address", address, "--metrics-address=", "--engine-cache=", "--engine-seconds=0", *files]
    with service("latentwalk.server", flags, tmp_path):
        with Client(address, tls=Tls(authority.root, own.certificate, own.key)) as client:
            client.wait_ready(START_SECONDS)
        monkeypatch.chdir(authority.root.parent)
        tls = ["--tls-root", authority.root.name, "--tls-certificate", own.certificate, "--tls-key", own.key]
        _, printed = start_looking("--server", address, *tls, "look", "digits", "--no-browser")
        url = urlsplit(printed)
        with closing(HTTPConnection(str(url.hostname), url.port or 0, timeout=300)) as page:

            def post(path: str, value: object) -> dict[str, str]:
                page.request("POST", url.path + path, json.dumps(value).encode())
                return json.loads(page.getresponse().read())

            viewer = post("viewers", {"encoding": "png"})["viewer"]
            command = post(f"viewers/{viewer}/position", {"seeds": "7", "class_id": 3})["command"]
        monkeypatch.chdir(tmp_path)
        done = CliRunner().invoke(app, shlex.split(command)[1:])
        assert (done.exit_code, done.stdout) == (0, "digits.png: 1 picture\n"), done.output
