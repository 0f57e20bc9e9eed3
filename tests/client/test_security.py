"""Tokens and TLS, with a real certificate."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from latentwalk.client import AsyncClient, Client, Unauthenticated, Unavailable


def test_without_a_valid_token_nothing_is_told(start_server, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text(hashlib.sha256(b"open sesame").hexdigest() + "\n")
    address = start_server(tokens=str(tokens)).address
    for token in (None, "guess"):
        with Client(address, token=token) as stranger:
            with pytest.raises(Unauthenticated):
                stranger.models()
            with pytest.raises(Unauthenticated):
                stranger.walk("tiny", "zoom", seeds=1).header()
            stranger.wait_ready(timeout=20)
    with Client(address, token="open sesame") as friend:
        assert friend.models()


@pytest.fixture
def key_and_certificate(tmp_path) -> tuple[Path, Path]:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
    )
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command.split(), *files], check=True, capture_output=True)
    return key, certificate


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
async def test_tls_is_checked_against_the_given_root(start_server, key_and_certificate):
    key, certificate = key_and_certificate
    address = start_server(tls_certificate=str(certificate), tls_key=str(key)).address
    with Client(address, tls=certificate) as client:
        client.wait_ready(timeout=20)
        assert client.models()
    async with AsyncClient(address, tls=str(certificate)) as client:
        assert await client.models()
    for tls in (True, False):
        with Client(address, tls=tls, retries=0) as client, pytest.raises(Unavailable):
            client.models()
