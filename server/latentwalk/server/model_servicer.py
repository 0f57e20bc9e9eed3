"""The ModelService: says what there is, and lets it come and go."""

import asyncio
from collections.abc import Mapping
from typing import Any

from latentwalk.gan.artifacts import Kind, Measures, Origin, Source
from latentwalk.gan.artifacts.manifest import check_name
from latentwalk.gan.directions import Calibration, Slider
from latentwalk.gan.errors import GanError
from latentwalk.rpc.errors import InvalidRequest, UnknownDirection, UnknownModel
from latentwalk.rpc.roles import Role
from latentwalk.server.picks import read_picks
from latentwalk.server.repository import Entry, Repository
from latentwalk.server.served import ServedDirection, ServedModel
from latentwalk.server.stored import KINDS, Shelves, Stored
from latentwalk.v1 import artifact_pb2, model_service_pb2_grpc
from latentwalk.v1 import model_service_pb2 as pb

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

_KINDS: Mapping[int, Kind] = {
    artifact_pb2.ARTIFACT_KIND_GENERATOR: "generators",
    artifact_pb2.ARTIFACT_KIND_DIRECTION: "directions",
    artifact_pb2.ARTIFACT_KIND_CLASSIFIER: "classifiers",
}
_KIND_NUMBERS: Mapping[Kind, artifact_pb2.ArtifactKind.ValueType] = {
    kind: artifact_pb2.ArtifactKind.ValueType(number) for number, kind in _KINDS.items()
}


class ModelServicer(model_service_pb2_grpc.ModelServiceServicer):
    """The generators and directions that the server holds, and those it could load."""

    def __init__(self, repository: Repository) -> None:
        self._repository, self._shelves = repository, Shelves(repository)

    async def ListModels(self, request: pb.ListModelsRequest, context: Any) -> pb.ListModelsResponse:  # noqa: N802
        """Lists the models, by name."""
        return pb.ListModelsResponse(models=[_model(entry) for entry in await self._repository.models()])

    async def GetModel(self, request: pb.GetModelRequest, context: Any) -> pb.GetModelResponse:  # noqa: N802
        """Describes one model."""
        return pb.GetModelResponse(model=await self._model(request.model))

    async def LoadModel(self, request: pb.LoadModelRequest, context: Any) -> pb.LoadModelResponse:  # noqa: N802
        """Loads a version of a model and swaps it in."""
        _, dropped = await self._repository.load_model(request.model, _version(request.version))
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
        return pb.ListDirectionsResponse(directions=[_direction(entry) for entry in entries])

    async def GetDirection(self, request: pb.GetDirectionRequest, context: Any) -> pb.GetDirectionResponse:  # noqa: N802
        """Describes one direction."""
        return pb.GetDirectionResponse(direction=await self._direction(request.model, request.direction))

    async def LoadDirection(  # noqa: N802
        self,
        request: pb.LoadDirectionRequest,
        context: Any,
    ) -> pb.LoadDirectionResponse:
        """Loads a version of a direction for a loaded model."""
        version = _version(request.version)
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
        kinds = (_kind(request.kind),) if request.kind else KINDS
        versions = await self._shelves.versions(kinds, request.name)
        return pb.ListVersionsResponse(versions=map(_stored, versions))

    async def DeleteVersion(self, request: pb.DeleteVersionRequest, context: Any) -> pb.DeleteVersionResponse:  # noqa: N802
        """Deletes one version from the artifact store."""
        kind, version = _kind(request.kind), _version(request.version)
        if version is None:
            raise InvalidRequest("version", "is needed")
        try:
            check_name(kind, request.name)
        except GanError as error:
            raise InvalidRequest("name", str(error)) from error
        return pb.DeleteVersionResponse(deleted=_stored(await self._shelves.delete(kind, request.name, version)))

    async def _model(self, name: str) -> pb.Model:
        entries = {entry.model: entry for entry in await self._repository.models()}
        if name not in entries:
            raise UnknownModel(name, sorted(entries))
        return _model(entries[name])

    async def _direction(self, model: str, name: str) -> pb.Direction:
        if not model:
            raise InvalidRequest("model", "is needed")
        entries = {entry.direction: entry for entry in await self._repository.directions(model)}
        if name not in entries:
            raise UnknownDirection(name, sorted(entries))
        entry = entries[name]
        return _direction(entry, Origin() if entry.served is None else entry.served.origin)


