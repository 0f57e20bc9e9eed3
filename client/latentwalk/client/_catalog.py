"""The verbs of ModelService: what a server holds, and what it could load."""

from collections.abc import Iterable

from latentwalk.client import _rpcs as rpcs
from latentwalk.client._calls import UnaryCall
from latentwalk.client._models import Direction, LoadedModel, Model
from latentwalk.client._options import NOT_SAID, Timeout
from latentwalk.client._picks import SliderPick
from latentwalk.client._values import one_or_several, text
from latentwalk.client._versions import Version, version_text
from latentwalk.v1 import model_service_pb2 as pb


def models(*, timeout: Timeout = NOT_SAID) -> UnaryCall[pb.ListModelsResponse, tuple[Model, ...]]:
    """Lists the models that are loaded or could be, by name."""
    return UnaryCall(rpcs.LIST_MODELS, pb.ListModelsRequest(), _models, timeout)


def model(name: str, *, timeout: Timeout = NOT_SAID) -> UnaryCall[pb.GetModelResponse, Model]:
    """Describes one model."""
    request = pb.GetModelRequest(model=text("name", name))
    return UnaryCall(rpcs.GET_MODEL, request, lambda r: Model.from_message(r.model), timeout)


def load_model(
    name: str, *, version: Version = "", timeout: Timeout = None
) -> UnaryCall[pb.LoadModelResponse, LoadedModel]:
    """Loads a version of a model (default: the newest) and swaps it in; if that fails, the old one goes on serving.

    It has no deadline unless it is given one: where a generator was never served before, it is measured first, and
    loads take turns. A load that has begun is seen through, also past a deadline.
    """
    request = pb.LoadModelRequest(model=text("name", name), version=version_text("version", version))
    return UnaryCall(rpcs.LOAD_MODEL, request, _loaded_model, timeout)


def unload_model(name: str, *, timeout: Timeout = NOT_SAID) -> UnaryCall[pb.UnloadModelResponse, None]:
    """Takes a model out of service, after the frames it has accepted. Its directions go with it."""
    return UnaryCall(rpcs.UNLOAD_MODEL, pb.UnloadModelRequest(model=text("name", name)), _nothing, timeout)


def directions(
    model: str = "", *, timeout: Timeout = NOT_SAID
) -> UnaryCall[pb.ListDirectionsResponse, tuple[Direction, ...]]:
    """Lists the directions of one model (default: of all) that are loaded or could be, by name."""
    return UnaryCall(rpcs.LIST_DIRECTIONS, pb.ListDirectionsRequest(model=text("model", model)), _directions, timeout)


def direction(model: str, name: str, *, timeout: Timeout = NOT_SAID) -> UnaryCall[pb.GetDirectionResponse, Direction]:
    """Describes one direction."""
    request = pb.GetDirectionRequest(model=text("model", model), direction=text("name", name))
    return UnaryCall(rpcs.GET_DIRECTION, request, lambda r: Direction.from_message(r.direction), timeout)


def load_direction(
    model: str, name: str, *, version: Version = "", timeout: Timeout = None
) -> UnaryCall[pb.LoadDirectionResponse, Direction]:
    """Loads a version of a direction (default: the newest) for a loaded model, once all loads before it are done.

    Like `load_model`, it has no deadline unless it is given one. GeneratorMismatch, with both digests, if it belongs to
    another generator.
    """
    request = pb.LoadDirectionRequest(
        model=text("model", model), direction=text("name", name), version=version_text("version", version)
    )
    return UnaryCall(rpcs.LOAD_DIRECTION, request, lambda r: Direction.from_message(r.direction), timeout)


def unload_direction(
    model: str, name: str, *, timeout: Timeout = NOT_SAID
) -> UnaryCall[pb.UnloadDirectionResponse, None]:
    """Takes a direction out of service. Walks that already use it end undisturbed."""
    request = pb.UnloadDirectionRequest(model=text("model", model), direction=text("name", name))
    return UnaryCall(rpcs.UNLOAD_DIRECTION, request, _nothing, timeout)


def pick_sliders(
    model: str, name: str, picks: SliderPick | Iterable[SliderPick], *, timeout: Timeout = NOT_SAID
) -> UnaryCall[pb.PickSlidersResponse, Direction]:
    """Publishes sliders of loaded directions as the next version of direction `name`, and loads it.

    They keep what was measured of them, and say where they were picked from. Those of several directions must have the
    same form, space and layers. InvalidRequest names the pick that cannot be.
    """
    messages = [
        pick.message(f"picks[{index}]") for index, pick in enumerate(one_or_several("picks", picks, SliderPick))
    ]
    request = pb.PickSlidersRequest(model=text("model", model), direction=text("name", name), picks=messages)
    return UnaryCall(rpcs.PICK_SLIDERS, request, lambda r: Direction.from_message(r.direction), timeout)


def _models(reply: pb.ListModelsResponse) -> tuple[Model, ...]:
    return tuple(Model.from_message(model) for model in reply.models)


def _loaded_model(reply: pb.LoadModelResponse) -> LoadedModel:
    return LoadedModel(Model.from_message(reply.model), tuple(reply.dropped_directions))


def _directions(reply: pb.ListDirectionsResponse) -> tuple[Direction, ...]:
    return tuple(Direction.from_message(direction) for direction in reply.directions)


def _nothing(_: object) -> None:
    return None
