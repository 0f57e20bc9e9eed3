"""What pages ask for, in terms of the SDK: where to go, the newest pictures, a picture to keep."""

from base64 import b64encode
from collections.abc import Sequence
from typing import Any, cast

from latentwalk.cli.look.description import describe
from latentwalk.cli.look.position import Position
from latentwalk.cli.look.viewers import ViewerGone, Viewers
from latentwalk.client import Client, Encoding, InvalidRequest, Picture

ENCODINGS = ("png", "jpeg", "webp")
"""What every browser shows."""


class Looking:
    """One model, and those who look at it. Pages come from many threads.

    A page says where it stands as often as it likes, and asks for pictures as soon as it has shown the ones before:
    what it does not ask for is overtaken in the stream, and never waits on its way to the page.

    Args:
        client: of the server that draws.
        model: its name.
        flags: those by which commands reach that server.

    Every method raises LatentwalkError as the SDK does, and takes and gives what JSON can say.

    """

    def __init__(self, client: Client, model: str, flags: Sequence[str] = ()) -> None:
        self._client = client
        self._model = model
        self._flags = flags
        self._viewers = Viewers()

    def describe(self) -> dict[str, Any]:
        """What there is to choose and to drag, as of now."""
        return describe(self._client, self._model)

    def enter(self, given: Any) -> dict[str, Any]:
        """Opens a stream for a page that wants its pictures as {"encoding": "png"}, "jpeg" or "webp"."""
        encoding = cast("dict[str, Any]", given).get("encoding") if isinstance(given, dict) else None
        if encoding not in ENCODINGS:
            raise InvalidRequest.of("encoding", f"{encoding!r} is none of {', '.join(ENCODINGS)}")
        steering = self._client.steer(self._model, encoding=cast("Encoding", encoding))
        return {"viewer": self._viewers.enter(steering)}

    def move(self, viewer: str, given: Any) -> dict[str, Any]:
        """Goes to a position, and says how it is drawn elsewhere. Waits for nothing. Raises ViewerGone."""
        position = Position.from_json(given)
        sequence = self._viewers.steering(viewer).move(**position.arguments())
        command = position.command(self._model, self._flags)
        return {"sequence": sequence, "sdk": position.sdk_line(self._model), "command": command}

    def answer(self, viewer: str) -> dict[str, Any]:
        """Waits for the next answer that the page has not seen: pictures, or why there are none. Raises ViewerGone."""
        answer = next(self._viewers.steering(viewer), None)
        if answer is None:
            raise ViewerGone(f"viewer {viewer!r} has ended")
        told = {"sequence": answer.sequence, "dropped": answer.dropped}
        if answer.refusal is not None:
            return {**told, "refusal": str(answer.refusal)}
        return {**told, "pictures": [_data_url(picture) for picture in answer.pictures or ()]}

    def keep(self, given: Any) -> bytes:
        """The pictures of a position beside one another, as a PNG file, whatever the page sees them as."""
        return self._client.generate(self._model, **Position.from_json(given).arguments()).strip().png()


def _data_url(picture: Picture) -> str:
    return f"data:image/{picture.encoding};base64,{b64encode(picture.data).decode()}"
