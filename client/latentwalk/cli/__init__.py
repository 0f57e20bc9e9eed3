"""The command line of latentwalk, on top of the SDK."""

import importlib
import os

# What grpc writes to stderr by itself, of a TLS handshake that fails, say, is also in the error that we tell. It looks
# at this once, when it is loaded; the services that a command starts are not to be silenced with it.
_silenced = "GRPC_VERBOSITY" not in os.environ
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
importlib.import_module("latentwalk.client")
if _silenced:
    del os.environ["GRPC_VERBOSITY"]
