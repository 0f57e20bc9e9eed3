"""A process of its own for the clients."""

import gc
import multiprocessing
from collections.abc import Callable, Coroutine
from concurrent.futures import ProcessPoolExecutor
from typing import Any, ParamSpec, Self, TypeVar

import uvloop

P = ParamSpec("P")
Result = TypeVar("Result")


class LoadProcess:
    """Runs one load after the other in the same process, which has imported all that it needs after the first."""

    def __init__(self) -> None:
        self._pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))

    def run(self, load: Callable[P, Coroutine[Any, Any, Result]], *args: P.args, **options: P.kwargs) -> Result:
        """What the load returns."""
        return self._pool.submit(_run, load, *args, **options).result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()


def _run(load: Callable[..., Coroutine[Any, Any, Result]], *args: Any, **options: Any) -> Result:
    """Without the collector: to look through thousands of answers again and again would hold up those under way."""
    gc.disable()
    try:
        return uvloop.run(load(*args, **options))
    finally:
        gc.enable()
