"""The ModelService: says what there is, and lets it come and go."""

import asyncio
from collections.abc import Mapping
from typing import Any

from latentwalk.rpc.errors import InvalidRequest, UnknownDirection, UnknownModel
from latentwalk.rpc.roles import Role
from latentwalk.server.kinds import KINDS
from latentwalk.server.replies import direction_message, model_message, version_message
from latentwalk.server.repository import Repository
from latentwalk.server.stored import Shelves
from latentwalk.server.validation.picks import read_picks
from latentwalk.server.validation.versions import read_kind, read_name, read_version
from latentwalk.v1 import model_service_pb2 as pb
from latentwalk.v1 import model_service_pb2_grpc

SERVICE_NAME = pb.DESCRIPTOR.services_by_name["ModelService"].full_name

ROLES: Mapping[str, Role] = {
    "ListModels": Role.VIEWER,
    "GetModel": Role.VIEWER,
    "LoadModel": Role.OPERATOR,
    "UnloadModel": Role.OPERATOR,
    "ListDirections": Role.VIEWER,
    "GetDirection": Role.VIEWER,
    "LoadDirection": Role.OPERATOR,
    "UnloadDirection": Role.OPERATOR,
    "PickSliders": Role.OPERATOR,
    "ListVersions": Role.VIEWER,
    "DeleteVersion": Role.ADMIN,
}
"""The role that each rpc takes."""


class ModelServicer(model_service_pb2_grpc.ModelServiceServicer):
    """The generators and directions that the server holds, and those it could load."""

    def __init__(self, repository: Repository, shelves: Shelves) -> None:
        self._repository, self._shelves = repository, shelves

    async def ListModels(self, request: pb.ListModelsRequest, context: Any) -> pb.ListModelsResponse:  # noqa: N802
        """Lists the models, by name."""
        return pb.ListModelsResponse(models=[model_message(entry) for entry in await self._repository.models()])

    async def GetModel(self, request: pb.GetModelRequest, context: Any) -> pb.GetModelResponse:  # noqa: N802
        """Describes one model."""
        return pb.GetModelResponse(model=await self._model(request.model))

    async def LoadModel(self, request: pb.LoadModelRequest, context: Any) -> pb.LoadModelResponse:  # noqa: N802
        """Loads a version of a model and swaps it in."""
        _, dropped = await self._repository.load_model(request.model, read_version(request.version))
        return pb.LoadModelResponse(model=await self._model(request.model), dropped_directions=dropped)

    async def UnloadModel(self, request: pb.UnloadModelRequest, context: Any) -> pb.UnloadModelResponse:  # noqa: N802
        """Takes a model out of service."""
        await self._repository.unload_model(request.model)
        return pb.UnloadModelResponse()

    async def ListDirections(  # noqa: N802
        self,
        request: pb.ListDirectionsRequest,
        context: Any,
    ) -> pb.ListDirectionsResponse:
        """Lists the directions of one model, or of all, by name."""
        entries = await self._repository.directions(request.model)
        return pb.ListDirectionsResponse(directions=[direction_message(entry) for entry in entries])

    async def GetDirection(self, request: pb.GetDirectionRequest, context: Any) -> pb.GetDirectionResponse:  # noqa: N802
        """Describes one direction."""
        return pb.GetDirectionResponse(direction=await self._direction(request.model, request.direction))

    async def LoadDirection(  # noqa: N802
        self,
        request: pb.LoadDirectionRequest,
        context: Any,
    ) -> pb.LoadDirectionResponse:
        """Loads a version of a direction for a loaded model."""
        version = read_version(request.version)
        await self._repository.load_direction(request.model, request.direction, version)
        return pb.LoadDirectionResponse(direction=await self._direction(request.model, request.direction))

    async def UnloadDirection(  # noqa: N802
        self,
        request: pb.UnloadDirectionRequest,
        context: Any,
    ) -> pb.UnloadDirectionResponse:
        """Takes a direction out of service."""
        await self._repository.unload_direction(request.model, request.direction)
        return pb.UnloadDirectionResponse()

    async def PickSliders(self, request: pb.PickSlidersRequest, context: Any) -> pb.PickSlidersResponse:  # noqa: N802
        """Publishes sliders of loaded directions as a direction of their own, and loads it."""
        owner = self._repository.model(request.model)
        direction, provenance = await asyncio.to_thread(read_picks, request, owner)
        await self._repository.publish_direction(request.model, direction, provenance)
        return pb.PickSlidersResponse(direction=await self._direction(request.model, direction.name))

    async def ListVersions(self, request: pb.ListVersionsRequest, context: Any) -> pb.ListVersionsResponse:  # noqa: N802
        """Lists what is in the artifact store."""
        kinds = (read_kind(request.kind),) if request.kind else tuple(KINDS)
        versions = await self._shelves.versions(kinds, request.name)
        return pb.ListVersionsResponse(versions=map(version_message, versions))

    async def DeleteVersion(self, request: pb.DeleteVersionRequest, context: Any) -> pb.DeleteVersionResponse:  # noqa: N802
        """Deletes one version from the artifact store."""
        kind, version = read_kind(request.kind), read_version(request.version)
        if version is None:
            raise InvalidRequest("version", "is needed")
        deleted = await self._shelves.delete(kind, read_name(kind, request.name), version)
        return pb.DeleteVersionResponse(deleted=version_message(deleted))

    async def _model(self, name: str) -> pb.Model:
        entries = {entry.model: entry for entry in await self._repository.models()}
        if name not in entries:
            raise UnknownModel(name, sorted(entries))
        return model_message(entries[name])

    async def _direction(self, model: str, name: str) -> pb.Direction:
        if not model:
            raise InvalidRequest("model", "is needed")
        entries = {entry.direction: entry for entry in await self._repository.directions(model)}
        if name not in entries:
            raise UnknownDirection(name, sorted(entries))
        return direction_message(entries[name], whole=True)