def _version(text: str) -> int | None:
    """A version of the wire as one of the store; None for the newest."""
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 19 and int(text) >= 1):
        raise InvalidRequest("version", f"{text!r} must be a whole number from 1 on, or empty for the newest")
    return int(text)


def _kind(number: int) -> Kind:
    if number not in _KINDS:
        raise InvalidRequest("kind", f"{number} is none of GENERATOR (1), DIRECTION (2) and CLASSIFIER (3)")
    return _KINDS[number]


def _stored(stored: Stored) -> pb.StoredVersion:
    message = pb.StoredVersion(
        kind=_KIND_NUMBERS[stored.ref.kind],
        name=stored.ref.name,
        version=str(stored.ref.version),
        size_bytes=stored.size,
        generator_digest=stored.digest,
        loaded=stored.is_served,
        problem=stored.problem,
    )
    if stored.created is not None:
        message.create_time.FromDatetime(stored.created)
    return message


def _state(entry: Entry[ServedModel] | Entry[ServedDirection]) -> pb.LoadState.ValueType:
    if entry.is_loading:
        return pb.LOAD_STATE_LOADING
    return pb.LOAD_STATE_AVAILABLE if entry.served is None else pb.LOAD_STATE_READY


def _model(entry: Entry[ServedModel]) -> pb.Model:
    versions = [str(version) for version in entry.versions]
    served = entry.served
    if served is None:
        return pb.Model(name=entry.model, version=versions[-1], state=_state(entry), versions=versions)
    spec, size = served.spec, served.engine.size
    return pb.Model(
        name=entry.model,
        version=str(served.version),
        state=_state(entry),
        digest=served.digest,
        family=spec.family,
        latent_size=spec.latent_size,
        classes=spec.classes,
        width=size.width,
        height=size.height,
        channels=size.channels,
        spaces=spec.spaces,
        max_rows=served.max_rows,
        max_frames=served.max_frames,
        versions=versions,
        layers=spec.layers,
        w_size=spec.w_size,
        truncation=spec.truncation,
    )


def _direction(entry: Entry[ServedDirection], origin: Origin | None = None) -> pb.Direction:
    """With the origin, which is too long for a list of all."""
    versions = [str(version) for version in entry.versions]
    served = entry.served
    if served is None:
        return pb.Direction(
            model=entry.model,
            name=entry.direction,
            version=versions[-1],
            state=_state(entry),
            versions=versions,
        )
    said = origin or Origin()
    return pb.Direction(
        model=entry.model,
        name=entry.direction,
        version=str(served.version),
        state=_state(entry),
        generator_digest=served.direction.generator_digest,
        space=served.direction.space,
        sliders=[
            _slider(slider, said.of_sliders.get(slider.name, {}), said.sources.get(slider.name))
            for slider in served.direction.sliders
        ],
        versions=versions,
        form=served.direction.form,
        layers=served.direction.layers,
        provenance=_provenance(origin) if origin else None,
    )


def _provenance(origin: Origin) -> pb.Provenance:
    provenance = pb.Provenance(
        method=origin.method,
        job=origin.job,
        file=origin.file,
        measures=origin.measures,
        calibration_job=origin.calibration_job,
    )
    if origin.created is not None:
        provenance.create_time.FromDatetime(origin.created)
    return provenance


def _slider(slider: Slider, measures: Measures, source: Source | None) -> pb.Slider:
    return pb.Slider(
        name=slider.name,
        edit=slider.edit,
        unit=slider.unit,
        trained=_range(slider, slider.trained),
        limit=_range(slider, slider.limit),
        class_id=slider.class_id,
        measures=measures,
        calibration=_points(slider.calibration) if slider.calibration else (),
        source=_source(source) if source else None,
    )


def _points(calibration: Calibration) -> list[pb.CalibrationPoint]:
    points = zip(calibration.alphas, calibration.amounts, strict=True)
    return [pb.CalibrationPoint(alpha=alpha, amount=amount) for alpha, amount in points]


def _source(source: Source) -> pb.SliderSource:
    return pb.SliderSource(
        direction=source.direction,
        version=str(source.version),
        slider=source.slider,
        opposite=source.opposite,
        method=source.method,
        job=source.job,
    )


def _range(slider: Slider, ends: tuple[float, float]) -> pb.Range:
    """A range, with its amounts if it has any."""
    low, high = slider.amounts(ends) if slider.edit else (None, None)
    return pb.Range(alpha_low=ends[0], alpha_high=ends[1], amount_low=low, amount_high=high)
