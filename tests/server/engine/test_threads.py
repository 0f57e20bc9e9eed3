"""The engine takes the cores that it may have, and leaves one to the others."""

import os

import pytest
import torch

from latentwalk.server.engine import threads


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with these sets of hardware threads, and with files of its control groups."""

    def build(*cores, **groups):
        processors = tmp_path / "cpu"
        for siblings in cores:
            for processor in siblings:
                topology = processors / f"cpu{processor}" / "topology"
                topology.mkdir(parents=True)
                (topology / "thread_siblings_list").write_text(",".join(map(str, siblings)) + "\n")
        for path, quota in groups.items():
            folder = tmp_path / "cgroup" / path.replace("_", "/")
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "cpu.max").write_text(f"{quota}\n")
        (tmp_path / "own").write_text("0::/pod/box\n")
        monkeypatch.setattr(threads, "_PROCESSORS", processors)
        monkeypatch.setattr(threads, "_GROUPS", tmp_path / "cgroup")
        monkeypatch.setattr(threads, "_OWN_GROUP", tmp_path / "own")
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: {one for core in cores for one in core}, raising=False)
        monkeypatch.setattr(os, "cpu_count", lambda: 64)

    return build


@pytest.mark.parametrize(
    ("cores", "groups", "usable"),
    [
        ([(0,), (1,), (2,), (3,)], {}, 4),
        ([(0, 4), (1, 5), (2, 6), (3, 7)], {}, 4),
        ([(k,) for k in range(8)], {"pod": "200000 100000", "pod_box": "max 100000"}, 2),
        ([(k,) for k in range(8)], {"pod": "max 100000", "pod_box": "350000 100000"}, 3),
        ([(k,) for k in range(8)], {"pod_box": "50000 100000"}, 1),
        ([(k,) for k in range(8)], {"pod_box": "what?"}, 8),
    ],
    ids=["plain", "two threads a core", "quota above", "quota", "half a core", "unreadable"],
)
def test_cores_are_counted_as_they_may_be_used(machine, cores, groups, usable):
    machine(*cores, **groups)
    assert threads.usable_cores() == usable


def test_one_core_is_left_to_the_others_unless_told_otherwise(machine):
    before = torch.get_num_threads()
    machine((0,), (1,), (2,))
    try:
        threads.use_threads(0)
        assert torch.get_num_threads() == 2
        threads.use_threads(1)
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


def test_this_machine_has_a_core_at_least():
    assert 1 <= threads.usable_cores() <= (os.cpu_count() or 1)
