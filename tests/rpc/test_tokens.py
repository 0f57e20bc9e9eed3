"""With a token file, only callers with a token get in, and each only as far as its roles go."""

import asyncio
import hashlib
import logging

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_status import rpc_status

from latentwalk.rpc.caller import caller
from latentwalk.rpc.roles import Role
from latentwalk.rpc.settings import SettingsError
from latentwalk.rpc.tokens import Holder, read_tokens, sha256_of

VIEWER, OPERATOR, TRAINER, ADMIN = Role


@pytest.fixture
def tokens(tmp_path):
    path = tmp_path / "tokens"
    path.write_text(
        f"# who may do what\n{sha256_of('open sesame')}\n\n"
        f"{sha256_of('look')} viewer notebook  # of the office\n"
        f"{sha256_of('load').upper()} operator\n"
        f"{sha256_of('learn')} Trainer,viewer trainer-1\n"
    )
    return path


def bearer(token):
    return (("authorization", f"Bearer {token}"),)


async def code_of(call):
    try:
        if hasattr(call, "__aiter__"):
            async for _ in call:
                pass
        else:
            await call
    except grpc.aio.AioRpcError as error:
        return error.code().name
    return "OK"


@pytest.mark.parametrize("value", ["Bearer open sesame", "bearer open sesame"])
async def test_a_caller_with_a_token_gets_in(running, tokens, value):
    async with running(tokens=str(tokens)) as run:
        assert (await run.unary(metadata=(("authorization", value),))).value == "hello"


@pytest.mark.parametrize(
    "metadata",
    [(), bearer("guess"), (("authorization", "Digest open sesame"),), bearer(sha256_of("open sesame"))],
)
async def test_a_caller_without_a_valid_token_does_not(running, tokens, metadata):
    async with running(tokens=str(tokens)) as run:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await run.unary(metadata=metadata)
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
        assert "guess" not in caught.value.details()


async def test_health_checks_need_no_token(running, tokens):
    async with running(tokens=str(tokens)) as run:
        reply = await health_pb2_grpc.HealthStub(run.channel).Check(health_pb2.HealthCheckRequest())
        assert reply.status == health_pb2.HealthCheckResponse.SERVING


@pytest.mark.parametrize(("token", "code"), [("look", "OK"), ("guess", "UNAUTHENTICATED")])
async def test_reflection_takes_any_valid_token(running, tokens, token, code):
    async with running(tokens=str(tokens)) as run:
        stub = reflection_pb2_grpc.ServerReflectionStub(run.channel)
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        assert await code_of(stub.ServerReflectionInfo(iter([request]), metadata=bearer(token))) == code


# -- roles -----------------------------------------------------------------------------------------------------------

# What each rpc takes stands in conftest; nobody has said what "written" takes.
CALLS = {
    "viewer": lambda run, **options: run.unary(**options),
    "operator": lambda run, **options: run.server_stream(**options),
    "trainer": lambda run, **options: run.client_stream(["a"], **options),
    "unsaid": lambda run, **options: run.server_stream(method="Written", **options),
}


@pytest.mark.parametrize(
    ("token", "allowed"),
    [
        ("open sesame", {"viewer", "operator", "trainer", "unsaid"}),
        ("look", {"viewer"}),
        ("load", {"viewer", "operator", "unsaid"}),
        ("learn", {"viewer", "trainer"}),
    ],
)
async def test_a_caller_may_do_what_its_roles_allow_and_no_more(running, tokens, token, allowed):
    async with running(tokens=str(tokens)) as run:
        codes = {name: await code_of(call(run, metadata=bearer(token))) for name, call in CALLS.items()}
    assert codes == {name: "OK" if name in allowed else "PERMISSION_DENIED" for name in CALLS}


