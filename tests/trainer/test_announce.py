"""What is published is told to every server behind a name: real servers, at addresses of their own on one port."""

import socket
from contextlib import ExitStack

import grpc
import pytest

from latentwalk.server.settings import Settings as ServerSettings
from latentwalk.v1 import model_service_pb2, model_service_pb2_grpc
from latentwalk.v1 import training_service_pb2 as pb

NAME = "servers.test"


@pytest.fixture
def hosts(monkeypatch):
    """What the system's table of hosts says beside all that it knows: the addresses of a name."""
    table = {}
    ask = socket.getaddrinfo

    def getaddrinfo(host, *arguments, **options):
        return [found for address in table.get(host, [host]) for found in ask(address, *arguments, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return table


@pytest.fixture
def serve_at(serve_server, artifacts_url):
    """Starts a server of the store at host:port, which serves until the test is over; returns the port."""
    with ExitStack() as stack:

        def start(host, port=0, **settings):
            values = {"store": artifacts_url, "models": ("tiny",), "metrics_address": "", "engine_cache": ""}
            values |= {"engine_seconds": 0.0, "grace_seconds": 0.5}
            return stack.enter_context(serve_server(ServerSettings(address=f"{host}:{port}", **values | settings))).port

        yield start


def loaded_at(host, port, credentials=None):
    """The directions that the server there has loaded, and the version of each."""
    address, options = f"{host}:{port}", [("grpc.default_authority", "localhost")]
    secure = credentials and grpc.secure_channel(address, credentials, options)
    with secure or grpc.insecure_channel(address) as channel:
        stub = model_service_pb2_grpc.ModelServiceStub(channel)
        listed = stub.ListDirections(model_service_pb2.ListDirectionsRequest(model="tiny")).directions
    return {one.name: one.version for one in listed if one.state == model_service_pb2.LOAD_STATE_READY}


@pytest.mark.parametrize("content", [b"\xff\xfe", b"one\ntwo", b"a\0b", "\u00e9".encode()])
def test_a_job_has_published_though_the_token_for_the_servers_is_none_any_more(
    serve_at, make_settings, serve_trainer, tmp_path, content
):
    token = tmp_path / "token"
    token.write_text("one\n")
    address = f"127.0.0.1:{serve_at('127.0.0.1')}"
    with serve_trainer(make_settings(server_address=(address,), server_token=str(token))) as trainer:
        token.write_bytes(content)
        published = published_by(trainer, "axes")
    assert not published.loaded
    assert f"{token} holds no token: it must be one line of printable ASCII" in published.load_error


def published_by(trainer, direction):
    """What a short job has published, as its result tells of it."""
    spec = pb.JobSpec(model="tiny", direction=direction, sefa=pb.SefaSpec(directions=2))
    job = trainer.wait_for_end(trainer.create(spec).id)
    assert job.state == pb.JOB_STATE_SUCCEEDED
    [published] = job.result.artifacts
    return published


def test_all_servers_behind_a_name_load_what_is_published_and_the_name_is_looked_up_each_time(
    make_settings, serve_trainer, serve_at, hosts
):
    port = serve_at("127.0.0.1")
    hosts[NAME] = ["127.0.0.1"]
    with serve_trainer(make_settings(server_address=(f"{NAME}:{port}",))) as trainer:
        assert published_by(trainer, "axes").loaded
        serve_at("127.0.0.2", port)
        hosts[NAME] = ["127.0.0.1", "127.0.0.2"]
        assert loaded_at("127.0.0.2", port) == {"axes": "1"}, "a server that starts later finds it in the store"
        published = published_by(trainer, "axes")
    assert (published.version, published.loaded, published.load_error) == ("2", True, "")
    assert [loaded_at(host, port) for host in hosts[NAME]] == [{"axes": "2"}] * 2


def test_one_that_cannot_be_told_keeps_none_of_the_others_from_it(make_settings, serve_trainer, serve_at, hosts):
    port = serve_at("127.0.0.1")
    serve_at("127.0.0.3", port)
    hosts[NAME] = ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
    addresses = f"{NAME}:{port}", f"nobody.invalid:{port}", f"{'a' * 64}.test:{port}"
    with serve_trainer(make_settings(server_address=addresses)) as trainer:
        published = published_by(trainer, "axes")
    assert loaded_at("127.0.0.1", port) == {"axes": "1"}
    assert loaded_at("127.0.0.3", port) == {"axes": "1"}
    assert not published.loaded
    problems = published.load_error
    assert problems.startswith(f"{NAME}:{port} at 127.0.0.2: UNAVAILABLE: ")
    assert f"; nobody.invalid:{port}: " in problems
    assert "is no name of a host" in problems
    assert "127.0.0.1" not in problems
    assert "127.0.0.3" not in problems


def test_a_server_that_has_addresses_of_two_kinds_and_listens_on_one_is_told_there(
    make_settings, serve_trainer, serve_at, hosts
):
    port = serve_at("127.0.0.1")
    hosts[NAME] = ["::1", "127.0.0.1"]
    with serve_trainer(make_settings(server_address=(f"{NAME}:{port}",))) as trainer:
        published = published_by(trainer, "axes")
    assert (published.loaded, published.load_error) == (True, "")
    assert loaded_at("127.0.0.1", port) == {"axes": "1"}


def test_the_certificate_of_each_server_must_be_for_the_name(make_settings, serve_trainer, serve_at, hosts, authority):
    shown = authority.sign("localhost")
    tls = {"tls_certificate": str(shown.certificate), "tls_key": str(shown.key)}
    port = serve_at("127.0.0.2", **tls)
    serve_at("127.0.0.3", port, **tls)
    hosts["localhost"] = hosts["other.test"] = ["127.0.0.2", "127.0.0.3"]
    guarded = {"server_certificate": str(authority.root)}
    with serve_trainer(make_settings(server_address=(f"localhost:{port}",), **guarded)) as trainer:
        published = published_by(trainer, "axes")
    assert (published.loaded, published.load_error) == (True, "")
    credentials = grpc.ssl_channel_credentials(authority.root.read_bytes())
    assert loaded_at("127.0.0.2", port, credentials) == {"axes": "1"}
    assert loaded_at("127.0.0.3", port, credentials) == {"axes": "1"}
    with serve_trainer(make_settings(server_address=(f"other.test:{port}",), **guarded)) as trainer:
        published = published_by(trainer, "axes")
    assert published.load_error.count("Hostname Verification Check failed") == 2
