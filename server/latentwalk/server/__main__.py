"""`python -m latentwalk.server`. Before anything else is imported, which takes seconds, the fork server begins to."""

import sys

from latentwalk.server import forkserver

if __name__ == "__main__":
    try:
        forkserver.start()
        from latentwalk.server.assembly import main

        code = main(sys.argv[1:])
    except KeyboardInterrupt:  # among the imports
        code = 130
    sys.exit(code)
