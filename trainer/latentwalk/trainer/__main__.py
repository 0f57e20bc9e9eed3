"""`python -m latentwalk.trainer`: starts the fork server before all other imports, which take seconds."""

import sys

from latentwalk.rpc import forkserver, signals

if __name__ == "__main__":
    signals.end_at_once()
    from latentwalk.trainer.preloaded import preload

    preload()
    forkserver.start()
    from latentwalk.trainer.assembly import main

    sys.exit(main(sys.argv[1:]))
