"""One interactive stream, from its setup to its end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

from latentwalk.rpc.errors import (
    LONGEST_MESSAGE,
    LONGEST_VALUE,
    DeadlineExceeded,
    InvalidRequest,
    NotServing,
    ServiceError,
    shortened,
)
from latentwalk.server.device import RemoteEngine
from latentwalk.server.frames import Frames
from latentwalk.server.making import Making
from latentwalk.server.metrics import CallMetrics
from latentwalk.server.pictures import Pictures
from latentwalk.server.replies import position_messages
from latentwalk.server.served import ServedModel
from latentwalk.server.steering.inbox import Arrival, Inbox
from latentwalk.server.steering.target import Aim, Target
from latentwalk.server.translation import translate
from latentwalk.server.validation import check_setup, steer_order
from latentwalk.v1 import generation_service_pb2 as pb
from latentwalk.v1 import image_pb2

_ENDINGS = (DeadlineExceeded, NotServing)
"""What ends the stream; any other error of the wire only refuses the position that met it."""


class Session:
    """Answers the newest position, again and again: at most one picture set is on its way at any time.

    Args:
        model: the model that serves under a name now.
        making: reads positions, and makes their rows.
        pictures: has positions drawn and encoded.
        metrics: told of what was served.
        draining: set when the service begins to drain; the stream ends after the picture in work.
        context: that of the call.

    """

    def __init__(
        self,
        model: Callable[[str], ServedModel],
        making: Making,
        pictures: Pictures,
        metrics: CallMetrics,
        draining: asyncio.Event,
        context: Any,
    ) -> None:
        self._model = model
        self._making = making
        self._pictures = pictures
        self._metrics = metrics
        self._draining = draining
        self._context = context
        self._latest: WeakKeyDictionary[RemoteEngine, Frames] = WeakKeyDictionary()
        """The frames of which rows were made last, while its engine lives: an idle stream keeps none on the device."""

    async def run(self, requests: AsyncIterator[pb.SteerRequest]) -> None:
        """Serves the stream to its end. While the call waits for a slow reader, nothing is drawn.

        Raises InvalidRequest for messages that break the rules of the stream and for a setup with which nothing can be
        drawn, UnknownModel for one that names no model, and NotServing when the service drains.
        """
        with Inbox(requests, self._draining) as inbox:
            setup = await inbox.setup()
            check_setup(setup, self._model(setup.model))
            while (answer := await self._next_answer(setup, inbox)) is not None:
                await self._context.write(answer)
                del answer  # nothing of what was asked or drawn is held until the caller asks again

    async def _next_answer(self, setup: pb.SteerSetup, inbox: Inbox) -> pb.SteerResponse | None:
        """To the newest position, once there is one; None when the caller has closed its side."""
        arrival = await inbox.newest()
        return None if arrival is None else await self._answer(setup, arrival, inbox)

    async def _answer(self, setup: pb.SteerSetup, arrival: Arrival, inbox: Inbox) -> pb.SteerResponse:
        try:
            aim = await self._aim_at(setup, arrival)
            target = Target(aim)
            stream = self._pictures.open(aim.order, self._context)
        except Exception as error:  # noqa: BLE001 - raised again if it is no reason to refuse
            return _refused(arrival, error)
        pace = self._metrics.pace(aim.order.model.name, aim.order.kind)
        with stream:
            stream.begin(target.works())
            aiming = asyncio.create_task(self._aim_anew(setup, target, inbox))
            try:
                images = await self._pictures.frame(aim.order, stream, 0)
            except Exception as error:  # noqa: BLE001 - raised again if it is no reason to refuse
                return _refused(target.aim.arrival, error)
            finally:
                aiming.cancel()
        pace.ready()
        pace.sent(len(images))
        return _answered(target.aim, images)

    async def _aim_at(self, setup: pb.SteerSetup, arrival: Arrival) -> Aim:
        model = self._model(setup.model)
        order = await self._making.order(model, steer_order, setup, arrival.position, model)
        rows = await self._making.rows(order, self._latest.get(model.engine))
        self._latest.clear()
        self._latest[model.engine] = order.frames
        return Aim(arrival, order, rows)

    async def _aim_anew(self, setup: pb.SteerSetup, target: Target, inbox: Inbox) -> None:
        """Has the target follow the newest position, one after the other, until the device comes to it.

        One that is not valid, or ready too late, waits for its turn, to be refused or drawn then.
        """
        arrival = None
        with suppress(Exception):  # what ends the stream is told to whoever asks for the newest
            while not target.is_settled:
                arrival = await inbox.newer_than(arrival)
                with suppress(Exception):
                    aim = await self._aim_at(setup, replace(arrival, dropped=arrival.dropped + 1))
                    if target.replace(aim):
                        inbox.overtake(arrival)


def _answered(aim: Aim, images: list[image_pb2.Image]) -> pb.SteerResponse:
    model = aim.order.model
    frame = pb.SteerFrame(
        images=images,
        positions=position_messages(aim.order.frames, 0),
        model_version=str(model.version),
        model_digest=model.digest,
    )
    return pb.SteerResponse(sequence=aim.arrival.sequence, dropped=aim.arrival.dropped, frame=frame)


def _refused(arrival: Arrival, raised: Exception) -> pb.SteerResponse:
    """The refusal of a position. Raises what ends the stream, and what nobody foresaw."""
    error = raised if isinstance(raised, ServiceError) else translate(raised)
    if error is None or isinstance(error, _ENDINGS):
        raise raised
    refusal = pb.SteerRefusal(
        code=error.status.value[0],
        reason=error.reason,
        message=shortened(error.message, LONGEST_MESSAGE),
        field=shortened(error.violations[0][0], LONGEST_VALUE) if isinstance(error, InvalidRequest) else "",
    )
    return pb.SteerResponse(sequence=arrival.sequence, dropped=arrival.dropped, refusal=refusal)
