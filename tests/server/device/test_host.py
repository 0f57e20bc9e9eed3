"""The device's process itself: how it ends with its server, and what it keeps for it."""

import socket
from dataclasses import replace

import pytest
import torch

from latentwalk.rpc import forkserver
from latentwalk.server.device import DeviceSettings
from latentwalk.server.device.host import Host, serve
from latentwalk.server.device.line import Line, Message
from latentwalk.server.device.messages import Draw, Make, check, choice_of, pictures_of
from latentwalk.server.engine import Engine, Tuning
from latentwalk.server.engine.rows import sample_rows

CPU = torch.device("cpu")
SETTINGS = DeviceSettings("cpu", 1, 8, 0.0, 0.5, "", 60.0, "error")


@pytest.mark.parametrize("settings", [SETTINGS, replace(SETTINGS, device="cuda:99")], ids=["usable", "unusable"])
def test_a_process_whose_server_goes_while_it_starts_ends_without_a_traceback(settings):
    (drawing, theirs_drawing), (making, theirs_making) = socket.socketpair(), socket.socketpair()
    for ours in (drawing, making):
        ours.close()
    process = forkserver.CONTEXT.Process(target=serve, args=(Line(theirs_drawing), Line(theirs_making), settings))
    process.start()
    for theirs in (theirs_drawing, theirs_making):
        theirs.close()
    process.join(60)
    assert process.exitcode == 0, "a traceback would make it 1"


@pytest.mark.parametrize("line", ["drawing", "making"])
def test_a_process_of_which_one_line_breaks_down_ends(line):
    ends = {name: socket.socketpair() for name in ("drawing", "making")}
    theirs = [Line(end) for _, end in ends.values()]
    process = forkserver.CONTEXT.Process(target=serve, args=(*theirs, SETTINGS))
    process.start()
    for _, end in ends.values():
        end.close()
    making = Line(ends["making"][0])
    check(making.receive())
    Line(ends[line][0]).send(Message({"no request": "at all"}))
    process.join(60)
    assert process.exitcode == 1


def test_the_process_lets_go_of_what_is_forgotten(faces):
    host = Host(Tuning((CPU,), 4, 0.0, 0.5, ""))
    rows = sample_rows(faces, 1)
    for number in (1, 2):
        assert choice_of(host.answer(Make(number, faces, None).to_message())).variants
    host.forget([1, 99])
    assert pictures_of(host.answer(Draw(2, rows).to_message())) == Engine(faces, CPU).draw(rows)
    with pytest.raises(RuntimeError, match="KeyError: 1"):
        pictures_of(host.answer(Draw(1, rows).to_message()))


@pytest.mark.skipif(torch.cuda.is_available(), reason="CUDA is there, and of use")
def test_the_process_does_not_go_on_with_a_device_that_is_of_no_more_use_to_it(faces):
    host = Host(Tuning((torch.device("cuda"),), 4, 0.0, 0.5, ""))
    with pytest.raises(KeyError):
        host.answer(Draw(1, sample_rows(faces, 1)).to_message())
