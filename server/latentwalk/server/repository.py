"""The repository: which models and directions serve, and how they come and go.

Loads happen one at a time and off the event loop: read, check, warm, and only then swap. One that has begun is seen
through, also if whoever asked for it leaves. A request holds the snapshot with which it began, so what it was promised
is drawn to the end, also after a swap or an unload.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Generic, NamedTuple, TypeVar

from latentwalk.gan.directions import Direction
from latentwalk.gan.spec import JsonObject
from latentwalk.rpc.errors import UnknownModel
from latentwalk.server.loader import Loader
from latentwalk.server.served import ServedDirection, ServedModel

Served = TypeVar("Served", ServedModel, ServedDirection)
T = TypeVar("T")

_log = logging.getLogger("latentwalk.repository")


@dataclass(frozen=True, slots=True)
class Entry(Generic[Served]):
    """One model or direction, loaded or not."""

    model: str
    direction: str
    """Empty for a model."""
    versions: tuple[int, ...]
    """Those in the store, rising."""
    served: Served | None
    """What is loaded of it."""
    is_loading: bool


class _Tried(NamedTuple):
    """A version that was loaded, or could not be: of a model, or of a direction for that version of the model."""

    model: str
    version: int
    direction: str = ""
    direction_version: int = 0


class Repository:
    """The models that serve. All methods belong to the event loop.

    Args:
        loader: reads what is to serve; in a thread of its own.
        on_change: told which models serve, whenever that changes.

    """

    def __init__(self, loader: Loader, on_change: Callable[[Iterable[ServedModel]], object]) -> None:
        self._loader = loader
        self._on_change = on_change
        self._models: dict[str, ServedModel] = {}
        # (model, direction) that is being loaded; the direction is empty for a model.
        self._loading: tuple[str, str] | None = None
        self._turn = asyncio.Lock()
        # Of whoever has the turn; the loop itself holds on to no task.
        self._change: asyncio.Task[Any] | None = None
        self._thread = ThreadPoolExecutor(1, "loader")

    def close(self) -> None:
        """Ends the thread that loads, once it has done what it does; what waits for it is not loaded."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    @property
    def served(self) -> Sequence[ServedModel]:
        """Those models that serve."""
        return tuple(self._models.values())

    # -- what there is ---------------------------------------------------------------------------------------------

    def model(self, name: str) -> ServedModel:
        """The model that serves under that name. Raises UnknownModel."""
        if name not in self._models:
            raise UnknownModel(name, sorted(self._models))
        return self._models[name]

    async def models(self) -> list[Entry[ServedModel]]:
        """Loaded or in the store, by name."""
        stored = await asyncio.to_thread(self._loader.versions, "generators")
        return [
            Entry(name, "", stored.get(name, ()), self._models.get(name), self._loading == (name, ""))
            for name in sorted(stored.keys() | self._models.keys())
        ]

    async def directions(self, model: str = "") -> list[Entry[ServedDirection]]:
        """Loaded or in the store, of one model or of all, by model and name. Raises UnknownModel."""
        models = [entry.model for entry in await self.models()]
        if model and model not in models:
            raise UnknownModel(model, models)
        stored = await asyncio.to_thread(self._loader.versions, "directions")
        served = {
            f"{owner.name}/{name}": direction
            for owner in self._models.values()
            for name, direction in owner.directions.items()
        }
        return [
            Entry(owner, name, stored.get(path, ()), served.get(path), self._loading == (owner, name))
            for path in sorted(stored.keys() | served.keys())
            for owner, _, name in (path.partition("/"),)
            if not model or owner == model
        ]

    # -- how they come ---------------------------------------------------------------------------------------------

    async def load_newest(self, names: Sequence[str]) -> None:
        """Loads the newest version of these models, or of all in the store, and their newest directions.

        What cannot be loaded is logged and skipped. What is published meanwhile is loaded, too: whoever would have it
        loaded does not reach a server that starts.
        """
        tried = set[_Tried]()
        while await self._load_untried(names, tried):
            pass

    async def load_model(self, name: str, version: int | None = None) -> tuple[ServedModel, list[str]]:
        """Swaps in a version, the newest by default; returns it, and the names of directions that no longer fit.

        Raises UnknownModel for what is not in the store, CorruptArtifact, and InvalidRequest if not even one picture
        fits a reply; then, what served goes on serving.
        """
        return await self._see_through(f"model {name}", self._load_model(name, version))

    async def load_direction(self, model: str, name: str, version: int | None = None) -> ServedDirection:
        """Loads a version, the newest by default, for a model that serves.

        Raises UnknownModel, UnknownDirection, CorruptArtifact, and GeneratorMismatch with both digests and
        the version of the model that would do.
        """
        return await self._take_in(model, name, lambda owner: self._loader.direction(owner, name, version))

    async def publish_direction(self, model: str, direction: Direction, provenance: JsonObject) -> ServedDirection:
        """Puts a direction of a model that serves into the store, as the next version of its name, and loads it.

        Raises UnknownModel, GeneratorMismatch if another generator serves meanwhile, GanError for a name that cannot
        be, and StoreFailed.
        """
        return await self._take_in(
            model, direction.name, lambda owner: self._loader.publish(owner, direction, provenance)
        )

    async def _take_in(self, model: str, name: str, read: Callable[[ServedModel], ServedDirection]) -> ServedDirection:
        """Has what is read for a model that serves take the place of its direction of that name."""
        return await self._see_through(f"direction {model}/{name}", self._replace(model, name, read))

    async def undisturbed(self, work: Callable[[Sequence[ServedModel]], T]) -> T:
        """Does what must know which models serve, while none comes or goes, in the thread that loads."""
        return await self._see_through("the store", self._in_thread(partial(work, self.served)))

    # -- how they go -----------------------------------------------------------------------------------------------

    async def unload_model(self, name: str) -> None:
        """Refuses new requests for a model and its directions; those that run end undisturbed. Raises UnknownModel."""
        async with self._turn:
            self.model(name)
            self._swap({key: model for key, model in self._models.items() if key != name})
        _log.info("model %s serves no more: it was unloaded", name)

    async def unload_direction(self, model: str, name: str) -> None:
        """Refuses new requests for a direction. Raises UnknownModel, UnknownDirection."""
        async with self._turn:
            owner = self.model(model)
            owner.direction(name)
            rest = {key: direction for key, direction in owner.directions.items() if key != name}
            self._swap({**self._models, model: replace(owner, directions=rest)})
        _log.info("direction %s/%s serves no more: it was unloaded", model, name)

    # --------------------------------------------------------------------------------------------------------------

    async def _see_through(self, what: str, change: Coroutine[Any, Any, T]) -> T:
        """Has the change its turn, and brings it to its end, also if whoever waits for it leaves once it has begun."""
        try:
            await self._turn.acquire()
        except asyncio.CancelledError:
            change.close()
            raise
        self._change = task = asyncio.create_task(change)
        task.add_done_callback(lambda _: self._turn.release())
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(partial(_tell_of_failure, what))
            raise

    async def _load_model(self, name: str, version: int | None) -> tuple[ServedModel, list[str]]:
        self._loading = (name, "")
        try:
            served = await self._in_thread(partial(self._loader.model, name, version))
        finally:
            self._loading = None
        before = self._models[name].directions if name in self._models else {}
        kept = {
            key: direction for key, direction in before.items() if direction.direction.generator_digest == served.digest
        }
        served = replace(served, directions=kept)
        self._swap({**self._models, name: served})
        dropped = sorted(before.keys() - kept.keys())
        _log.info("model %s version %d serves: %s", name, served.version, served.digest)
        for direction in dropped:
            _log.warning("direction %s/%s serves no more: it is of another generator", name, direction)
        return served, dropped

    async def _replace(self, model: str, name: str, read: Callable[[ServedModel], ServedDirection]) -> ServedDirection:
        owner = self.model(model)
        self._loading = (model, name)
        try:
            served = await self._in_thread(partial(read, owner))
        finally:
            self._loading = None
        owner = replace(owner, directions={**owner.directions, name: served})
        self._swap({**self._models, model: owner})
        _log.info("direction %s/%s version %d serves", model, name, served.version)
        return served

    async def _load_untried(self, names: Sequence[str], tried: set[_Tried]) -> bool:
        """Tries the newest versions that were not tried, and notes them; whether there were any."""
        before = len(tried)
        newest = {entry.model: max(entry.versions, default=0) for entry in await self.models()}
        for name in names or newest:
            if (model := _Tried(name, newest.get(name, 0))) not in tried:
                tried.add(model)
                await self._try(f"model {name}", self.load_model(name))
            if name not in self._models:
                continue
            for entry in await self.directions(name):
                newest_direction = max(entry.versions, default=0)
                direction = _Tried(name, self._models[name].version, entry.direction, newest_direction)
                if direction not in tried:
                    tried.add(direction)
                    await self._try(f"direction {name}/{entry.direction}", self.load_direction(name, entry.direction))
        return len(tried) > before

    def _swap(self, models: dict[str, ServedModel]) -> None:
        self._models = models
        self._on_change(models.values())

    async def _in_thread(self, read: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, copy_context().run, read)

    async def _try(self, what: str, load: Awaitable[object]) -> None:
        try:
            await load
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one, the others are to serve
            _log.error("%s is skipped: %s", what, error)


def _tell_of_failure(what: str, change: asyncio.Task[object]) -> None:
    """Of a change that nobody waits for any more."""
    if not change.cancelled() and (error := change.exception()):
        _log.error("%s is as it was: %s", what, error)
