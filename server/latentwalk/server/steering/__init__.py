"""Interactive steering: of the positions that a caller sends, only the newest is drawn.

    caller  ->  Inbox (newest position)  ->  Target (until the device comes to it)  ->  device  ->  write  ->  caller

Nothing is queued: while a picture is drawn, encoded or written, a newer position takes the place of the one before, in
the inbox and, as long as the device has not come to it, also in the target that waits in the scheduler.
"""

from latentwalk.server.steering.session import Session

__all__ = ["Session"]
