"""What the server asks of the device's process about searches, and what that replies, as in messages.py."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

import safetensors.torch
from torch import Tensor

from latentwalk.gan.inversion import Look, Search
from latentwalk.server.device.line import Message
from latentwalk.server.device.messages import check, error_of, words_of
from latentwalk.server.engine.searcher import Sight

# The fields of a search that a step changes, besides its number.
_CHANGED = ("code", "momentum", "energy")


@dataclass(frozen=True, slots=True)
class Step:
    """Have searches take a step with the engine of that number."""

    KIND: ClassVar = "step"

    engine: int
    searches: Sequence[Search]

    def to_message(self) -> Message:
        """The inverse of from_message."""
        taken_apart = [_taken_apart(search) for search in self.searches]
        words = {"kind": self.KIND, "engine": self.engine, "searches": [plain for plain, _ in taken_apart]}
        return Message(words, [safetensors.torch.save(tensors) for _, tensors in taken_apart])

    @classmethod
    def from_message(cls, message: Message) -> "Step":
        """The request that the message is."""
        parts = zip(message.words["searches"], message.parts, strict=True)
        return cls(message.words["engine"], [_search(plain, part) for plain, part in parts])


def _taken_apart(search: Search) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What of a search is plain JSON, and its tensors; what is None is in neither."""
    values = {field.name: getattr(search, field.name) for field in fields(search)}
    tensors = {name: value.contiguous() for name, value in values.items() if isinstance(value, Tensor)}
    return {name: value for name, value in values.items() if name not in tensors and value is not None}, tensors


def _search(plain: Mapping[str, Any], part: bytes | memoryview) -> Search:
    whole: dict[str, Any] = {"condition": None, **plain, **safetensors.torch.load(bytes(part))}
    return Search(**whole)


def seen(sights: Sequence[Sight]) -> Message:
    """The reply to Step: of each search, only what the step has changed."""
    words = [
        words_of(sight) if isinstance(sight, Exception) else {"error": sight.error, "lpips": sight.lpips}
        for sight in sights
    ]
    return Message({"sights": words}, [b"" if isinstance(sight, Exception) else _changes(sight) for sight in sights])


def _changes(look: Look) -> bytes:
    after = {name: getattr(look.after, name) for name in _CHANGED}
    return safetensors.torch.save({"picture": look.picture.contiguous(), **after})


def sights_of(reply: Message, searches: Sequence[Search]) -> list[Sight]:
    """The inverse of seen, for the searches that were sent. Raises what `failure` was given."""
    check(reply)
    parts = zip(searches, reply.words["sights"], reply.parts, strict=True)
    return [
        _look(search, part, **words) if isinstance(words, dict) else error_of(words) for search, words, part in parts
    ]


def _look(search: Search, part: bytes | memoryview, error: float, lpips: float) -> Look:
    changed = safetensors.torch.load(bytes(part))
    picture = changed.pop("picture")
    return Look(picture, error, replace(search, step=search.step + 1, **changed), lpips)
