"""The Open Inference Protocol v2: translates for the GenerationService, and says what there is."""

from collections.abc import Callable, Sequence
from typing import Any

from latentwalk.oip import open_inference_service_pb2 as oip
from latentwalk.oip import open_inference_service_pb2_grpc
from latentwalk.rpc.errors import InvalidRequest, UnknownModel
from latentwalk.rpc.roles import Role
from latentwalk.rpc.version import own_version
from latentwalk.server.generation_servicer import GenerationServicer
from latentwalk.server.repository import Repository
from latentwalk.server.served import ServedModel
from latentwalk.server.validation.inference import (
    generate_request,
    in_the_words_of_the_protocol,
    inputs_of,
    outputs_of,
)
from latentwalk.server.validation.tensors import TensorSpec

SERVICE_NAME = oip.DESCRIPTOR.services_by_name["GRPCInferenceService"].full_name

ROLES = {
    "ServerLive": Role.VIEWER,
    "ServerReady": Role.VIEWER,
    "ModelReady": Role.VIEWER,
    "ServerMetadata": Role.VIEWER,
    "ModelMetadata": Role.VIEWER,
    "ModelInfer": Role.VIEWER,
}
"""The role that each rpc takes."""

_NAME = "latentwalk"


class OipServicer(open_inference_service_pb2_grpc.GRPCInferenceServiceServicer):
    """Generators, as models of standard clients. `is_serving` says whether the server lets requests in."""

    def __init__(self, repository: Repository, generation: GenerationServicer, is_serving: Callable[[], bool]) -> None:
        self._repository = repository
        self._generation = generation
        self._is_serving = is_serving

    async def ServerLive(self, request: oip.ServerLiveRequest, context: Any) -> oip.ServerLiveResponse:  # noqa: N802
        """Whoever answers is alive."""
        return oip.ServerLiveResponse(live=True)

    async def ServerReady(self, request: oip.ServerReadyRequest, context: Any) -> oip.ServerReadyResponse:  # noqa: N802
        """Whether requests are let in."""
        return oip.ServerReadyResponse(ready=self._is_serving())

    async def ModelReady(self, request: oip.ModelReadyRequest, context: Any) -> oip.ModelReadyResponse:  # noqa: N802
        """Whether requests for a model are let in."""
        try:
            self._model(request.name, request.version)
        except UnknownModel:
            return oip.ModelReadyResponse(ready=False)
        return oip.ModelReadyResponse(ready=self._is_serving())

    async def ServerMetadata(  # noqa: N802
        self, request: oip.ServerMetadataRequest, context: Any
    ) -> oip.ServerMetadataResponse:
        """Describes the server."""
        return oip.ServerMetadataResponse(name=_NAME, version=own_version())

    async def ModelMetadata(  # noqa: N802
        self, request: oip.ModelMetadataRequest, context: Any
    ) -> oip.ModelMetadataResponse:
        """Describes a loaded model."""
        model = self._model(request.name, request.version)
        return oip.ModelMetadataResponse(
            name=model.name,
            versions=[str(model.version)],
            platform=f"{_NAME}_{model.spec.family}",
            inputs=_described(inputs_of(model)),
            outputs=_described(outputs_of(model)),
            properties={
                "digest": model.digest,
                "max_batch": str(model.max_rows),
                "directions": ",".join(sorted(model.directions)),
            },
        )

    async def ModelInfer(self, request: oip.ModelInferRequest, context: Any) -> oip.ModelInferResponse:  # noqa: N802
        """Draws pictures."""
        model = self._model(request.model_name, request.model_version)
        translated = generate_request(request, model)
        try:
            reply = await self._generation.Generate(translated, context)
        except InvalidRequest as error:
            raise in_the_words_of_the_protocol(error) from error
        images = oip.ModelInferResponse.InferOutputTensor(
            name="images",
            datatype="UINT8",
            shape=[len(reply.images), reply.images[0].height, reply.images[0].width, reply.images[0].channels],
        )
        return oip.ModelInferResponse(
            model_name=model.name,
            model_version=reply.model_version,
            id=request.id,
            outputs=[images],
            raw_output_contents=[b"".join(image.data for image in reply.images)],
        )

    def _model(self, name: str, version: str) -> ServedModel:
        """The model that serves under that name, if it is of that version, or none was named. Raises UnknownModel."""
        model = self._repository.model(name)
        if version not in ("", str(model.version)):
            raise UnknownModel(name, [str(model.version)], version=version)
        return model


def _described(specs: Sequence[TensorSpec]) -> list[oip.ModelMetadataResponse.TensorMetadata]:
    return [
        oip.ModelMetadataResponse.TensorMetadata(name=spec.name, datatype=spec.datatypes[0], shape=spec.shape)
        for spec in specs
    ]
