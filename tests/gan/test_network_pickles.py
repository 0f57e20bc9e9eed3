"""Pickles of NVlabs' networks for TensorFlow, written here by classes of the same names, and read without these."""

import os
import pickle
import sys
from pathlib import Path
from types import ModuleType
from typing import Literal
from unittest.mock import patch

import numpy as np
import pytest
import torch
from golden import golden
from stylegan2_layouts import make_stylegan2, tensorflow_layout
from torch import Tensor

from latentwalk.gan.checkpoints import find_state_dict, read_checkpoint
from latentwalk.gan.errors import CheckpointRefused, GanError
from latentwalk.gan.families import build_generator
from latentwalk.gan.families.progan import ProGAN
from latentwalk.gan.families.stylegan import StyleGAN
from latentwalk.gan.families.stylegan2 import StyleGAN2
from latentwalk.gan.latents import one_hot, z_from_seeds
from latentwalk.gan.spec import SPACES, GeneratorSpec


class Network:
    def __init__(self, variables: dict[str, object], **components: object) -> None:
        arguments = EasyDict(resolution=np.float64(8), func_name="training.networks_stylegan.G_style")
        self.state = {"version": 3, "name": "G", "static_kwargs": arguments, "build_module_src": "import os"}
        self.state |= {"components": components, "variables": list(variables.items())}

    def __getstate__(self) -> dict[str, object]:
        return self.state


class EasyDict(dict):
    pass


class EarlyNetwork:
    """As in the code of Progressive GAN: without parts."""

    def __init__(self, variables: dict[str, object]) -> None:
        self.state = {"version": 2, "name": "G", "static_kwargs": {"fused_scale": True}, "build_func_name": "G_paper"}
        self.state["variables"] = list(variables.items())

    def __getstate__(self) -> dict[str, object]:
        return self.state


Network.__module__, EasyDict.__module__, EarlyNetwork.__module__ = "dnnlib.tflib.network", "dnnlib.util", "tfutil"
EarlyNetwork.__name__ = EarlyNetwork.__qualname__ = "Network"


def write(path: Path, content: object, protocol: int = 4) -> Path:
    """Pickles under the names of NVlabs' code, which are gone again before anything is read."""
    names = ("dnnlib", "dnnlib.tflib", "dnnlib.tflib.network", "dnnlib.util", "tfutil")
    modules = {name: ModuleType(name) for name in names}
    for own in (Network, EasyDict, EarlyNetwork):
        setattr(modules[own.__module__], own.__name__, own)
    with patch.dict(sys.modules, modules):
        path.write_bytes(pickle.dumps(content, protocol))
    return path


def array(values: Tensor) -> np.ndarray | np.float32:
    """As TensorFlow gives it: a single number as a scalar."""
    return values.detach().numpy().copy()[()]


def networks_of(generator: StyleGAN) -> tuple[Network, Network, Network]:
    """A generator as NVlabs would have pickled it, with what is not needed: smaller pictures, how far it has grown."""
    parts = {
        "source.constant": "const",
        "bias": "bias",
        "noise_strength": "Noise/weight",
        "style.bias": "StyleMod/bias",
    }
    mapping, synthesis = dict[str, object](), dict[str, object]({"lod": np.float32(0)})
    synthesis["ToRGB_lod1/weight"] = np.full((1, 1, 3, 3), np.nan, np.float32)
    for name, tensor in generator.state_dict().items():
        match name.split("."):
            case ["mapping", "layers", index, part]:
                mapping[f"Dense{index}/{part}"] = array(tensor.T if part == "weight" else tensor)
            case ["mapping", "embedding"]:
                mapping["LabelConcat/weight"] = array(tensor)
            case ["synthesis", "colours", part]:
                synthesis[f"ToRGB_lod0/{part}"] = array(tensor.permute(2, 3, 1, 0) if part == "weight" else tensor)
            case ["synthesis", "layers", index, "noise"]:
                synthesis[f"noise{index}"] = array(tensor)
            case ["synthesis", "layers", index, *rest]:
                side, second = 4 << int(index) // 2, int(index) % 2
                scope = f"{side}x{side}/" + (("Const", "Conv") if side == 4 else ("Conv0_up", "Conv1"))[second]
                part = ".".join(rest)
                if part == "source.weight":
                    kernel = tensor.flip(2, 3) if side >= 128 and not second else tensor
                    synthesis[f"{scope}/weight"] = np.asfortranarray(array(kernel.permute(2, 3, 1, 0)))
                elif part == "style.weight":
                    synthesis[f"{scope}/StyleMod/weight"] = array(tensor.T)
                else:
                    synthesis[f"{scope}/{parts[part]}"] = array(tensor)
    average = {"dlatent_avg": array(generator.mean), "lod": np.float32(0)}
    whole = Network(average, synthesis=Network(synthesis), mapping=Network(mapping))
    return Network({}), Network({"4x4/weight": np.ones((2, 2), np.float32)}), whole


