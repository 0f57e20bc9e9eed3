"""The verb that looks for the latent of a picture."""

from os import PathLike
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from latentwalk.client import _rpcs as rpcs
from latentwalk.client._calls import StreamCall
from latentwalk.client._delivery import Determinism, Priority, delivery_message
from latentwalk.client._errors import InvalidRequest
from latentwalk.client._found import Found
from latentwalk.client._latents import Classes, Seeds, latents
from latentwalk.client._numbers import count, number_or_none
from latentwalk.client._pictures import (
    ENCODINGS,
    Encoding,
    Picture,
    Pixels,
    array_of,
    checked_pixels,
    encoding_message,
)
from latentwalk.client._styles import Styles
from latentwalk.client._values import text, text_or_empty
from latentwalk.v1 import generation_service_pb2 as pb
from latentwalk.v1 import image_pb2

_SEEDS = range(32)


def invert(
    model: str,
    picture: Picture | Pixels,
    *,
    seeds: Seeds | None = None,
    z: ArrayLike | None = None,
    w: ArrayLike | None = None,
    classes: Classes | None = None,
    styles: Styles | None = None,
    space: Literal["z", "w", "w+"] | None = None,
    steps: int = 200,
    report_every: int = 10,
    prior: float | None = None,
    lpips: float | None = None,
    mask: Picture | ArrayLike | None = None,
    encoding: Encoding = "raw",
    quality: int | None = None,
    determinism: Determinism = "default",
    priority: Priority = "normal",
    timeout: float | None = None,
) -> StreamCall[pb.InvertResponse, Found]:
    """Looks for the latent whose picture is the most like a given one, by gradient descent: to edit it like any other.

    picture: a Picture or pixels uint8 [H, W, C], of the size that the model draws: `Picture.open(path).fitted(...)`.
    seeds, z, w, classes, styles: where it may begin, as for `generate`; it does at the one whose picture is the most
    like the given one, and keeps its class. By default seeds 0 to 31; to go on with an earlier search, its `latent`.
    space: where it looks; by default "w+" for a generator with a mapping network, which comes nearer to pictures that
    the generator would not draw, else "z".
    steps: 1 to 10,000. report_every: what was found comes after so many of them, and after the last.
    prior: how strongly the latent is held where those of the generator lie, 0 to 100; by default 0.001. More makes
    walks from there more like those from any latent, 0 lets it stray.
    lpips: the weight, 0 to 100, of LPIPS beside the squared error, to find what looks alike to people; 1 is mostly
    LPIPS, by default 0. The server must have its backbone, and the model draw at least 31 px.
    mask: which pixels count, of the size of the picture: a Picture, of which what is bright does, uint8 [H, W], or an
    array of True and False; by default all do. What is behind it is left to the generator.
    encoding, quality, determinism, priority: as for `generate`. timeout: seconds for the whole search.

    A search that ends early raises why, such as Unavailable when the server shuts down; `result()` has the best so far.
    """
    starts = _SEEDS if seeds is None and z is None and w is None else seeds
    request = pb.InvertRequest(
        model=text("model", model),
        picture=_image(picture),
        starts=latents(starts, z, w, classes, styles),
        space=text_or_empty("space", space),
        steps=count("steps", steps),
        report_every=count("report_every", report_every),
        prior=number_or_none("prior", prior),
        lpips=number_or_none("lpips", lpips),
        mask=None if mask is None else _mask_image(mask),
        encoding=encoding_message(encoding, quality),
        delivery=delivery_message(determinism, priority),
    )
    return StreamCall(rpcs.INVERT, request, Found.from_message, timeout)


def _image(picture: Picture | Pixels) -> image_pb2.Image:
    if isinstance(picture, (str, PathLike)):
        wanted = "a Picture, or pixels uint8 [height, width, channels]"
        raise InvalidRequest.of("picture", f"{picture!r} is a path, must be {wanted}: Picture.open reads it")
    if not isinstance(picture, Picture):
        picture = Picture.from_array(checked_pixels("picture", picture, "a Picture, or pixels"))
    return _message(picture)


def _mask_image(mask: Picture | ArrayLike) -> image_pb2.Image:
    if isinstance(mask, Picture):
        return _message(mask if mask.channels == 1 else mask.fitted(mask.width, mask.height, 1))
    array = array_of(mask)
    if array.dtype == np.bool_:
        array = array.astype(np.uint8) * 255
    if array.dtype != np.uint8 or array.ndim != 2:
        wanted = "a Picture, or uint8 or bool [height, width]"
        raise InvalidRequest.of("mask", f"{array.dtype} {list(array.shape)}, must be {wanted}")
    return _message(Picture.from_array(array[:, :, None]))


def _message(given: Picture) -> image_pb2.Image:
    return image_pb2.Image(
        format=ENCODINGS[given.encoding],
        width=given.width,
        height=given.height,
        channels=given.channels,
        data=given.data,
    )
