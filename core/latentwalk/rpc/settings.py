"""Settings: one frozen dataclass, filled from flags, environment and file, in this order of precedence.

A field `max_batch` is `--max-batch` on the command line, `LATENTWALK_MAX_BATCH` in the environment and `max_batch` in
the TOML file that `--config` or `LATENTWALK_CONFIG` names.
"""

import argparse
import dataclasses
import math
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from latentwalk.rpc.version import own_version

Value = str | int | float | bool | tuple[str, ...]
Settings = TypeVar("Settings")
_PREFIX = "LATENTWALK_"
_TRUTHS = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}


@dataclasses.dataclass(frozen=True, slots=True)
class Check:
    """What a value must be, in words that go on from "must be", and whether one is."""

    limit: str
    admits: Callable[[Any], bool]


class SettingsError(Exception):
    """A setting cannot be used; the message names its source, its key, its value and the limit."""


def setting(default: Value, help: str, check: Check | None = None) -> Any:
    """A field of a settings dataclass, with its `help` and the `check` that its value must pass."""
    return dataclasses.field(default=default, metadata={"help": help, "check": check})


def at_least(low: float) -> Check:
    """A number that is not below `low`."""
    return Check(f"at least {low:,}", lambda value: value >= low)


def between(low: float, high: float) -> Check:
    """A number within `low` and `high`, both included."""
    return Check(f"from {low:,} to {high:,}", lambda value: low <= value <= high)


def one_of(*choices: str) -> Check:
    """One of a few words."""
    return Check(f"one of {', '.join(choices)}", lambda value: value in choices)


def or_nothing(check: Check) -> Check:
    """What passes another check, or is empty."""
    return Check(f"{check.limit}, or empty", lambda value: not value or check.admits(value))


def each(check: Check) -> Check:
    """Words of which each passes another check."""
    return Check(f"words, each {check.limit}", lambda words: all(map(check.admits, words)))


def _is_host_and_port(value: str) -> bool:
    host, _, port = value.rpartition(":")
    is_host = bool(host) and (":" not in host or (host.startswith("[") and host.endswith("]")))
    return is_host and port.isdecimal() and int(port) <= 65_535


HOST_AND_PORT = Check("host:port with a port from 0 to 65535", _is_host_and_port)
"""Where to listen, or whom to ask, an IPv6 address in brackets; to listen on port 0 is to listen on any free one."""


def load_settings(cls: type[Settings], argv: Sequence[str], environ: Mapping[str, str], *, program: str) -> Settings:
    """An instance of the frozen dataclass `cls`, whose fields were all made with `setting`.

    Raises SettingsError for an unknown key in the file and for a value that cannot be read or is out of bounds; exits
    as argparse does for `--help`, `--version` and unknown flags.
    """
    types = get_type_hints(cls)
    flags = vars(_parser(cls, types, program).parse_args(argv))
    path = flags.pop("config") or environ.get(_PREFIX + "CONFIG")
    sources: dict[str, Mapping[str, Any]] = {
        "flag": {name: value for name, value in flags.items() if value is not None},
        "environment": {name: environ[_PREFIX + name.upper()] for name in types if _PREFIX + name.upper() in environ},
        f"file {path}": _read_file(Path(path), types) if path else {},
    }
    values: dict[str, Value] = {}
    for field in dataclasses.fields(cls):  # pyright: ignore[reportArgumentType]
        for source, given in sources.items():
            if field.name in given:
                where = f"{source}: {field.name}"
                values[field.name] = _checked(where, given[field.name], types[field.name], field.metadata["check"])
                break
    return cls(**values)


def _parser(cls: type, types: Mapping[str, Any], program: str) -> argparse.ArgumentParser:
    description = (cls.__doc__ or "").strip().split("\n")[0]
    parser = argparse.ArgumentParser(program, description=description, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"latentwalk {own_version()}")
    parser.add_argument("--config", metavar="FILE", help="a TOML file with settings (default: none)")
    for field in dataclasses.fields(cls):
        flag = "--" + field.name.replace("_", "-")
        check: Check | None = field.metadata["check"]
        limit = f"; {check.limit}" if check else ""
        help_text = f"{field.metadata['help']} (default: {_shown(field.default)}{limit})".replace("%", "%%")
        if types[field.name] is bool:
            parser.add_argument(flag, action=argparse.BooleanOptionalAction, help=help_text)
        else:
            parser.add_argument(flag, metavar="VALUE", help=help_text)
    return parser


def _read_file(path: Path, types: Mapping[str, Any]) -> dict[str, Any]:
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"file {path}: {error}") from error
    if unknown := sorted(content.keys() - types.keys()):
        raise SettingsError(f"file {path}: unknown key {unknown[0]!r}; known are {', '.join(sorted(types))}")
    return content


def _checked(where: str, raw: Any, kind: Any, check: Check | None) -> Value:
    """`raw`, as text or as TOML gives it, as a value of `kind` that passes `check`."""
    try:
        value = _READERS[kind](raw)
    except (TypeError, ValueError, KeyError):
        raise SettingsError(f"{where} = {raw!r}: must be {_KINDS[kind]}") from None
    if check is not None and not check.admits(value):
        raise SettingsError(f"{where} = {raw!r}: must be {check.limit}")
    return value


def _read_bool(raw: Any) -> bool:
    return raw if isinstance(raw, bool) else _TRUTHS[_read_text(raw).strip().lower()]


def _read_number(kind: type[int] | type[float]) -> Callable[[Any], int | float]:
    def read(raw: Any) -> int | float:
        if isinstance(raw, bool) or (kind is int and isinstance(raw, float)):
            raise TypeError(raw)
        if math.isinf(value := kind(raw)):
            raise ValueError(raw)
        return value

    return read


def _read_text(raw: Any) -> str:
    if not isinstance(raw, str):
        raise TypeError(raw)
    return raw


def _read_words(raw: Any) -> tuple[str, ...]:
    words = raw.split(",") if isinstance(raw, str) else [_read_text(word) for word in raw]
    return tuple(word.strip() for word in words if word.strip())


_READERS: Mapping[Any, Callable[[Any], Value]] = {
    str: _read_text,
    int: _read_number(int),
    float: _read_number(float),
    bool: _read_bool,
    tuple[str, ...]: _read_words,
}
_KINDS: Mapping[Any, str] = {
    str: "text",
    int: "a whole number",
    float: "a finite number",
    bool: "true or false",
    tuple[str, ...]: "words with commas between them",
}


def _shown(default: Any) -> str:
    return (",".join(default) if isinstance(default, tuple) else str(default)) or "none"
