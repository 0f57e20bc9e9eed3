"""How a spec names an artifact: "zoom" is its newest version when the job is created, "zoom@3" its third."""

from dataclasses import dataclass

from latentwalk.gan.artifacts.manifest import is_name_part

_MARK = "@"


@dataclass(frozen=True, slots=True)
class Reference:
    """A direction of the job's generator, or a classifier."""

    name: str
    version: int | None
    """None for the newest."""

    @classmethod
    def read(cls, text: str) -> "Reference":
        """The inverse of str. Raises ValueError for what names no artifact."""
        name, mark, version = text.partition(_MARK)
        if not is_name_part(name) or (mark and not _is_version(version)):
            raise ValueError(f"{text!r} is no name, nor a name with a version, like zoom@3")
        return cls(name, int(version) if mark else None)

    def __str__(self) -> str:
        return self.name if self.version is None else f"{self.name}{_MARK}{self.version}"


def _is_version(text: str) -> bool:
    """Of as many digits as a number of the store can have: more of them than some thousand, Python reads no more."""
    return text.isdecimal() and text.isascii() and len(text) < 19 and int(text) > 0
