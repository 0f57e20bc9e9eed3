"""What was let go of is given back, also what lies between blocks that are still in use."""

import ctypes
import multiprocessing
import sys
from pathlib import Path

import pytest
import torch

from latentwalk.server.engine.memory import give_back

BLOCKS, BLOCK_BYTES = 4_000, 1 << 16


def resident() -> int:
    """Bytes of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def let_go_of_all_but_the_last() -> None:
    """In a process of its own, whose memory nobody else takes."""
    blocks = [torch.zeros(BLOCK_BYTES, dtype=torch.uint8) for _ in range(BLOCKS)]
    last = blocks.pop()
    blocks.clear()
    before = resident()
    give_back()
    assert before - resident() > BLOCKS * BLOCK_BYTES / 2
    assert not last.any()


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="only glibc keeps such memory"
)
def test_memory_between_blocks_in_use_is_given_back():
    process = multiprocessing.get_context("spawn").Process(target=let_go_of_all_but_the_last)
    process.start()
    process.join()
    assert process.exitcode == 0
