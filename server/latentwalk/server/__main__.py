"""`python -m latentwalk.server`. Before anything else is imported, which takes seconds, the fork server begins to."""

import sys

from latentwalk.rpc import signals

if __name__ == "__main__":
    signals.end_at_once()
    from latentwalk.server import forkserver

    forkserver.start()
    from latentwalk.server.assembly import main

    sys.exit(main(sys.argv[1:]))
