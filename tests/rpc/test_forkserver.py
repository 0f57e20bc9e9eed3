"""The fork server: what is heard of a service that ends while it has a process forked."""

import subprocess
import sys

import pytest

ENDS_WHILE_IT_TELLS = """
import os, sys
from multiprocessing import forkserver
from multiprocessing.reduction import ForkingPickler
from latentwalk.rpc import forkserver as ours
ours.start()
told = b"".join(ForkingPickler.dumps(part) for part in ({"name": "preparation"}, "the process" * 20))
_, telling = forkserver.connect_to_new_process([])
os.write(telling, told[: int(sys.argv[1])])
os._exit(3)
"""

FORKS_WHAT_CANNOT_BE_FOUND = """
import __main__
from latentwalk.rpc.forkserver import CONTEXT
def vanishing(): pass
process = CONTEXT.Process(target=vanishing)
process.start()
process.join()
"""


def errors_of(program, *arguments):
    """What was written to the standard error of this program and of all that it forked."""
    done = subprocess.run([sys.executable, "-c", program, *arguments], stderr=subprocess.PIPE, text=True, timeout=300)
    return done.stderr


@pytest.mark.parametrize("told", [0, 1, 100, -10], ids=["nothing", "one byte", "half", "all but ten bytes"])
def test_a_fork_that_was_not_told_all_ends_without_a_word(told):
    assert errors_of(ENDS_WHILE_IT_TELLS, str(told)) == ""


def test_a_fork_that_cannot_do_what_it_was_told_still_says_so():
    assert "AttributeError: Can't get attribute 'vanishing'" in errors_of(FORKS_WHAT_CANNOT_BE_FOUND)
