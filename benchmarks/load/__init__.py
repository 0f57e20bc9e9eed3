"""The other side of the wire: clients in a process of their own, as other people's are.

They use bare stubs on uvloop, and no torch: on a few cores, what a client spends is missing at the server, and what the
SDK adds (retries, numpy arrays, errors with names) is not what is measured here. Every reply is kept, so that its bytes
can be checked afterwards.
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
