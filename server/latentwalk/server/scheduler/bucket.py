"""How many pictures of one model fit on the device at once: halved when memory runs out, and probed upward again."""

# So many full batches of the reduced size must go well before twice as many pictures are tried; each time that fails,
# twice as many batches.
_PATIENCE = 64
_MOST_PATIENCE = 64 * 1024


class Bucket:
    """The most pictures of one batch: `most`, or less for as long as the device has no memory for that."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.size = most
        """The most pictures that may be drawn at once now."""
        self._patience = _PATIENCE
        self._went_well = 0
        self._probing = False

    def ran_out(self, pictures: int) -> None:
        """The device had no memory for so many: from now on, half of that at most."""
        self.size = max(1, min(self.size, pictures // 2))
        if self._probing:
            self._patience = min(2 * self._patience, _MOST_PATIENCE)
        self._probing = False
        self._went_well = 0

    def went_well(self, pictures: int) -> None:
        """A batch of so many was drawn; after enough full ones, twice as many are tried."""
        if pictures < self.size:
            return
        self._probing = False
        self._went_well += 1
        if self.size < self.most and self._went_well >= self._patience:
            self.size = min(2 * self.size, self.most)
            self._went_well = 0
            self._probing = True