async def test_whoever_lacks_a_role_is_told_which(running, tokens):
    async with running(tokens=str(tokens)) as run:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await run.client_stream(["a"], metadata=bearer("look"))
    info = ErrorInfo()
    assert rpc_status.from_call(caught.value).details[0].Unpack(info)
    assert (info.reason, info.metadata["role"]) == ("PERMISSION_DENIED", "trainer")
    assert caught.value.details() == "test.Echo/ClientStream takes the role trainer; notebook has viewer"


async def test_a_caller_is_known_by_the_name_of_its_token_else_by_its_host(running, tokens, log):
    async def tell(request, context):
        return StringValue(value=caller.get())

    async with running(tokens=str(tokens)) as run:
        run.echo.behaviour = tell
        assert (await run.unary(metadata=bearer("look"))).value == "notebook"
        assert (await run.unary(metadata=bearer("load"))).value == f"token-{sha256_of('load')[:8]}"
    named = [record.fields["caller"] for record in log.records if record.name == "latentwalk.access"]
    assert named == ["notebook", f"token-{sha256_of('load')[:8]}"]
    async with running() as run:
        run.echo.behaviour = tell
        assert (await run.unary()).value == "127.0.0.1"


# -- the file --------------------------------------------------------------------------------------------------------


def test_a_line_is_a_hash_with_roles_and_a_name(tokens):
    assert read_tokens(tokens) == {
        sha256_of("open sesame"): Holder(f"token-{sha256_of('open sesame')[:8]}", (VIEWER, OPERATOR, TRAINER, ADMIN)),
        sha256_of("look"): Holder("notebook", (VIEWER,)),
        sha256_of("load"): Holder(f"token-{sha256_of('load')[:8]}", (VIEWER, OPERATOR)),
        sha256_of("learn"): Holder("trainer-1", (VIEWER, TRAINER)),
    }


HASH = hashlib.sha256(b"x").hexdigest()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("open sesame\n", "line 1"),
        ("# nobody\n", "no token"),
        (f"\n{HASH} owner\n", "line 2"),
        (f"{HASH} viewer,\n", "line 1"),
        (f"{HASH} viewer na/me\n", "line 1"),
        (f"{HASH} viewer name and more\n", "line 1"),
        (f"{HASH[:-1]} viewer\n", "line 1"),
        (f"{HASH} viewer\n{HASH.upper()} operator\n", "line 2: this token stands there twice"),
    ],
)
def test_a_token_file_that_cannot_be_meant_is_refused_and_never_cited(tmp_path, content, problem):
    path = tmp_path / "tokens"
    path.write_text(content)
    with pytest.raises(SettingsError, match=problem) as caught:
        read_tokens(path)
    assert "sesame" not in str(caught.value)
    assert HASH[:-1] not in str(caught.value).lower()


def test_a_token_file_that_is_not_there_is_refused_by_name(tmp_path):
    with pytest.raises(SettingsError, match="nowhere cannot be read"):
        read_tokens(tmp_path / "nowhere")


async def test_a_changed_token_file_counts_without_a_restart_and_a_broken_one_does_not(running, tokens, log):
    async with running(tokens=str(tokens)) as run:

        async def becomes(token, expected):
            async with asyncio.timeout(120):
                while await code_of(run.unary(metadata=bearer(token))) != expected:  # noqa: ASYNC110
                    await asyncio.sleep(0.1)

        await becomes("look", "OK")
        tokens.write_text(f"{sha256_of('new')} viewer\n")
        await becomes("new", "OK")
        await becomes("look", "UNAUTHENTICATED")
        tokens.write_text("look viewer\n")
        async with asyncio.timeout(120):
            while not [record for record in log.records if record.levelno == logging.ERROR]:
                assert await code_of(run.unary(metadata=bearer("new"))) == "OK"
                await asyncio.sleep(0.1)
        assert await code_of(run.unary(metadata=bearer("new"))) == "OK"
        tokens.unlink()
        await asyncio.sleep(1.2)
        assert await code_of(run.unary(metadata=bearer("new"))) == "OK"
