"""What the server holds: models and directions, as immutable snapshots. A request sees the one it began with."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from latentwalk.gan.artifacts import Origin
from latentwalk.gan.directions import Direction
from latentwalk.gan.generator import Generator
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.rpc.errors import UnknownDirection
from latentwalk.server.device import RemoteEngine, RemoteSearcher
from latentwalk.server.mapper import Mapper


@dataclass(frozen=True, slots=True)
class ServedDirection:
    """A loaded direction, its version in the store, and where it comes from."""

    direction: Direction
    version: int
    origin: Origin = field(default_factory=Origin)


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A loaded generator, its version in the store, and the directions that are loaded for it, by name."""

    name: str
    version: int
    engine: RemoteEngine
    searcher: RemoteSearcher
    """Of that engine."""
    max_rows: int
    """The most latents of one Generate, and the most starts of a Walk."""
    max_frames: int
    """The most frames of one stream."""
    directions: Mapping[str, ServedDirection] = field(default_factory=dict[str, ServedDirection])
    mapper: Mapper = field(default_factory=Mapper)
    """Maps its z, if it has a mapping network."""

    @property
    def spec(self) -> GeneratorSpec:
        """What the generator is."""
        return self.engine.spec

    @property
    def generator(self) -> Generator:
        """The generator itself, on the CPU; what draws is the engine."""
        return self.engine.generator

    @property
    def digest(self) -> str:
        """Which generator it is, to the last bit: "sha256:<hex>"."""
        return self.engine.digest

    def direction(self, name: str) -> ServedDirection:
        """The loaded direction of that name. Raises UnknownDirection."""
        if name not in self.directions:
            raise UnknownDirection(name, sorted(self.directions))
        return self.directions[name]
