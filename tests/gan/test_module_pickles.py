"""Pickles of NVlabs' networks for PyTorch, written here by classes of the same names, and read without these."""

import io
import os
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from module_pickles import Module, module_of, networks, write
from stylegan2_layouts import make_stylegan2, nvlabs_layout

from latentwalk.gan.checkpoints import find_state_dict, read_checkpoint
from latentwalk.gan.errors import CheckpointRefused, GanError
from latentwalk.gan.families.stylegan2 import StyleGAN2
from latentwalk.gan.latents import one_hot, z_from_seeds


@pytest.mark.parametrize("protocol", [3, 4])
@pytest.mark.parametrize(("resolution", "classes"), [(16, 0), (8, 3)])
def test_the_average_generator_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, resolution: int, classes: int, protocol: int
) -> None:
    monkeypatch.chdir(tmp_path)
    original = make_stylegan2(resolution=resolution, classes=classes).freeze()
    file = write(tmp_path / "ffhq.pkl", networks(module_of(nvlabs_layout(original))), protocol)
    read = StyleGAN2.from_checkpoint(find_state_dict(read_checkpoint(file), "G_ema")).freeze()
    assert read.digest == original.digest
    z, condition = z_from_seeds([1, 2], 6), one_hot([0, 2], 3) if classes else None
    assert torch.equal(read(z, condition), original(z, condition))
    assert not (tmp_path / "done").exists()


def test_which_network_is_wanted_must_be_said(tmp_path: Path) -> None:
    file = write(tmp_path / "ffhq.pkl", networks(module_of(nvlabs_layout(make_stylegan2(resolution=8)))))
    with pytest.raises(GanError, match=r"must be one of \['G', 'G_ema'\]"):
        find_state_dict(read_checkpoint(file))


class Hostile:
    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("done",)


class Rebuilt:
    """A tensor whose storage is these bytes, of so many numbers from an offset on."""

    def __init__(self, saved: object, offset: int = 0, size: int = 2, stride: int = 1) -> None:
        self.arguments = saved, offset, (size,), (stride,), False, OrderedDict()

    def __reduce__(self) -> tuple[object, ...]:
        return torch._utils._rebuild_tensor_v2, self.arguments  # pyright: ignore[reportPrivateUsage]


class Storage:
    def __init__(self, content: object, *, as_archive: bool = False) -> None:
        file = io.BytesIO()
        torch.save(content, file, _use_new_zipfile_serialization=as_archive)
        self.saved = file.getvalue()

    def __reduce__(self) -> tuple[object, ...]:
        return torch.storage._load_from_bytes, (self.saved,)  # pyright: ignore[reportPrivateUsage]


class EmptyStorage(Storage):
    """One whose numbers are not among those that are there."""

    def __init__(self, content: object) -> None:
        super().__init__(content)
        self.saved = self.saved[: self.saved.rindex(b"\x80\x02]")] + b"\x80\x02]." + bytes(100)


def holding(leaf: object) -> dict[str, object]:
    module = Module({})
    module.state["_parameters"] = OrderedDict(weight=leaf)
    return networks(module)


def twice() -> dict[str, object]:
    part = Module({})
    return networks(Module({}, one=part, other=part))


TWO = torch.storage.TypedStorage(wrap_storage=torch.zeros(2).untyped_storage(), dtype=torch.float32, _internal=True)
REFUSED = {
    "a call": (lambda: holding(Hostile()), "its weight is no tensor"),
    "a number": (lambda: holding(3.0), "its weight is no tensor"),
    "a call for a network": (lambda: networks(Hostile()), "is none"),
    "a part twice": (twice, "network 'other' is none"),
    "a list": (lambda: [Module({})], "not a pickle of networks"),
    "no networks": (lambda: {"model": Module({})}, "not a pickle of networks"),
    "a call for a storage": (lambda: holding(Rebuilt(Hostile())), "its weight has no storage"),
    "a call in a storage": (lambda: holding(Rebuilt(Storage(Hostile()))), "wants to call"),
    "a list for a storage": (lambda: holding(Rebuilt(Storage([1]))), "cannot be read"),
    "an archive": (lambda: holding(Rebuilt(Storage(TWO, as_archive=True))), "in another form"),
    "no numbers": (lambda: holding(Rebuilt(EmptyStorage(TWO))), "has the numbers of 0 of the 1 storages"),
    "beyond the end": (lambda: holding(Rebuilt(Storage(TWO), offset=1)), "out of bounds"),
    "before the beginning": (lambda: holding(Rebuilt(Storage(TWO), offset=-1)), "cannot be read"),
    "backwards": (lambda: holding(Rebuilt(Storage(TWO), offset=1, stride=-1)), "cannot be read"),
    "a long name": (lambda: networks(Module({}, **{"a" * 1_001: Module({})})), "name of 1001 characters"),
    "without end": (lambda: holding(Rebuilt(Storage(TWO), size=2**40, stride=0)), "more bytes than the limit"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_such_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    monkeypatch.chdir(tmp_path)
    make_content, said = REFUSED[case]
    with pytest.raises(CheckpointRefused, match=said):
        read_checkpoint(write(tmp_path / "ffhq.pkl", make_content()))
    assert not (tmp_path / "done").exists()


def test_the_programs_of_all_storages_are_counted_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def average(count: int) -> dict[str, object]:
        parts = {f"part{index}": Module({}) for index in range(count)}
        for part in parts.values():
            part.state["_parameters"] = OrderedDict(weight=Rebuilt(Storage(TWO)))
        return networks(Module({}, **parts))

    monkeypatch.setattr("latentwalk.gan.torch_pickles.MAX_INSTRUCTIONS", 500)
    assert len(find_state_dict(read_checkpoint(write(tmp_path / "few.pkl", average(3))), "G_ema")) == 3
    with pytest.raises(CheckpointRefused, match="more than 500 instructions"):
        read_checkpoint(write(tmp_path / "many.pkl", average(30)))


@pytest.mark.parametrize("end", [100, 600, 2000, -1])
def test_a_broken_file_is_refused(tmp_path: Path, end: int) -> None:
    file = write(tmp_path / "ffhq.pkl", networks(module_of(nvlabs_layout(make_stylegan2(resolution=8)))))
    file.write_bytes(file.read_bytes()[:end])
    with pytest.raises(CheckpointRefused):
        read_checkpoint(file)
