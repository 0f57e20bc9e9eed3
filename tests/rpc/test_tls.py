"""TLS and mutual TLS, with certificates that are renewed while the service runs."""

import asyncio
import logging
import os
from contextlib import asynccontextmanager

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue

from latentwalk.rpc.caller import caller
from latentwalk.rpc.settings import SettingsError


@asynccontextmanager
async def channel_to(run, root, shown=None):
    """A connection of its own to the service, by a client that trusts `root` and shows a certificate or none."""
    pair = (shown.key.read_bytes(), shown.certificate.read_bytes()) if shown else (None, None)
    credentials = grpc.ssl_channel_credentials(root.read_bytes(), *pair)
    options = [("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.secure_channel(f"localhost:{run.doorway.port}", credentials, options) as channel:
        yield channel


async def answer(run, root, shown=None):
    """What the service says to such a client; its status if it fails."""
    async with channel_to(run, root, shown) as run.channel:
        try:
            return (await run.unary(timeout=60)).value
        except grpc.aio.AioRpcError as error:
            return error.code().name


async def becomes(expected, ask):
    """Asks until the answer is as expected; files are looked at once a second."""
    async with asyncio.timeout(120):
        while await ask() != expected:  # noqa: ASYNC110 - it is on the other side
            await asyncio.sleep(0.2)


def settings(certificate, **more):
    return {"tls_certificate": str(certificate.certificate), "tls_key": str(certificate.key), **more}


async def test_tls_is_spoken_with_a_certificate(running, authority):
    async with running(**settings(authority.sign("localhost"))) as run:
        assert await answer(run, authority.root) == "hello"


async def test_with_an_authority_for_clients_only_those_with_its_certificate_get_in(running, authority, authority_of):
    other = authority_of("other")
    async with running(**settings(authority.sign("localhost"), tls_client_ca=str(authority.root))) as run:
        assert await answer(run, authority.root, authority.sign("notebook")) == "hello"
        assert await answer(run, authority.root) == "UNAVAILABLE"
        assert await answer(run, authority.root, other.sign("notebook")) == "UNAVAILABLE"


async def test_a_client_with_a_certificate_is_called_by_its_common_name(running, authority, log):
    async with running(**settings(authority.sign("localhost"), tls_client_ca=str(authority.root))) as run:

        async def tell(request, context):
            return StringValue(value=caller.get())

        run.echo.behaviour = tell
        assert await answer(run, authority.root, authority.sign("notebook")) == "notebook"
    (record,) = [record for record in log.records if record.name == "latentwalk.access"]
    assert record.fields["caller"] == "notebook"


async def test_a_renewed_certificate_is_shown_to_new_connections_and_old_ones_go_on(running, authority, authority_of):
    shown, other = authority.sign("localhost"), authority_of("other")
    async with running(**settings(shown)) as run, channel_to(run, authority.root) as before:
        run.channel = before
        assert (await run.unary()).value == "hello"
        shown.replace(other.sign("localhost"))
        await becomes("hello", lambda: answer(run, other.root))
        assert await answer(run, authority.root) == "UNAVAILABLE"
        run.channel = before
        assert (await run.unary()).value == "hello"


async def test_another_authority_for_clients_takes_over(running, authority, authority_of, tmp_path):
    other = authority_of("other")
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(authority.root.read_bytes())
    old, new = authority.sign("old"), other.sign("new")
    async with running(**settings(authority.sign("localhost"), tls_client_ca=str(trusted))) as run:
        assert await answer(run, authority.root, new) == "UNAVAILABLE"
        trusted.write_bytes(other.root.read_bytes())
        await becomes("hello", lambda: answer(run, authority.root, new))
        assert await answer(run, authority.root, old) == "UNAVAILABLE"


@pytest.mark.parametrize(
    "damage",
    [lambda path: path.write_text("-----BEGIN NONSENSE-----\n"), lambda path: dead_end_at(path)],
    ids=["nonsense", "a dead end"],
)
async def test_a_broken_new_certificate_leaves_the_old_one_and_is_logged(running, authority, authority_of, log, damage):
    shown, other = authority.sign("localhost"), authority_of("other")
    async with running(**settings(shown)) as run:
        damage(shown.certificate)

        async def logged():
            assert await answer(run, authority.root) == "hello"
            return [record.levelno for record in log.records if record.name == "latentwalk.reloading"]

        await becomes([logging.ERROR], logged)
        shown.replace(other.sign("localhost"))
        await becomes("hello", lambda: answer(run, other.root))


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda shown, other: shown.certificate.unlink(), "tls_certificate .* is not there"),
        (
            lambda shown, other: shown.certificate.write_text("no certificate"),
            "tls_certificate .* holds no certificate",
        ),
        (lambda shown, other: shown.key.write_bytes(other.key.read_bytes()), "tls_key .* is not the key of"),
        (lambda shown, other: shown.key.write_text("no key"), "tls_key .* holds no private key"),
        (lambda shown, other: pipe_at(shown.key), "tls_key .* is no regular file"),
        (lambda shown, other: dead_end_at(shown.key), "tls_key .* cannot be read: File name too long"),
    ],
)
async def test_files_that_cannot_be_used_at_first_are_refused_by_name(running, authority, damage, problem):
    shown = authority.sign("localhost")
    damage(shown, authority.sign("localhost"))
    with pytest.raises(SettingsError, match=problem) as caught:
        async with running(**settings(shown)):
            pass
    assert str(shown.certificate) in str(caught.value) or str(shown.key) in str(caught.value)


def pipe_at(path):
    """Nobody writes into it: who reads it waits for ever."""
    path.unlink()
    os.mkfifo(path)


def dead_end_at(path):
    """The system can say no more of it than that it cannot be looked at, as of a file in another user's folder."""
    path.unlink()
    path.symlink_to("x" * 300)


async def test_an_authority_that_is_none_is_refused_by_name(running, authority, tmp_path):
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(SettingsError, match=r"tls_client_ca .*ca\.pem holds no certificate"):
        async with running(**settings(authority.sign("localhost"), tls_client_ca=str(tmp_path / "ca.pem"))):
            pass
