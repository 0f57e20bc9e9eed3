"""`python -m latentwalk.server`, as it is really started and stopped."""

import json
import logging
import os
import signal
import subprocess
import sys
import time

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from latentwalk.server.assembly import main
from latentwalk.v1 import generation_service_pb2 as pb
from latentwalk.v1 import generation_service_pb2_grpc


class Process:
    """A server in a process of its own, on any free port."""

    def __init__(self, library, *arguments):
        command = [sys.executable, "-m", "latentwalk.server", "--store", str(library.path), "--torch-threads", "1"]
        engine = ["--engine-seconds", "0.2", "--engine-cache", str(library.path.parent / "engine")]
        free = ["--address", "127.0.0.1:0", "--metrics-address", "127.0.0.1:0", *engine]
        self.popen = subprocess.Popen(
            [*command, *free, *arguments], stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        self.address = self.wait_for("serving")["address"]
        self.channel = grpc.insecure_channel(self.address)
        self.generation = generation_service_pb2_grpc.GenerationServiceStub(self.channel)

    def wait_for(self, message):
        """The line of its log with that message."""
        for text in self.popen.stderr:
            line = json.loads(text)
            if line["message"].startswith(message):
                return line
        raise AssertionError(f"the process ended without a line {message!r}")

    def close(self):
        self.channel.close()
        self.popen.kill()
        self.popen.wait()
        self.popen.stderr.close()


@pytest.fixture
def start():
    """A function that starts a server process."""
    started = []

    def begin(library, *arguments):
        started.append(Process(library, *arguments))
        return started[-1]

    yield begin
    for process in started:
        process.close()


def walk(frames, model="slow"):
    request = pb.WalkRequest(model=model)
    request.starts.add(seed=1)
    stretch = request.legs.add(frames=frames).stretches.add(direction="zoom", to=pb.Extent(alpha=1))
    getattr(stretch, "from").alpha = 0
    return request


def test_a_process_serves_and_says_so(library, start):
    process = start(library)
    health = health_pb2_grpc.HealthStub(process.channel)
    for service in ("", "latentwalk.v1.GenerationService", "latentwalk.v1.ModelService"):
        reply = health.Check(health_pb2.HealthCheckRequest(service=service))
        assert reply.status == health_pb2.HealthCheckResponse.SERVING
    assert len(list(process.generation.Walk(walk(3, "faces")))) == 4


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_at_a_signal_a_running_walk_is_served_to_its_end_and_the_process_ends_with_0(slow_library, start, number):
    process = start(slow_library)
    call = process.generation.Walk(walk(100))
    next(call)
    process.popen.send_signal(number)
    process.wait_for(number.name)
    assert len(list(call)) == 100
    assert process.popen.wait(120) == 0


def test_a_signal_to_all_its_processes_loses_no_frame_either(slow_library, start):
    process = start(slow_library)
    call = process.generation.Walk(walk(100))
    next(call)
    os.killpg(process.popen.pid, signal.SIGTERM)
    process.wait_for("SIGTERM")
    assert len(list(call)) == 100
    assert process.popen.wait(120) == 0


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_is_left_however_it_ends(slow_library, start, ending):
    process = start(slow_library)
    call = process.generation.Walk(walk(10_000))
    next(call)
    assert len(group(process.popen.pid)) > 1
    process.popen.send_signal(ending)
    call.cancel()
    process.popen.wait(120)
    wait_until_gone(process.popen.pid)


def wait_until_gone(leader):
    """Returns once no process of that group is left."""
    until = time.monotonic() + 120
    while group(leader) and time.monotonic() < until:
        time.sleep(0.05)
    assert group(leader) == []


def group(leader):
    """The processes of that group."""
    listed = subprocess.run(["ps", "-e", "-o", "pgid=,pid=,stat="], capture_output=True, text=True, check=True)
    rows = (line.split() for line in listed.stdout.splitlines())
    return [pid for pgid, pid, state in rows if int(pgid) == leader and not state.startswith("Z")]


def test_a_second_signal_ends_the_process_at_once(slow_library, start):
    process = start(slow_library, "--grace-seconds", "600")
    call = process.generation.Walk(walk(10_000))
    next(call)
    process.popen.send_signal(signal.SIGINT)
    process.wait_for("SIGINT")
    process.popen.send_signal(signal.SIGTERM)
    assert process.popen.wait(120) == 128 + signal.SIGTERM
    with pytest.raises(grpc.RpcError):
        list(call)


# The signal is heard also where the suite does not. Not by a preexec_fn, which forks: gRPC would write of that.
HEARS = """
import os, signal, sys
signal.signal(int(sys.argv[1]), signal.SIG_DFL)
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("processes", [3, 4], ids=["among the imports", "while the device starts"])
def test_a_signal_ends_a_start_at_once_and_without_a_traceback(library, number, processes):
    command = ["-m", "latentwalk.server", "--store", str(library.path), "--address", "127.0.0.1:0"]
    command += ["--metrics-address", ""]  # that of others may be taken
    command = [sys.executable, "-c", HEARS, str(int(number)), *command]
    options = {"stderr": subprocess.PIPE, "text": True, "start_new_session": True}
    with subprocess.Popen(command, **options) as process:
        while len(group(process.pid)) < processes:
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.01)
        process.send_signal(number)
        assert process.wait(120) == 128 + number
        # Others of the group might still write to it. Nothing is told but how the start was going.
        told = [json.loads(line) for line in process.stderr.read().splitlines()]
        assert {one["level"] for one in told} <= {"info"}
    wait_until_gone(process.pid)


def run(*arguments):
    command = [sys.executable, "-m", "latentwalk.server", "--metrics-address", "", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def test_a_second_server_on_one_port_ends_with_one_clear_line(library, start):
    address = start(library).address
    second = run("--address", address, "--store", str(library.path))
    assert second.returncode == 1
    assert (
        second.stderr
        == f"latentwalk.server: cannot listen on {address}: Address already in use; choose another with --address\n"
    )


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--max-batch", "0"], "flag: max_batch = '0': must be from 1 to 1,024"),
        (["--store", "nothing://here"], "artifact store 'nothing://here' cannot be opened"),
    ],
)
def test_a_setting_that_cannot_be_used_ends_it_with_one_clear_line(arguments, line):
    done = run("--address", "127.0.0.1:0", *arguments)
    assert done.returncode == 1
    assert line in done.stderr
    assert len(done.stderr.splitlines()) == 1


def dies(*arguments):
    os._exit(7)


@pytest.fixture
def own_log(monkeypatch):
    """What the program does to the log of this process is undone."""
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)


@pytest.mark.usefixtures("own_log")
def test_a_device_that_dies_while_it_starts_ends_it_with_one_clear_line(library, monkeypatch, capfd):
    monkeypatch.setattr("latentwalk.server.device.process.serve", dies)
    assert main(["--address", "127.0.0.1:0", "--metrics-address", "", "--store", str(library.path)]) == 1
    assert "the device's process ended with exit code 7 before it was ready\n" in (line := capfd.readouterr().err)
    assert len(line.splitlines()) == 1
