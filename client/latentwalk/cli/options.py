"""Options that several commands share: said once, as a TypedDict, and taken together as `**options: Unpack[Those]`."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, get_args, get_type_hints

from latentwalk.client import check_picture_file


def writable(file: Path | None) -> Path | None:
    """Of --out: refused while the command is read, so that nothing is drawn in vain."""
    if file is not None:
        check_picture_file(file)
    return file


def writable_frames(file: Path) -> Path:
    """As `writable`, for what may move."""
    check_picture_file(file, moving=True)
    return file


def spelled_out(command: Callable[..., None]) -> Callable[..., None]:
    """The command as typer takes it: with the shared options one by one. Those that were given are handed on."""

    def run(**given: Any) -> None:
        command(**said(given))

    present(run, command, list(parameters(command)))
    return run


def said(given: dict[str, Any]) -> dict[str, Any]:
    """The options that were given."""
    return {name: value for name, value in given.items() if value is not None}


def parameters(command: Callable[..., Any]) -> Iterator[inspect.Parameter]:
    """The parameters of a command, the shared options at the end of it one by one."""
    *own, together = inspect.signature(command).parameters.values()
    for parameter in own:
        yield parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
    (options,) = get_args(together.annotation)
    for name, hint in get_type_hints(options, include_extras=True).items():
        yield inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=hint)


def present(run: Callable[..., None], command: Callable[..., Any], shown: Sequence[inspect.Parameter]) -> None:
    """Shows `run` to typer under the name and with the help of the command, with those parameters."""
    run.__name__, run.__doc__ = command.__name__, command.__doc__
    # typer reads a command's options from these two.
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in shown}
    vars(run).update(__signature__=inspect.Signature(shown))