def make(resolution: int, classes: int) -> StyleGAN:
    torch.manual_seed(0)
    config = {"width": 3, "max_width": 6, "mapping_layers": 2}
    layers = 2 * resolution.bit_length() - 4
    spec = GeneratorSpec("stylegan", 5, classes, resolution, 3, config, spaces=SPACES, layers=layers, w_size=4)
    generator = build_generator(spec)
    with torch.no_grad():
        for tensor in (*generator.parameters(), generator.get_buffer("mean")):
            tensor.add_(torch.randn_like(tensor))
    assert isinstance(generator, StyleGAN)
    return generator.freeze()


@pytest.mark.parametrize("protocol", [3, 4])
@pytest.mark.parametrize(("resolution", "classes"), [(16, 0), (8, 3), (128, 0)])
def test_the_average_generator_is_read(tmp_path: Path, resolution: int, classes: int, protocol: int) -> None:
    original = make(resolution, classes)
    file = write(tmp_path / "karras.pkl", networks_of(original), protocol)
    if protocol == 3:  # as numpy before 2.0 named its parts
        file.write_bytes(file.read_bytes().replace(b"numpy._core", b"numpy.core"))
    read = StyleGAN.from_checkpoint(find_state_dict(read_checkpoint(file), "Gs")).freeze()
    assert read.digest == original.digest
    z, condition = z_from_seeds([1, 2], 5), one_hot([0, 2], 3) if classes else None
    assert torch.equal(read(z, condition), original(z, condition))


@pytest.mark.parametrize("classes", [0, 2])
def test_a_stylegan2_is_read(tmp_path: Path, classes: int) -> None:
    original = make_stylegan2(classes=classes).freeze()
    average, parts = dict[str, object](), {"synthesis": dict[str, object](), "mapping": dict[str, object]()}
    for name, tensor in tensorflow_layout(original).items():
        component, is_part, variable = name.partition("/")
        (parts[component] if is_part else average)[variable or name] = array(tensor)
    whole = Network(average, **{name: Network(variables) for name, variables in parts.items()})
    file = write(tmp_path / "stylegan2-ffhq-config-f.pkl", (Network({}), Network({}), whole))
    read = StyleGAN2.from_checkpoint(find_state_dict(read_checkpoint(file), "Gs")).freeze()
    assert read.spec == original.spec
    z, condition = z_from_seeds([1, 2], 6), one_hot([0, 1], 2) if classes else None
    torch.testing.assert_close(read(z, condition), original(z, condition))


def test_a_progressive_gan_is_read(tmp_path: Path) -> None:
    known = golden("progan_tensorflow")
    average = EarlyNetwork({name: array(tensor) for name, tensor in known.checkpoint.items()})
    file = write(tmp_path / "karras2018iclr-lsun.pkl", (EarlyNetwork({}), EarlyNetwork({}), average))
    read = ProGAN.from_checkpoint(find_state_dict(read_checkpoint(file), "Gs"), 3).freeze()
    torch.testing.assert_close(read(known.z, known.condition), known.pictures[1.0], rtol=1e-4, atol=1e-4)


def test_which_network_is_wanted_must_be_said(tmp_path: Path) -> None:
    file = write(tmp_path / "karras.pkl", networks_of(make(8, 0)))
    with pytest.raises(GanError, match=r"must be one of .*'Gs'"):
        find_state_dict(read_checkpoint(file))


class Hostile:
    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("done",)


def with_variables(values: dict[str, object]) -> tuple[Network, ...]:
    return Network({}), Network({}), Network(values)


def with_variable(value: object) -> tuple[Network, ...]:
    return with_variables({"a": value})


def twice() -> tuple[Network, ...]:
    part = Network({})
    return Network({}), Network({}), Network({}, one=part, other=part)


