"""Which role each rpc of the server takes."""

import grpc
import pytest

from latentwalk.oip import open_inference_service_pb2
from latentwalk.rpc.roles import Role
from latentwalk.rpc.tokens import sha256_of
from latentwalk.server import generation_servicer, model_servicer, oip_servicer
from latentwalk.v1 import generation_service_pb2, model_service_pb2

TABLES = {
    "GenerationService": (generation_service_pb2, generation_servicer.ROLES),
    "GRPCInferenceService": (open_inference_service_pb2, oip_servicer.ROLES),
    "ModelService": (model_service_pb2, model_servicer.ROLES),
}


@pytest.mark.parametrize("service", TABLES)
def test_every_rpc_has_a_role(service):
    words, roles = TABLES[service]
    assert set(roles) == set(words.DESCRIPTOR.services_by_name[service].methods_by_name)


def test_what_changes_what_others_see_takes_an_operator():
    changing = {name for name, role in model_servicer.ROLES.items() if role is Role.OPERATOR}
    assert {name for name, role in model_servicer.ROLES.items() if role is Role.ADMIN} == {"DeleteVersion"}
    assert changing == {"LoadModel", "UnloadModel", "LoadDirection", "UnloadDirection", "PickSliders"}


async def test_a_viewer_draws_and_an_operator_also_loads(library, serve, tmp_path):
    tokens = tmp_path / "tokens"
    roles = {"v": "viewer", "o": "operator", "t": "trainer", "a": "admin"}
    tokens.write_text("".join(f"{sha256_of(token)} {role}\n" for token, role in roles.items()))
    async with serve(library, tokens=str(tokens)) as server:
        generate = generation_service_pb2.GenerateRequest(model="faces")
        generate.latents.add(seed=1)
        load = model_service_pb2.LoadModelRequest(model="faces")

        async def code(rpc, request, token):
            try:
                await rpc(request, metadata=(("authorization", f"Bearer {token}"),))
            except grpc.aio.AioRpcError as error:
                return error.code().name
            return "OK"

        delete = model_service_pb2.DeleteVersionRequest(kind=2, name="faces/none", version="1")
        for token in "vota":
            assert await code(server.generation.Generate, generate, token) == "OK"
        codes = {token: await code(server.models.LoadModel, load, token) for token in "vota"}
        assert codes == {"v": "PERMISSION_DENIED", "o": "OK", "t": "PERMISSION_DENIED", "a": "OK"}
        codes = {token: await code(server.models.DeleteVersion, delete, token) for token in "vota"}
        assert codes == {**dict.fromkeys("vot", "PERMISSION_DENIED"), "a": "NOT_FOUND"}
