"""The messages of an interactive stream: which may come when, and what a position asks for."""

from collections.abc import AsyncIterator

from latentwalk.rpc.errors import InvalidRequest
from latentwalk.server.orders import Order
from latentwalk.server.served import ServedModel
from latentwalk.server.validation.deliveries import read_still_delivery
from latentwalk.server.validation.encodings import read_encoding
from latentwalk.server.validation.orders import still_order
from latentwalk.v1 import generation_service_pb2 as pb


async def read_setup(requests: AsyncIterator[pb.SteerRequest]) -> pb.SteerSetup:
    """The setup, which must be the first of the messages: what of it has a meaning, as it is kept for long."""
    request = await anext(requests, None)
    if request is None or request.WhichOneof("command") != "setup":
        raise InvalidRequest("setup", "is missing; it must be the first message of the stream")
    request.DiscardUnknownFields()
    # A part of a message holds all the memory of the whole.
    return pb.SteerSetup.FromString(request.setup.SerializeToString())


def check_setup(setup: pb.SteerSetup, model: ServedModel) -> None:
    """Refuses, once for the whole stream, what no position could be drawn with."""
    read_encoding(setup.encoding, model.engine.size)
    read_still_delivery(setup.delivery)


def read_position(request: pb.SteerRequest, last: int | None) -> pb.SteerPosition:
    """The position of a later message; `last` is the sequence number of the one before, if there was one."""
    command = request.WhichOneof("command")
    if command == "setup":
        raise InvalidRequest("setup", "came a second time; it holds for the whole stream, open another one instead")
    if command is None:
        raise InvalidRequest("position", "is missing; every message after the setup needs one")
    if last is not None and request.sequence <= last:
        raise InvalidRequest("sequence", f"{request.sequence} must be greater than the one before, {last}")
    return request.position


def steer_order(setup: pb.SteerSetup, position: pb.SteerPosition, model: ServedModel) -> Order:
    """What a Generate with these latents would be asked for, and refused for."""
    return still_order("steer", position, setup.encoding, model, read_still_delivery(setup.delivery))
