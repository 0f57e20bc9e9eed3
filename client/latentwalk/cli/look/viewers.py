"""Who looks: an interactive stream for each open page, and never more than a few."""

import secrets
import threading
from collections import OrderedDict

from latentwalk.client import Steering

MOST_VIEWERS = 8


class ViewerGone(LookupError):
    """The page has no stream any more, as others have come since: it opens another."""


class Viewers:
    """The streams by the ids of their pages. One more than MOST_VIEWERS ends the one that was idle the longest."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._steerings: OrderedDict[str, Steering] = OrderedDict()

    def enter(self, steering: Steering) -> str:
        """Takes in a stream, and gives the id under which it is found again."""
        viewer = secrets.token_urlsafe(9)
        with self._turn:
            self._steerings[viewer] = steering
            last = self._steerings.popitem(last=False)[1] if len(self._steerings) > MOST_VIEWERS else None
        if last is not None:
            last.close()
        return viewer

    def steering(self, viewer: str) -> Steering:
        """The stream of a page. Raises ViewerGone."""
        with self._turn:
            if viewer not in self._steerings:
                raise ViewerGone(f"there is no viewer {viewer!r} any more")
            self._steerings.move_to_end(viewer)
            return self._steerings[viewer]
