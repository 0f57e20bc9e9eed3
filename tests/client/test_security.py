"""Tokens, roles, limits and TLS, with real certificates."""

import shutil
from hashlib import sha256

import pytest

from latentwalk.client import (
    AsyncClient,
    Client,
    InvalidRequest,
    PermissionDenied,
    RateLimited,
    Tls,
    Unauthenticated,
    Unavailable,
)


def test_without_a_valid_token_nothing_is_told(start_server, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text(sha256(b"open sesame").hexdigest() + "\n")
    address = start_server(tokens=str(tokens)).address
    for token in (None, "guess"):
        with Client(address, token=token) as stranger:
            with pytest.raises(Unauthenticated):
                stranger.models()
            with pytest.raises(Unauthenticated):
                stranger.walk("tiny", "zoom", seeds=1).header()
            stranger.wait_ready(timeout=120)
    with Client(address, token="open sesame") as friend:
        assert friend.models()


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_client_tells_whom_it_calls_and_not_its_token(kind):
    client = kind("gpu-1", trainer_address="gpu-2", token="open sesame")
    assert repr(client) == f"{kind.__name__}('gpu-1', trainer_address='gpu-2')"
    assert "sesame" not in repr(client.connection.options)


async def test_tls_is_checked_against_the_given_root(start_server, authority):
    shown = authority.sign("localhost")
    address = start_server(tls_certificate=str(shown.certificate), tls_key=str(shown.key)).address
    with Client(address, tls=authority.root) as client:
        client.wait_ready(timeout=120)
        assert client.models()
    async with AsyncClient(address, tls=str(authority.root)) as client:
        assert await client.models()
    for tls in (True, False):
        with Client(address, tls=tls, retries=0) as client, pytest.raises(Unavailable):
            client.models()


@pytest.fixture
def guarded(authority, tmp_path):
    """Settings of a service that asks for a client's certificate and a token: "look", "load" or "learn"."""
    shown = authority.sign("localhost")
    roles = {"look": "viewer", "load": "operator", "learn": "trainer"}
    tokens = tmp_path / "tokens"
    tokens.write_text("".join(f"{sha256(token.encode()).hexdigest()} {roles[token]} {token}\n" for token in roles))
    return {
        "tls_certificate": str(shown.certificate),
        "tls_key": str(shown.key),
        "tls_client_ca": str(authority.root),
        "tokens": str(tokens),
    }


async def test_a_client_shows_its_certificate_to_a_server_that_asks_for_one(start_server, authority, guarded):
    address = start_server(**guarded).address
    own = authority.sign("notebook")
    tls = Tls(authority.root, own.certificate, own.key)
    with Client(address, tls=tls, token="look") as client:
        client.wait_ready(timeout=120)
        assert client.models()
        with pytest.raises(PermissionDenied, match="takes the role operator") as caught:
            client.load_model("tiny")
        assert caught.value.role == "operator"
    async with AsyncClient(address, tls=tls, token="load") as client:
        assert (await client.load_model("tiny")).model.name == "tiny"
    with Client(address, tls=authority.root, token="look", retries=0) as client, pytest.raises(Unavailable):
        client.models()


def test_a_certificate_without_its_key_is_refused(authority):
    with pytest.raises(ValueError, match="both certificate and key"):
        Tls(authority.root, certificate="certificate.pem")


def test_a_file_that_is_no_pem_is_told_of_by_name(tmp_path):
    (tmp_path / "root.pem").write_bytes(b"\x30\x82")  # as DER begins
    with Client(tls=tmp_path / "root.pem") as client, pytest.raises(InvalidRequest, match="is no PEM file"):
        client.models()


def test_a_client_that_asks_too_often_is_told_when_to_ask_again_and_can_wait_itself(start_server):
    with Client(start_server(calls_per_second=0.01, calls_burst=1).address) as client:
        client.models()
        with pytest.raises(RateLimited) as caught:
            client.models()
        assert 0 < caught.value.retry_after <= 100
    with Client(start_server(calls_per_second=2.0, calls_burst=1).address, overload_retries=100) as patient:
        for _ in range(3):
            assert patient.models()


def test_a_trainer_behind_the_same_doorway_tells_a_guarded_server(
    start_server, start_trainer, store, authority, guarded, tmp_path
):
    (tmp_path / "token").write_text("load\n")
    guarded["store"] = str(shutil.copytree(store, tmp_path / "store"))
    server = start_server(**guarded)
    trainer = start_trainer(
        **guarded,
        server_address=(server.address,),
        server_certificate=str(authority.root),
        server_token=str(tmp_path / "token"),
    )
    own = authority.sign("notebook")
    options = {"trainer_address": trainer.address, "tls": Tls(authority.root, own.certificate, own.key)}
    small = {"steps": 2, "batch_size": 2, "evaluation_size": 2}
    with Client(server.address, token="look", **options) as viewer:
        viewer.wait_ready(timeout=120)
        with pytest.raises(PermissionDenied, match="takes the role trainer"):
            viewer.train_edit("tiny", "guarded", edits="zoom", **small)
        assert not viewer.jobs().jobs
    with Client(server.address, token="learn", **options) as client:
        result = client.train_edit("tiny", "guarded", edits="zoom", **small).result(timeout=400)
        assert ([one.loaded for one in result.artifacts], result.load_error) == ([True], "")
