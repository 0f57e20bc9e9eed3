"""The entry point `latentwalk`. All that takes time to load is loaded within it, so that Ctrl-C ends that, too."""

import os
from collections.abc import Callable


def main() -> None:
    """Runs the command line. Exit codes: 0, 1 for a failure, 2 for a usage error, 130 after Ctrl-C."""
    try:
        app = _load()
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    app()


def _load() -> Callable[[], None]:
    """The commands, with a grpc that is silent.

    What it writes to stderr by itself, of a TLS handshake that fails, say, is also in the error that we tell. It looks
    at this once, when it is loaded; the services that a command starts are not to be silenced with it.
    """
    is_told = "GRPC_VERBOSITY" in os.environ
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    from latentwalk.cli.commands import app

    if not is_told:
        del os.environ["GRPC_VERBOSITY"]
    return app


if __name__ == "__main__":
    main()
