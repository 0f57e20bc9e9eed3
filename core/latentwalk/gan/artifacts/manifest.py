"""What an artifact says about itself."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias, TypedDict, cast

from latentwalk.gan.errors import GanError
from latentwalk.gan.spec import JsonObject

Kind: TypeAlias = Literal["generators", "directions", "classifiers"]

FORMAT = 1
MANIFEST = "manifest.json"
# How many parts the name of an artifact has, and which file holds its tensors.
NAME_PARTS: dict[Kind, int] = {"generators": 1, "directions": 2, "classifiers": 1}
TENSOR_FILE: dict[Kind, str] = {
    "generators": "weights.safetensors",
    "directions": "vectors.safetensors",
    "classifiers": "weights.safetensors",
}

_NAME_PART = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")


@dataclass(frozen=True, order=True)
class ArtifactRef:
    """One version of one artifact. Raises GanError for a name or a version that cannot be."""

    kind: Kind
    name: str
    """"<generator>" or "<generator>/<direction>"."""
    version: int
    """From 1 on."""

    def __post_init__(self) -> None:
        check_name(self.kind, self.name)
        if self.version < 1:
            raise GanError(f"version of {self.name!r} is {self.version}: versions count from 1")

    @property
    def folder(self) -> str:
        """Where it lies in the store, with forward slashes."""
        return f"{self.kind}/{self.name}/{self.version}"


class FileEntry(TypedDict):
    """What a file of an artifact must be."""

    sha256: str
    bytes: int


def describe(content: bytes) -> FileEntry:
    """The entry of a file with this content."""
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


@dataclass(frozen=True)
class Manifest:
    """The manifest of an artifact. ``body`` is for whoever loads it, ``provenance`` is for people."""

    kind: Kind
    name: str
    version: int
    created: str
    """ISO 8601."""
    body: JsonObject
    provenance: JsonObject
    files: Mapping[str, FileEntry]

    def to_json(self) -> dict[str, Any]:
        """{"format": 1, "kind", "name", ..., "files": {name: {"sha256", "bytes"}}}."""
        return {"format": FORMAT, **asdict(self)}

    def to_bytes(self) -> bytes:
        """The content of manifest.json. Raises GanError if body or provenance is not JSON (NaN is not)."""
        try:
            return json.dumps(self.to_json(), indent=2, allow_nan=False).encode()
        except (TypeError, ValueError) as failure:
            raise GanError(f"manifest of {self.name!r} cannot be written as JSON: {failure}") from failure

    @classmethod
    def from_bytes(cls, content: bytes) -> "Manifest":
        """Reads what to_bytes wrote. Raises ValueError saying what is malformed."""
        document = cast("object", json.loads(content))
        fields = cast("dict[str, Any]", document) if isinstance(document, dict) else {}
        if fields.get("format") != FORMAT:
            raise ValueError(f"its format is {fields.get('format')!r}, this version reads {FORMAT}")
        for name, form in _FORMS.items():
            if type(fields.get(name)) is not form:
                raise ValueError(f"{name} is {fields.get(name)!r}, it must be of type {form.__name__}")
        for name, entry in fields["files"].items():
            if not is_name_part(name) or not _is_file_entry(entry):
                raise ValueError(f"entry {name!r} of files is malformed: {entry!r}")
        return cls(**{name: fields[name] for name in _FORMS})


def check_name(kind: Kind, name: str) -> None:
    """Raises GanError unless each part is [a-z0-9][a-z0-9_.-]{0,62}: no name leads out of the store."""
    parts = name.split("/")
    if len(parts) != NAME_PARTS[kind] or not all(map(is_name_part, parts)):
        raise GanError(
            f"name {name!r} in {kind}: it must have {NAME_PARTS[kind]} part(s), joined by '/', each of 1 to "
            "63 characters a-z, 0-9, '_', '.', '-' with a letter or a digit first"
        )


def is_name_part(text: str) -> bool:
    """Whether this may be one part of a name."""
    return _NAME_PART.fullmatch(text) is not None


def _is_file_entry(entry: object) -> bool:
    if not isinstance(entry, dict):
        return False
    fields = cast("dict[str, object]", entry)
    return {name: type(value) for name, value in fields.items()} == {"sha256": str, "bytes": int}


_FORMS: dict[str, type] = {
    "kind": str,
    "name": str,
    "version": int,
    "created": str,
    "body": dict,
    "provenance": dict,
    "files": dict,
}
