"""`python -m latentwalk.server`: starts the fork server before all other imports, which take seconds."""

import sys

from latentwalk.rpc import forkserver, signals

if __name__ == "__main__":
    signals.end_at_once()
    forkserver.preload("latentwalk.server.device.host")
    forkserver.start()
    from latentwalk.server.assembly import main

    sys.exit(main(sys.argv[1:]))
