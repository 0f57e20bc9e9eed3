"""With a token file, only callers with a token get in."""

import hashlib

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from latentwalk.rpc.interceptors import read_tokens
from latentwalk.rpc.settings import SettingsError


@pytest.fixture
def tokens(tmp_path):
    path = tmp_path / "tokens"
    path.write_text(f"# the notebook\n{hashlib.sha256(b'open sesame').hexdigest()}\n\n")
    return str(path)


@pytest.mark.parametrize("value", ["Bearer open sesame", "bearer open sesame"])
async def test_a_caller_with_a_token_gets_in(running, tokens, value):
    async with running(tokens=tokens) as run:
        assert (await run.unary(metadata=(("authorization", value),))).value == "hello"


@pytest.mark.parametrize(
    "metadata", [(), (("authorization", "Bearer guess"),), (("authorization", "Basic open sesame"),)]
)
async def test_a_caller_without_a_valid_token_does_not(running, tokens, metadata):
    async with running(tokens=tokens) as run:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await run.unary(metadata=metadata)
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
        assert "guess" not in caught.value.details()


async def test_health_checks_need_no_token(running, tokens):
    async with running(tokens=tokens) as run:
        reply = await health_pb2_grpc.HealthStub(run.channel).Check(health_pb2.HealthCheckRequest())
        assert reply.status == health_pb2.HealthCheckResponse.SERVING


@pytest.mark.parametrize(("content", "problem"), [("open sesame\n", "line 1"), ("# nobody\n", "no token")])
def test_a_token_file_that_cannot_be_meant_is_refused(tmp_path, content, problem):
    path = tmp_path / "tokens"
    path.write_text(content)
    with pytest.raises(SettingsError, match=problem):
        read_tokens(path)


def test_a_token_file_that_is_not_there_is_refused_by_name(tmp_path):
    with pytest.raises(SettingsError, match="nowhere cannot be read"):
        read_tokens(tmp_path / "nowhere")
