"""The command line as a process: the services that it becomes, and Ctrl-C.

How long a service takes to import all that it needs is up to the machine, and to what else it does. So what ends by
itself is waited for without a limit of its own, and what hangs is ended by that of the test, which is generous.
"""

import os
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import latentwalk.cli
from latentwalk.cli.demo.processes import START_SECONDS, free_address
from latentwalk.client import Client, JobState
from latentwalk.v1 import tensor_pb2

pytestmark = pytest.mark.timeout(600)


def test_serve_becomes_the_server_with_all_flags_passed_through(start_latentwalk, tmp_path, publish_faces):
    publish_faces(tmp_path)
    address = free_address()
    process = start_latentwalk(
        "serve", "--address", address, "--metrics-address=", "--store", tmp_path / "store", "--engine-cache="
    )
    with Client(address) as client:
        client.wait_ready(timeout=START_SECONDS)
        assert [model.name for model in client.models()] == ["faces"]
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate()
    assert process.returncode == 0
    assert "Traceback" not in log


def test_the_flags_of_a_service_are_its_own_and_its_usage_is_what_was_typed(start_latentwalk):
    helped, refused = start_latentwalk("trainer", "--help"), start_latentwalk("serve", "--no-such-flag")
    shown, _ = helped.communicate()
    assert shown.startswith("usage: latentwalk trainer ")
    assert "--metrics-address" in shown
    assert helped.returncode == 0
    _, said = refused.communicate()
    assert said.startswith("usage: latentwalk serve ")
    assert "--no-such-flag" in said
    assert refused.returncode != 0


def test_a_base_installation_says_which_extra_is_missing():
    # -S leaves out what an editable installation adds to the path, so only these roots and the libraries are there.
    libraries = sysconfig.get_path("purelib")
    roots = [Path(latentwalk.cli.__file__).parents[2], Path(tensor_pb2.__file__).parents[2], libraries]
    for command, extra in (("serve", "server"), ("trainer", "trainer"), ("import", "server"), ("demo", "all")):
        done = subprocess.run(
            [sys.executable, "-S", "-m", "latentwalk.cli.main", command],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, roots))},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert f"pip install 'latentwalk[{extra}]'" in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_ctrl_c_ends_also_what_is_still_being_loaded():
    command = [sys.executable, "-X", "importtime", "-m", "latentwalk.cli.main", "models", "list"]
    interruptible = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.default_int_handler)}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **interruptible)
    assert process.stderr is not None
    assert any(line.endswith(" numpy\n") for line in process.stderr)  # typer and rich are still to come
    process.send_signal(signal.SIGINT)
    _, told = process.communicate()
    assert (process.returncode, "Traceback" in told) == (130, False)


def test_ctrl_c_stops_watching_and_not_the_job(start_latentwalk, services, wait_until):
    with Client(services.server, trainer_address=services.trainer) as client:
        job = client.train_edit("faces", "endless", edits="zoom", steps=1_000_000, batch_size=4)
        try:
            process = start_latentwalk(*services.flags, "jobs", "watch", job.id, "--json")
            assert process.stdout is not None
            assert '"sequence": 1' in process.stdout.readline()
            process.send_signal(signal.SIGINT)
            _, told = process.communicate()
            assert process.returncode == 130
            assert told == f"the job goes on: latentwalk jobs watch {job.id}\n"
            wait_until(lambda: job.describe().state is JobState.RUNNING)
        finally:
            job.cancel()
            job.delete()


def test_what_grpc_says_by_itself_does_not_stand_around_the_failure(services):
    command = [sys.executable, "-m", "latentwalk.cli.main", "--server", services.server, "--tls", "models", "list"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert done.stderr.startswith(f"error: no server answers at {services.server}")


def test_a_reader_that_goes_away_is_no_failure(services):
    command = f"{sys.executable} -m latentwalk.cli.main --server {services.server} models list --json | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
