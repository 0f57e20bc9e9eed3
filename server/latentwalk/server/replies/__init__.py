"""What the server answers with, in the words of the wire: as `validation` reads what it is asked."""

from latentwalk.server.replies.codes import code_message
from latentwalk.server.replies.finds import find_message
from latentwalk.server.replies.images import image_message
from latentwalk.server.replies.models import direction_message, model_message
from latentwalk.server.replies.positions import position_messages
from latentwalk.server.replies.streams import FrameResponse, frames_response, header_response
from latentwalk.server.replies.versions import version_message

__all__ = [
    "FrameResponse",
    "code_message",
    "direction_message",
    "find_message",
    "frames_response",
    "header_response",
    "image_message",
    "model_message",
    "position_messages",
    "version_message",
]
