"""`python -m latentwalk.trainer`. Before anything else is imported, which takes seconds, the fork server begins to."""

import sys

from latentwalk.rpc import forkserver, signals

if __name__ == "__main__":
    signals.end_at_once()
    from latentwalk.trainer.preloaded import preload

    preload()
    forkserver.start()
    from latentwalk.trainer.assembly import main

    sys.exit(main(sys.argv[1:]))
