"""The other side of the wire: clients in a process of their own, as other people's are.

On a few cores, what a client spends is missing at the server. So every server, ours and any other, is asked at little
cost: on uvloop, without torch, over connections that speak as little HTTP/1.1 (`wires`) or HTTP/2 (`http2`) as
its protocol needs, and not through grpc.aio or the SDK, which would make gRPC look slower than it is. What the clients
spend is measured too (`Measured.cost`). Only the open loop asks through grpc.aio: what it counts is how gRPC's own
client sees requests end. Every reply is kept, so that its bytes can be checked afterwards.
"""

from benchmarks.load.closed import draw_rows_together, draw_together, walk_together
from benchmarks.load.codes import code_of
from benchmarks.load.measured import Answer, Attempt, Measured
from benchmarks.load.opened import draw_on_schedule
from benchmarks.load.process import LoadProcess
from benchmarks.load.ready import wait_for

__all__ = [
    "Answer",
    "Attempt",
    "LoadProcess",
    "Measured",
    "code_of",
    "draw_on_schedule",
    "draw_rows_together",
    "draw_together",
    "wait_for",
    "walk_together",
]
