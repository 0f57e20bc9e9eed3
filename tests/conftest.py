"""Certificates, made as people make them: by openssl; and no test fails for the time that it takes, or for nohup."""

import logging
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Fixtures that many examples share hold nothing that one of them changes for the next.
NOT_CHECKED = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
settings.register_profile("patient", deadline=None, suppress_health_check=NOT_CHECKED)
settings.load_profile("patient")


def pytest_configure():
    # What runs under nohup has SIGHUP ignored, and so has all that it starts; the services' own tests are of the rest.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


# Of these, one file may take minutes.
LONGEST = ("trainer", "e2e", "cli", "client", "server")


def pytest_collection_modifyitems(items: list[pytest.Item]):
    """What takes the longest comes first: of those that work side by side, none is left alone with it at the end."""

    def place(item: pytest.Item) -> int:
        root = item.path.relative_to(Path(__file__).parent).parts[0]
        return LONGEST.index(root) if root in LONGEST else len(LONGEST)

    items.sort(key=place)


@pytest.fixture(autouse=True)
def _logs_are_as_they_were():
    """A program that a test runs in this process sets up the logs of the whole process: not for the tests after it."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    root.setLevel(level)
    root.handlers[:] = handlers


def pytest_addoption(parser):
    parser.addoption(
        "--soak-seconds",
        type=float,
        default=60.0,
        help="how long a server is used in every way while its memory is watched",
    )


@dataclass(frozen=True)
class Certificate:
    """A certificate and its key, as files."""

    certificate: Path
    key: Path

    def replace(self, other: "Certificate") -> None:
        """Takes over the content of another, as whoever renews certificates does."""
        for old, new in ((self.certificate, other.certificate), (self.key, other.key)):
            fresh = old.with_suffix(".new")
            shutil.copyfile(new, fresh)
            fresh.replace(old)


class Authority:
    """Signs certificates for this machine; the file of its own one is `root`."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder / name
        self._folder.mkdir()
        self._made = 0
        self.root = self._folder / "root.pem"
        self._key = self._folder / "root.key"
        _openssl("req", "-x509", *_REQUEST, "-subj", f"/CN={name}", "-keyout", self._key, "-out", self.root)

    def sign(self, name: str) -> Certificate:
        """A fresh certificate of that common name, for localhost and 127.0.0.1."""
        self._made += 1
        signed = Certificate(self._folder / f"{self._made}.pem", self._folder / f"{self._made}.key")
        extension = "subjectAltName=DNS:localhost,IP:127.0.0.1"
        signer = ["-CA", self.root, "-CAkey", self._key, "-addext", extension, "-addext", "basicConstraints=CA:FALSE"]
        subject = ["-subj", f"/CN={name}"]
        _openssl("req", "-x509", *_REQUEST, *subject, *signer, "-keyout", signed.key, "-out", signed.certificate)
        return signed


_REQUEST = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"]


def _openssl(*arguments: object) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


@pytest.fixture
def authority_of(tmp_path):
    """A function that makes an authority of that name; skips without openssl."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make certificates")
    return lambda name: Authority(tmp_path, name)


@pytest.fixture
def authority(authority_of) -> Authority:
    """An authority that signs certificates."""
    return authority_of("authority")
