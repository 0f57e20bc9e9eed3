"""What a shell offers when the tab key is pressed: commands, options, choices, and the names that the services have."""

import os
import subprocess
import sys

import pytest

from latentwalk.cli.demo.processes import free_address


def offered(line: str, *, server: str = "127.0.0.1:1") -> list[str]:
    """What Bash is told of a line, at the end of which the key is pressed."""
    asked = {"_LATENTWALK_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
    program = "from latentwalk.cli.commands import app; app(prog_name='latentwalk')"
    environment = os.environ | asked | {"LATENTWALK_SERVER": server}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("latentwalk walk di", ["digits"]),
        ("latentwalk walk digits ro", ["rotate"]),
        ("latentwalk walk digits zoom ro", ["rotate"]),
        ("latentwalk directions show digits shift_", ["shift_x", "shift_y"]),
        ("latentwalk look b", ["banked"]),
    ],
)
def test_names_are_those_that_the_server_has(address: str, line: str, names: list[str]):
    assert offered(line, server=address) == names


@pytest.mark.parametrize("line", ["latentwalk walk --server ", "latentwalk walk digits --seeds 1 --trainer "])
def test_where_a_server_is_to_be_named_there_are_no_other_names(address: str, line: str):
    assert offered(line, server=address) == []


def test_where_a_file_is_to_be_named_there_are_no_words_of_the_command():
    assert offered("latentwalk store delete --tls-root ") == []


def test_the_server_may_be_named_in_the_line(address: str):
    assert offered(f"latentwalk --server {address} walk di") == ["digits"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("latentwalk interp", ["interpolate"]),
        ("latentwalk walk digits --ea", ["--easing"]),
        ("latentwalk walk digits --easing i", ["in", "in_out"]),
        ("latentwalk models list --server ", []),
        ("latentwalk walk di", []),
    ],
)
def test_without_a_server_there_is_all_that_the_commands_know_and_no_complaint(line: str, words: list[str]):
    assert offered(line, server=free_address()) == words