REFUSED = {
    "a call": (lambda: with_variable(Hostile()), "'a' is no array"),
    "two networks": (lambda: (Network({}), Network({})), "three networks"),
    "a single network": (lambda: Network({}), "three networks"),
    "a list of networks": (lambda: [Network({})] * 3, "three networks"),
    "one network three times": (lambda: (Network({}),) * 3, "is none"),
    "a component twice": (twice, "network 'other' is none"),
    "no network": (lambda: (Network({}), Network({}), EasyDict()), "is none"),
    "an array of objects": (lambda: with_variable(np.array([{}], object)), "not of float32"),
    "a double": (lambda: with_variable(np.float64(3)), "not of float32"),
    "doubles": (lambda: with_variable(np.zeros(3)), "not of float32"),
    "big-endian": (lambda: with_variable(np.zeros(3, ">f4")), "not of float32"),
    "text": (lambda: with_variable("b"), "'a' is no array"),
    "a variable named by a tuple": (lambda: (Network({("a",): 1}),) * 3, "a tuple as a name"),
    "a key that is a tuple": (lambda: with_variable({("a",): 1}), "a tuple as a name"),
    "a set": (lambda: with_variable({1}), "'a' is no array"),
    "a frozen set": (lambda: with_variable(frozenset({1})), "FROZENSET, which no weights need"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_such_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    monkeypatch.chdir(tmp_path)
    make_content, said = REFUSED[case]
    with pytest.raises(CheckpointRefused, match=said):
        read_checkpoint(write(tmp_path / "karras.pkl", make_content()))
    assert not (tmp_path / "done").exists()


@pytest.mark.parametrize("rows", [b"J\xff\xff\xff\x7f", b"G@\x08\0\0\0\0\0\0"], ids=["too many", "3.0"])
def test_a_shape_that_the_data_has_not_is_refused(tmp_path: Path, rows: bytes) -> None:
    file = write(tmp_path / "karras.pkl", with_variable(np.zeros((3, 77), np.float32)), 3)
    content = file.read_bytes()
    assert content.count(b"K\x03KM\x86") == 1
    file.write_bytes(content.replace(b"K\x03KM\x86", rows + b"KM\x86"))
    with pytest.raises(CheckpointRefused, match="of another size than its shape"):
        read_checkpoint(file)


def test_a_shape_of_many_huge_sides_is_refused_before_it_is_multiplied(tmp_path: Path) -> None:
    file = write(tmp_path / "karras.pkl", with_variable(np.zeros((3, 77), np.float32)), 3)
    huge = b"\x8b" + (100_000).to_bytes(4, "little") + b"\x7f" * 100_000
    sides = b"(" + huge + b"r\xff\xff\x00\x00" + b"j\xff\xff\x00\x00" * 2_000 + b"t"
    file.write_bytes(file.read_bytes().replace(b"K\x03KM\x86", sides))
    with pytest.raises(CheckpointRefused, match="of another size than its shape"):
        read_checkpoint(file)


@pytest.mark.parametrize("order", ["C", "F"])
def test_variables_that_share_an_array_share_its_memory(tmp_path: Path, order: Literal["C", "F"]) -> None:
    array = np.asarray(np.arange(6, dtype=np.float32).reshape(2, 3), order=order)
    read = read_checkpoint(write(tmp_path / "karras.pkl", with_variables({"a": array, "b": array})))
    one, other = read["Gs"]["a"], read["Gs"]["b"]
    assert torch.equal(one, torch.arange(6.0).view(2, 3))
    assert torch.equal(one, other)
    assert one.data_ptr() == other.data_ptr()


def test_a_small_file_of_one_array_under_many_names_is_refused(tmp_path: Path) -> None:
    array = np.zeros(10_000, np.float32)
    file = write(tmp_path / "karras.pkl", with_variables({f"v{index}": array for index in range(100)}))
    with pytest.raises(CheckpointRefused, match="unfold to more bytes than the limit"):
        read_checkpoint(file)


def test_a_long_name_that_many_variables_would_begin_with_is_refused(tmp_path: Path) -> None:
    inner = Network({f"v{index}": np.zeros(1, np.float32) for index in range(3)})
    file = write(tmp_path / "karras.pkl", (Network({}), Network({}), Network({}, **{"a" * 2_000: inner})))
    with pytest.raises(CheckpointRefused, match="name of 2000 characters, the limit is 1000"):
        read_checkpoint(file)


def test_a_program_without_end_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "karras.pkl"
    file.write_bytes(b"\x80\x04cdnnlib.tflib.network\nNetwork\n" + b"}" * 1_000_001 + b".")
    with pytest.raises(CheckpointRefused, match="more than 1000000 instructions"):
        read_checkpoint(file)


@pytest.mark.parametrize("end", [10, 60, 200, -1])
def test_a_broken_file_is_refused(tmp_path: Path, end: int) -> None:
    file = write(tmp_path / "karras.pkl", networks_of(make(8, 0)))
    file.write_bytes(file.read_bytes()[:end])
    with pytest.raises(CheckpointRefused):
        read_checkpoint(file)
