"""Files are read again once they have changed, and looked at no more than once a second."""

import os

import pytest

from latentwalk.rpc.reloading import Reloaded
from latentwalk.rpc.settings import SettingsError


class File:
    """A file that holds words, on a clock of its own; how often it was read."""

    def __init__(self, path):
        self.path, self.now, self.reads = path, 1_000.0, 0
        self.path.write_text("one")
        self.reloaded = Reloaded((path,), self.read, lambda: self.now)

    def read(self):
        self.reads += 1
        if (words := self.path.read_text()) == "broken":
            raise SettingsError("it is broken")
        return words

    def value_after(self, seconds):
        self.now += seconds
        return self.reloaded.value()


@pytest.fixture
def file(tmp_path):
    return File(tmp_path / "file")


def test_a_change_is_seen_a_second_after_the_last_look_and_not_before(file):
    file.path.write_text("another")
    assert [file.value_after(seconds) for seconds in (0.0, 0.9, 0.2)] == ["one", "one", "another"]
    file.path.write_text("and a third one")
    assert [file.value_after(seconds) for seconds in (0.0, 0.9, 0.2)] == ["another", "another", "and a third one"]


def test_what_has_not_changed_is_not_read_again(file):
    assert [file.value_after(2.0) for _ in range(3)] == ["one"] * 3
    assert file.reads == 1
    file.path.write_text("another")
    assert [file.value_after(2.0) for _ in range(3)] == ["another"] * 3
    assert file.reads == 2


def test_what_cannot_be_read_leaves_what_was_and_is_read_once_more_when_it_changes(file):
    file.path.write_text("broken")
    assert [file.value_after(2.0) for _ in range(3)] == ["one"] * 3
    assert file.reads == 2
    file.path.write_text("whole again")
    assert file.value_after(2.0) == "whole again"


def test_what_may_be_read_at_last_or_has_the_time_of_before_is_read_again(file):
    file.path.chmod(0o640)
    assert [file.value_after(2.0), file.reads] == ["one", 2]
    before = file.path.stat()
    file.path.write_text("two")
    os.utime(file.path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.value_after(2.0) == "two"


def test_what_cannot_be_read_at_first_is_refused(tmp_path):
    def read():
        raise SettingsError("there is none")

    with pytest.raises(SettingsError, match="there is none"):
        Reloaded((tmp_path / "none",), read)
