"""What a request to search for the latent of a picture asks for. Raises InvalidRequest."""

from latentwalk.gan.errors import GanError
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.gan.walks import Walk
from latentwalk.rpc.errors import InvalidRequest
from latentwalk.server.frames import WalkFrames
from latentwalk.server.orders import Delivery, Order
from latentwalk.server.searching import SearchOrder
from latentwalk.server.served import ServedModel
from latentwalk.server.validation.encodings import read_encoding
from latentwalk.server.validation.latents import read_latents
from latentwalk.server.validation.movements import read_displacements
from latentwalk.server.validation.orders import check_rows
from latentwalk.server.validation.pictures import read_mask, read_picture
from latentwalk.v1 import generation_service_pb2 as pb
from latentwalk.v1 import latent_pb2

_DEFAULT_STEPS, _MOST_STEPS = 200, 10_000
_DEFAULT_EVERY = 10
_DEFAULT_PRIOR, _MOST_PRIOR = 0.001, 100.0
_MOST_LPIPS = 100.0


def search_order(request: pb.InvertRequest, model: ServedModel, delivery: Delivery) -> SearchOrder:
    """A search for the latent of a picture. Its delivery was read before."""
    space = _space(request.space, model.spec)
    steps = _count("steps", request.steps or _DEFAULT_STEPS)
    every = _count("report_every", request.report_every or _DEFAULT_EVERY)
    prior = request.prior if request.HasField("prior") else _DEFAULT_PRIOR
    if not 0 <= prior <= _MOST_PRIOR:
        raise InvalidRequest("prior", f"{prior:g} must be from 0 to {_MOST_PRIOR:g}")
    encoding = read_encoding(request.encoding, model.engine.size)
    target = read_picture("picture", request.picture, model.engine.size)
    check_rows("starts", len(request.starts), model)
    lpips = _lpips(request.lpips, model)
    mask = read_mask("mask", request.mask, model.engine.size) if request.HasField("mask") else None
    for index, start in enumerate(request.starts):
        _check_start(f"starts[{index}]", start, space, model.spec)
    latents = read_latents("starts", request.starts, model)
    walk = Walk(latents.z, (read_displacements((), model),), lift=latents.lift)
    frames = WalkFrames(walk, latents.drawn_conditions(), latents.noise)
    starts = Order("invert", model, frames, encoding, "starts", delivery)
    return SearchOrder(
        starts,
        space,
        target,
        mask,
        z=latents.z,
        condition=latents.condition,
        steps=steps,
        prior=prior,
        lpips=lpips,
        report_every=every,
    )


def _space(given: str, spec: GeneratorSpec) -> str:
    space = given or spec.space
    if space not in spec.spaces:
        raise InvalidRequest("space", f"{space!r} is none of {', '.join(spec.spaces)}, which this generator has")
    return space


def _count(field: str, given: int) -> int:
    if given > _MOST_STEPS:
        raise InvalidRequest(field, f"{given:,} must be from 1 to {_MOST_STEPS:,}")
    return given


def _lpips(weight: float, model: ServedModel) -> float:
    if not 0 <= weight <= _MOST_LPIPS:
        raise InvalidRequest("lpips", f"{weight:g} must be from 0 to {_MOST_LPIPS:g}")
    if weight:
        try:
            model.searcher.check_lpips()
        except GanError as error:
            raise InvalidRequest("lpips", str(error)) from error
    return weight


def _check_start(name: str, start: latent_pb2.Latent, space: str, spec: GeneratorSpec) -> None:
    """A search looks at pictures with the noise of the weights; one in z, at what the mapping network makes of z.

    What a generator without one cannot be asked for is refused where latents are read.
    """
    if spec.space == "z":
        return
    if start.HasField("noise"):
        raise InvalidRequest(f"{name}.noise", "must be left out: a search has the noise of the weights")
    if space != "z":
        return
    if start.WhichOneof("code") in ("w", "w_plus"):
        raise InvalidRequest(name, "is given in w, from which no search in z can begin; search in w or w+")
    if start.HasField("truncation") or start.styles:
        raise InvalidRequest(name, "has truncation or styles, of which z knows nothing; search in w+")
