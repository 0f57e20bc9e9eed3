"""Waiting until the services serve: grpc.health.v1, with its two one-field messages as their wire twins."""

from collections.abc import Iterator

from google.protobuf.wrappers_pb2 import Int32Value, StringValue

from latentwalk.client import _rpcs as rpcs
from latentwalk.client._calls import StreamCall
from latentwalk.client._deadlines import Deadline
from latentwalk.client._errors import Failure, Unavailable
from latentwalk.client._numbers import number_or_none
from latentwalk.client._rpcs import Peer

SERVING = 1

PROBES = {
    "server": (rpcs.SERVER_HEALTH, rpcs.GENERATION),
    "trainer": (rpcs.TRAINER_HEALTH, rpcs.TRAINING),
}


def readiness(peers: tuple[Peer, ...], timeout: float | None) -> Iterator[StreamCall[Int32Value, bool]]:
    """One watch for each peer, which tells whether it serves; `timeout` seconds for all of them together."""
    deadline = Deadline(number_or_none("timeout", timeout))
    for peer in peers:
        rpc, service = PROBES[peer]
        yield StreamCall(rpc, StringValue(value=service), _serves, deadline.seconds_left(), wait_for_ready=True)


def gone(call: StreamCall[Int32Value, bool]) -> Unavailable:
    """The error when a watch ends before it has told that the peer serves."""
    message = f"the {call.rpc.peer} has shut down while it was waited for"
    return Unavailable(Failure("UNAVAILABLE", message, "NOT_SERVING"))


def _serves(reply: Int32Value) -> bool:
    return reply.value == SERVING
