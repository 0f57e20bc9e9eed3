"""What the server asks of the device's process, and what that replies. Plain JSON and bytes: nothing is unpickled.

Each request gets one reply: of its own kind, or a failure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import safetensors.torch
from numpy.typing import NDArray

from latentwalk.gan.families import build_generator
from latentwalk.gan.generator import Generator
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.server.device.line import Message
from latentwalk.server.engine import Choice, NonFinitePicture, NoSuchDevice, Row
from latentwalk.server.engine.pixels import Picture
from latentwalk.server.engine.rows import Noise
from latentwalk.server.scheduler import DeviceOutOfMemory

# The errors that whoever asked tells apart; others arrive as a RuntimeError, in words.
_ERRORS = {error.__name__: error for error in (DeviceOutOfMemory, NonFinitePicture, NoSuchDevice)}


@dataclass(frozen=True, slots=True)
class Make:
    """Put a generator on the device, under a number of its own."""

    KIND: ClassVar = "make"

    engine: int
    generator: Generator
    choice: Choice | None
    """How it served before; None to choose."""

    def to_message(self) -> Message:
        """The inverse of from_message."""
        choice = None if self.choice is None else self.choice.to_json()
        weights = {name: weight.contiguous() for name, weight in self.generator.state_dict().items()}
        words = {"kind": self.KIND, "engine": self.engine, "spec": self.generator.spec.to_json(), "choice": choice}
        return Message(words, [safetensors.torch.save(weights)])

    @classmethod
    def from_message(cls, message: Message) -> "Make":
        """The request that the message is."""
        words, choice = message.words, message.words["choice"]
        generator = build_generator(GeneratorSpec.from_json(words["spec"]))
        generator.load_state_dict(safetensors.torch.load(bytes(message.parts[0])), assign=True)
        return cls(words["engine"], generator.freeze(), None if choice is None else Choice.from_json(choice))


@dataclass(frozen=True, slots=True)
class Draw:
    """Draw rows with the engine of that number."""

    KIND: ClassVar = "draw"

    engine: int
    rows: Sequence[Row]

    def to_message(self) -> Message:
        """The inverse of from_message."""
        columns = [row.code for row in self.rows], [row.condition for row in self.rows if row.condition is not None]
        words = {
            "kind": self.KIND,
            "engine": self.engine,
            "shapes": [(len(column), *column[0].shape) for column in columns if column],
            "strict": [row.strict for row in self.rows],
            "noise": [row.noise and (row.noise.seed, row.noise.strength, row.noise.layers) for row in self.rows],
        }
        return Message(words, [b"".join(array.tobytes() for array in column) for column in columns if column])

    @classmethod
    def from_message(cls, message: Message) -> "Draw":
        """The request that the message is."""
        words = message.words
        codes, *conditions = map(_array, message.parts, words["shapes"])
        noise = [one and Noise(one[0], one[1], tuple(one[2])) for one in words["noise"]]
        columns = codes, conditions[0] if conditions else [None] * len(codes), words["strict"], noise
        return cls(words["engine"], [Row(*row) for row in zip(*columns, strict=True)])


def _array(part: bytes | memoryview, shape: Sequence[int]) -> NDArray[np.float32]:
    return np.frombuffer(part, np.float32).reshape(shape)


@dataclass(frozen=True, slots=True)
class Tidy:
    """Only let go of what this tells of as forgotten, as every request does."""

    KIND: ClassVar = "tidy"

    def to_message(self) -> Message:
        """The request."""
        return Message({"kind": self.KIND})


def drawn(pictures: Sequence[Picture]) -> Message:
    """The reply to Draw."""
    failed = {place: words_of(picture) for place, picture in enumerate(pictures) if isinstance(picture, Exception)}
    return Message({"failed": failed}, [b"" if isinstance(picture, Exception) else picture for picture in pictures])


def pictures_of(reply: Message) -> list[Picture]:
    """The inverse of drawn. Raises what `failure` was given."""
    check(reply)
    pictures: list[Picture] = [bytes(part) for part in reply.parts]
    for place, words in reply.words["failed"].items():
        pictures[int(place)] = error_of(words)
    return pictures


def made(choice: Choice) -> Message:
    """The reply to Make."""
    return Message({"choice": choice.to_json()})


def choice_of(reply: Message) -> Choice:
    """The inverse of made. Raises what `failure` was given."""
    check(reply)
    return Choice.from_json(reply.words["choice"])


def ready() -> Message:
    """What the process says when it can be asked."""
    return Message({})


def failure(error: Exception) -> Message:
    """The reply to a request that failed."""
    return Message({"error": words_of(error)})


def check(reply: Message) -> None:
    """Raises what `failure` was given, if it made the reply."""
    if words := reply.words.get("error"):
        raise error_of(words)


def words_of(error: Exception) -> Sequence[str]:
    """An error as plain JSON; the inverse of error_of for those that are told apart."""
    return type(error).__name__, str(error)


def error_of(words: Sequence[str]) -> Exception:
    """The error that the words are of."""
    name, text = words
    return _ERRORS[name](text) if name in _ERRORS else RuntimeError(f"{name}: {text}")
