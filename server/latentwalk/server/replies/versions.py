"""A version in the artifact store."""

from latentwalk.server.kinds import KINDS
from latentwalk.server.stored import Stored
from latentwalk.v1 import model_service_pb2 as pb


def version_message(stored: Stored) -> pb.StoredVersion:
    """What lies there, loaded or not."""
    message = pb.StoredVersion(
        kind=KINDS[stored.ref.kind],
        name=stored.ref.name,
        version=str(stored.ref.version),
        size_bytes=stored.size,
        generator_digest=stored.digest,
        loaded=stored.is_served,
        problem=stored.problem,
    )
    if stored.created is not None:
        message.create_time.FromDatetime(stored.created)
    return message
