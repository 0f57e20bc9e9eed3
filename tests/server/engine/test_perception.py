"""The weights of LPIPS are looked at once."""

import os

import pytest
from backbone_files import write_alexnet

from latentwalk.gan.errors import GanError
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.server.engine.perception import Perception

LARGE = GeneratorSpec("dcgan", 8, 0, 32, 3, {"width": 4})


def test_a_broken_file_is_not_read_again_for_each_search_until_it_is_another(tmp_path):
    file = tmp_path / "alexnet.pth"
    file.write_bytes(b"broken")
    perception, written = Perception(str(file)), file.stat().st_mtime_ns
    with pytest.raises(GanError) as first:
        perception.check(LARGE)
    write_alexnet(file)
    os.utime(file, ns=(written, written))
    with pytest.raises(GanError) as second:
        perception.check(LARGE)
    assert str(second.value) == str(first.value)
    os.utime(file, ns=(written, written + 1_000_000_000))
    perception.check(LARGE)
