"""`python -m latentwalk.trainer`. Before anything else is imported, which takes seconds, signals can end it."""

import sys

from latentwalk.rpc import signals

if __name__ == "__main__":
    signals.end_at_once()
    from latentwalk.trainer.assembly import main

    sys.exit(main(sys.argv[1:]))
