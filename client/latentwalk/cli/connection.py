"""From the options of the command line to a client."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar

import typer
from typer.core import TyperOption

from latentwalk.cli.failures import CommandFailed, Commands
from latentwalk.cli.output import plain
from latentwalk.client import Client, LatentwalkError, Tls

Answer = TypeVar("Answer")

DEFAULT_SERVER = "127.0.0.1:50051"
DEFAULT_TRAINER = "127.0.0.1:50052"


@dataclass(frozen=True, slots=True)
class Target:
    """Whom the commands talk to."""

    server: str = DEFAULT_SERVER
    trainer: str = DEFAULT_TRAINER
    token: str | None = None
    tls: bool | Tls = False

    def client(self, **options: Any) -> Client:
        """A client of both services, with more of the SDK's options; use it in a `with` statement."""
        return Client(self.server, trainer_address=self.trainer, token=self.token, tls=self.tls, **options)

    def server_flags(self) -> list[str]:
        """The options that lead to the same server from any folder of this machine; never the token."""
        flags = [] if self.server == DEFAULT_SERVER else ["--server", self.server]
        if not isinstance(self.tls, Tls):
            return [*flags, "--tls"] if self.tls else flags
        files = {"--tls-root": self.tls.root, "--tls-certificate": self.tls.certificate, "--tls-key": self.tls.key}
        for flag, file in files.items():
            if file is not None:
                flags += [flag, str(Path(file).absolute())]
        return flags


class ConnectedCommands(Commands):
    """A group whose own options, which say whom to talk to, may stand before its command or anywhere after it.

    A command that takes any flag, to pass it on, keeps all that follow it.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Takes the options from among `args`."""
        _, rest, _ = self.make_parser(ctx).parse_args(list(args))
        command = self.get_command(ctx, rest[0]) if rest else None
        if command is not None and not command.context_settings.get("ignore_unknown_options"):
            before = args[: len(args) - len(rest)]
            own, others = self._told_apart(rest, is_being_typed=ctx.resilient_parsing)
            args = [*before, *own, *others]
        return super().parse_args(ctx, args)

    def _told_apart(self, arguments: list[str], is_being_typed: bool) -> tuple[list[str], list[str]]:
        """The group's own options with their values, and all the rest, each in their order; none after "--"."""
        # Not --version, which stands alone: some commands have one of their own.
        options = (one for one in self.params if isinstance(one, TyperOption) and not one.is_eager)
        is_flag = {name: bool(option.is_flag) for option in options for name in option.opts}
        own, others, left = list[str](), list[str](), list(arguments)
        while left and left[0] != "--":
            word = left.pop(0)
            name, joined, _ = word.partition("=")
            (own if name in is_flag else others).append(word)
            if not joined and not is_flag.get(name, True):
                if not left and is_being_typed:
                    return own[:-1], []  # it is the value of this option that is being typed, not of the command
                if not left:
                    raise typer.BadParameter("it needs a value", param_hint=name)
                own.append(left.pop(0))
        return own, others + left


def connect(context: typer.Context) -> Client:
    """A client of the services that the options name; use it in a `with` statement."""
    return (context.find_object(Target) or Target()).client()


Everywhere = Annotated[bool, typer.Option("--everywhere", help="at each server that --server stands for, not at one")]


@dataclass(frozen=True, slots=True)
class Answered(Generic[Answer]):
    """What a server has answered."""

    answer: Answer
    server: str = ""
    """Its address, where each of several was asked; else empty."""

    @property
    def place(self) -> str:
        """What to add where the answer is told of: " at 10.0.0.1:50051", or nothing."""
        return f" at {self.server}" if self.server else ""

    def document(self, value: Any) -> Any:
        """A value in terms of JSON, with "server" where one of several has answered."""
        return {"server": self.server, **plain(value)} if self.server else plain(value)


def answers(context: typer.Context, everywhere: bool, ask: Callable[[Client], Answer]) -> Iterator[Answered[Answer]]:
    """What the server answers, or each of several.

    All are asked, whichever refuses; CommandFailed at the end tells which did, and why.
    """
    with connect(context) as client:
        if not everywhere:
            yield Answered(ask(client))
            return
        refusals: list[str] = []
        for server in client.each_server():
            place = server.connection.options.address
            with server:
                try:
                    answer = ask(server)
                except LatentwalkError as error:
                    refusals.append(f"{place}: {error}")
                else:
                    yield Answered(answer, place)
    if refusals:
        raise CommandFailed("; ".join(refusals))


def pem_file(help: str) -> Any:
    """An option that takes the path of a PEM file."""
    return typer.Option(help=f"PEM file: {help}", exists=True, dir_okay=False)


def choose_tls(asked: bool, root: Path | None, certificate: Path | None, key: Path | None) -> bool | Tls:
    """Plain text, unless TLS or one of its files was asked for."""
    if (root, certificate, key) == (None, None, None):
        return asked
    try:
        return Tls(root, certificate, key)
    except ValueError as error:
        raise typer.BadParameter("give both, or neither", param_hint="--tls-certificate, --tls-key") from error
