"""What a search has found."""

from collections.abc import Mapping

from latentwalk.server.replies.codes import code_message
from latentwalk.server.searching import Find
from latentwalk.server.served import ServedModel
from latentwalk.v1 import generation_service_pb2 as pb
from latentwalk.v1 import image_pb2, latent_pb2

_FIELDS: Mapping[str, str] = {"z": "z", "w": "w", "w+": "w_plus"}


def find_message(
    request: pb.InvertRequest, model: ServedModel, start: int, step: int, find: Find, image: image_pb2.Image
) -> pb.InvertResponse:
    """The best after so many steps of a search that began at that start of the request."""
    latent = latent_pb2.Latent()
    getattr(latent, _FIELDS[find.search.space]).CopyFrom(code_message(find.search.code.numpy()))
    if request.starts[start].HasField("condition"):
        latent.condition.CopyFrom(request.starts[start].condition)
    return pb.InvertResponse(
        step=step,
        latent=latent,
        error=find.error,
        lpips=find.lpips if find.search.lpips else None,
        image=image,
        start=start,
        model_version=str(model.version),
        model_digest=model.digest,
    )
