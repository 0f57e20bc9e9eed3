import argparse
import contextlib
import io
import os
import pickle
import sys
import types
import zipfile
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from checkpoint_files import FORMS, refusal, save
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from latentwalk.gan.checkpoints import find_state_dict, read_checkpoint
from latentwalk.gan.errors import CheckpointRefused, GanError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "checkpoint.pt"


@pytest.mark.parametrize("form", FORMS)
def test_tensors_and_plain_containers_come_back_as_they_were(path: Path, form: str) -> None:
    weights = OrderedDict(
        a=torch.randn(3, 4), b=torch.arange(5), c=torch.ones(2, dtype=torch.bfloat16), d=torch.tensor(1)
    )
    content = {"weights": weights, "step": 7, "rate": 0.5, "best": True, "note": "é", 3: [None, (1, "two", [])]}
    tree = read_checkpoint(save(content, path, form))
    assert {key: value for key, value in tree.items() if key != "weights"} == {
        "step": 7,
        "rate": 0.5,
        "best": True,
        "note": "é",
        3: [None, (1, "two", [])],
    }
    assert type(tree["weights"]) is dict
    for name, tensor in weights.items():
        assert torch.equal(tree["weights"][name], tensor)
        assert tree["weights"][name].dtype == tensor.dtype


@pytest.mark.parametrize("form", FORMS)
def test_parameters_come_as_plain_tensors_without_gradients(path: Path, form: str) -> None:
    tree = read_checkpoint(save({"w": nn.Parameter(torch.ones(3))}, path, form))
    assert type(tree["w"]) is Tensor
    assert not tree["w"].requires_grad


@pytest.mark.parametrize("form", FORMS)
def test_an_optimiser_of_a_real_training_is_read(path: Path, form: str) -> None:
    model = nn.Linear(2, 2)
    adam = torch.optim.Adam(model.parameters())
    model(torch.ones(1, 2)).sum().backward()
    adam.step()
    tree = read_checkpoint(save({"model": model.state_dict(), "optimiser": adam.state_dict()}, path, form))
    assert torch.equal(find_state_dict(tree, "model")["weight"], model.weight)
    assert tree["optimiser"]["param_groups"][0]["betas"] == (0.9, 0.999)


@pytest.mark.parametrize("form", FORMS)
def test_the_options_of_a_training_run_are_left_out(path: Path, form: str) -> None:
    options = argparse.Namespace(size=256, path="data", parts={1}, more=[argparse.Namespace(lr=0.002)])
    tree = read_checkpoint(save({"g_ema": {"w": torch.ones(1)}, "args": options, "all": [options]}, path, form))
    assert tree == {"g_ema": {"w": torch.ones(1)}, "args": None, "all": [None]}
    # What torch admits elsewhere is as before.
    with pytest.raises(pickle.UnpicklingError, match=r"argparse\.Namespace"):
        torch.load(path, weights_only=True)


class BaseConfig:
    """As pytorch_GAN_zoo keeps the options of a training run."""

    def __init__(self, **options: object) -> None:
        self.__dict__.update(options)


BaseConfig.__module__ = "models.utils.config"


@pytest.mark.parametrize("form", FORMS)
def test_the_options_of_pytorch_gan_zoo_are_left_out(path: Path, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("models", "models.utils", "models.utils.config"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setattr(sys.modules["models.utils.config"], "BaseConfig", BaseConfig, raising=False)
    save({"avgG": {"w": torch.ones(1)}, "config": BaseConfig(depthOtherScales=[512], alpha=0)}, path, form)
    monkeypatch.undo()
    assert read_checkpoint(path) == {"avgG": {"w": torch.ones(1)}, "config": None}


class Calls:
    """Pickles as a call, which an unguarded reader makes."""

    def __init__(self, function: object, *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple:
        return self.call


@pytest.mark.parametrize("form", [*FORMS, "pickle"])
@pytest.mark.parametrize("attack", ["os.system", "eval", "exec", "open", "subprocess", "foreign"])
def test_a_checkpoint_that_wants_to_run_something_is_refused_and_runs_nothing(
    path: Path, tmp_path: Path, form: str, attack: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = tmp_path / "marker"
    foreign = types.ModuleType("foreign_module")
    exec("class Weights:\n    def __init__(self, path):\n        open(path, 'w').close()", foreign.__dict__)
    monkeypatch.setitem(sys.modules, "foreign_module", foreign)
    call, named = {
        "os.system": (Calls(os.system, f"touch {marker}"), "system"),
        "eval": (Calls(eval, f"open({str(marker)!r}, 'w')"), "eval"),
        "exec": (Calls(exec, f"open({str(marker)!r}, 'w')"), "exec"),
        "open": (Calls(open, str(marker), "w"), "open"),
        "subprocess": (Calls(__import__("subprocess").check_call, ["touch", str(marker)]), "check_call"),
        "foreign": (Calls(foreign.Weights, str(marker)), "foreign_module.Weights"),
    }[attack]
    content = {"netG": {"main.0.weight": torch.ones(1), "main.1.weight": call}}
    if form == "pickle":
        path.write_bytes(pickle.dumps({"netG": call}, protocol=2))
    else:
        save(content, path, form)
    reason = refusal(path)
    assert not marker.exists()
    if form != "pickle":
        assert named in reason

    # The attack is real: a reader that trusts the file runs it.
    if form == "pickle":
        pickle.loads(path.read_bytes())
    else:
        torch.load(path, weights_only=False)
    assert marker.exists()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("leaf", "reason"),
    [
        (torch.eye(3).to_sparse(), "not dense"),
        (torch.ones(2, dtype=torch.complex64), "complex"),
        (torch.ones(2, device="meta"), "not dense"),
        ({1, 2}, "set"),
        (torch.float32, "torch.dtype"),
        (torch.ones(2).numpy(), "numpy"),
        (nn.Linear(1, 1), "Linear"),
        ({(1, 2): 3}, "key of type builtins.tuple"),
        (1 + 2j, "complex"),
    ],
    ids=["sparse", "complex", "meta", "set", "dtype", "numpy", "module", "key", "number"],
)
@pytest.mark.filterwarnings("ignore:Validating sparse tensor")
def test_what_is_neither_a_dense_tensor_nor_plain_is_refused(path: Path, form: str, leaf: object, reason: str) -> None:
    assert reason in refusal(save({"weights": [leaf]}, path, form))


@pytest.mark.parametrize("form", FORMS)
def test_a_truncated_checkpoint_is_refused_wherever_it_ends(path: Path, form: str) -> None:
    content = save({"a": torch.randn(100), "b": torch.randn(3, 3)}, path, form).read_bytes()
    for length in {*range(0, len(content), 97), len(content) - 1}:
        path.write_bytes(content[:length])
        assert refusal(path)


@given(st.binary(max_size=300))
@settings(max_examples=60)
def test_garbage_is_refused(path: Path, garbage: bytes) -> None:
    path.write_bytes(garbage)
    assert refusal(path)


@pytest.fixture(params=FORMS)
def intact(path: Path, request: pytest.FixtureRequest) -> bytes:
    """A checkpoint without fault, saved once a test: in torch's old form, which holds addresses, no two are as long."""
    return save({"a": torch.ones(3), "b": [1, "x"]}, path, request.param).read_bytes()


@given(data=st.data())
@settings(max_examples=80)
def test_a_damaged_checkpoint_is_read_or_refused_and_nothing_else(
    path: Path, intact: bytes, data: st.DataObject
) -> None:
    content = bytearray(intact)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    with contextlib.suppress(CheckpointRefused):
        read_checkpoint(path)


@pytest.mark.parametrize("form", FORMS)
def test_options_that_want_to_run_something_are_refused(path: Path, tmp_path: Path, form: str) -> None:
    marker = tmp_path / "marker"
    options = argparse.Namespace(size=256, more=[Calls(os.system, f"touch {marker}")])
    assert "wants to call" in refusal(save({"args": options, "g_ema": {"w": torch.ones(1)}}, path, form))
    assert not marker.exists()


@pytest.mark.parametrize(
    "built",
    [
        b"}X\x0c\x00\x00\x00__setstate__ccollections\nOrderedDict\nsb",
        b"}}X\x09\x00\x00\x00__class__ccollections\nOrderedDict\ns\x86b",
        b"ctorch\nSize\nb",
    ],
    ids=["an attribute", "a class", "no state"],
)
def test_nothing_is_done_to_what_stands_for_options(path: Path, built: bytes) -> None:
    """A real Namespace would become what a file makes of it: be given the attributes that its next step calls."""
    made = b"cargparse\nNamespace\n)\x81"
    assert read_checkpoint(with_pickle(path, b"\x80\x02" + made + built + b"]b.")) is None


@pytest.mark.parametrize(
    "misuse", [b"(tR]a", b")\x81K\x01a", b")\x81}K\x01K\x02su", b"K\x01\x85R", b"K\x01\x85\x81", b""]
)
def test_what_stands_for_options_is_nothing_else(path: Path, misuse: bytes) -> None:
    assert refusal(with_pickle(path, b"\x80\x02cargparse\nNamespace\n" + misuse + b"."))


def test_options_cannot_be_a_key(path: Path) -> None:
    program = b"\x80\x02}cargparse\nNamespace\n)\x81K\x01s."
    assert "key of type" in refusal(with_pickle(path, program))


def test_what_is_not_a_file_is_refused(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "nothing.pt")
    assert refusal(tmp_path)


def with_pickle(path: Path, instructions: bytes) -> Path:
    """A zip checkpoint whose content is this pickle."""
    save({}, path)
    source = zipfile.ZipFile(io.BytesIO(path.read_bytes()))
    with zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            target.writestr(name, instructions if name.endswith("data.pkl") else source.read(name))
    return path


def test_an_absurdly_deep_checkpoint_is_refused(path: Path) -> None:
    depth = 100_000
    assert "nested deeper" in refusal(with_pickle(path, b"\x80\x02" + b"]" * depth + b"a" * (depth - 1) + b"."))


def test_a_checkpoint_that_contains_itself_is_refused(path: Path) -> None:
    assert "nested deeper" in refusal(with_pickle(path, b"\x80\x02]q\x00h\x00a."))


def test_a_small_file_that_unfolds_without_end_is_refused(path: Path) -> None:
    laughs: list = []
    for _ in range(50):
        laughs = [laughs, laughs]
    assert "more than" in refusal(save(laughs, path))


def test_a_file_beyond_the_limit_is_refused_unread(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(2**40)
    assert "limit" in refusal(path)
    assert "limit is 100" in refusal(save({"a": torch.ones(1000)}, path), max_bytes=100)


def test_an_archive_that_inflates_beyond_the_limit_is_refused(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(10_000_000))
    size = path.stat().st_size
    assert f"from {size} to 10000000 bytes, the limit is {8 * size}" in refusal(path)
    assert "limit is 20000" in refusal(path, max_bytes=20_000)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("shape", [(10**6, 10**6), (100, 1000)])
def test_a_tensor_that_repeats_its_memory_beyond_the_limit_is_refused(
    path: Path, form: str, shape: tuple[int, int]
) -> None:
    save({"a": torch.zeros(1).expand(shape)}, path, form)
    assert "unfold" in refusal(path)


@pytest.mark.parametrize("form", FORMS)
def test_weights_that_are_shared_are_read_under_each_of_their_names(path: Path, form: str) -> None:
    weights = {"w": torch.randn(1000)}
    tree = read_checkpoint(save({"g": weights, "g_ema": weights, "tied": {"a": weights["w"]}}, path, form))
    assert torch.equal(tree["tied"]["a"], weights["w"])


@pytest.mark.parametrize("form", FORMS)
def test_an_empty_tensor_with_a_huge_side_is_refused(path: Path, form: str) -> None:
    assert "unfold" in refusal(save({"a": torch.zeros(2**40, 0)}, path, form))


@pytest.mark.parametrize(
    ("key", "reason"),
    [("a\nb", "printable"), ("a" * 1001, "at most 1,000"), (2**64, "65 bits"), ("\x1b[31m", "printable")],
)
def test_a_key_that_no_line_can_name_is_refused(path: Path, key: str | int, reason: str) -> None:
    said = refusal(save({"weights": {key: torch.ones(1)}}, path))
    assert reason in said
    assert said.isprintable()


def test_a_tensor_of_more_dimensions_than_a_line_can_tell_is_refused(path: Path) -> None:
    assert "of 1000 dimensions, the limit is 8" in refusal(save({"a": torch.ones([1] * 1000)}, path))


@pytest.mark.parametrize("dtype", [torch.bits8, torch.float4_e2m1fn_x2])
def test_numbers_of_which_torch_cannot_make_others_are_refused(path: Path, dtype: torch.dtype) -> None:
    assert str(dtype) in refusal(save({"a": torch.zeros(2, dtype=torch.uint8).view(dtype)}, path))


@pytest.mark.parametrize("form", FORMS)
def test_a_program_without_end_is_refused_unread(path: Path, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("latentwalk.gan.torch_pickles.MAX_INSTRUCTIONS", 2_000)
    assert len(read_checkpoint(save({"a": [1] * 500}, path, form))["a"]) == 500
    assert "more than 2000 instructions" in refusal(save({"a": [1] * 3_000}, path, form))


@pytest.mark.parametrize("name", [b"\x1b[31m", b"a" * 10_000])
def test_the_name_of_a_call_cannot_paint_or_flood_a_terminal(path: Path, name: bytes) -> None:
    reason = refusal(with_pickle(path, b"\x80\x02cos\n" + name + b"\n)R."))
    assert "wants to call os." in reason
    assert reason.isprintable()
    assert len(reason) < 500


def test_a_device_is_refused_unread() -> None:
    assert "no file" in refusal(Path("/dev/zero"))


def test_a_pipe_is_refused_unread(path: Path) -> None:
    os.mkfifo(path)
    assert "no file" in refusal(path)


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x80\x02\x8b"])
def test_nobody_is_told_to_read_a_broken_file_unsafely(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    reason = refusal(path)
    assert "cannot be read, is it whole" in reason
    assert "weights_only" not in reason


def test_the_only_weights_of_a_checkpoint_are_found_without_a_key() -> None:
    weights = {"main.0.weight": torch.ones(2)}
    assert find_state_dict(weights) == weights
    assert find_state_dict({"netG_state_dict": weights, "epoch": 3, "losses": [1.0]}) == weights


def test_a_key_says_which_weights_to_take() -> None:
    first, second = {"w": torch.ones(1)}, {"w": torch.zeros(1)}
    tree = {"g": first, "g_ema": second, "step": 3}
    assert find_state_dict(tree, "g_ema") == second
    for key in (None, "d", "step"):
        with pytest.raises(GanError, match=r"\['g', 'g_ema'\]"):
            find_state_dict(tree, key)


def test_weights_within_a_mapping_have_both_keys() -> None:
    """As genforce's runners save them."""
    first, second = {"w": torch.ones(1)}, {"w": torch.zeros(1)}
    tree = {"models": {"generator": first, "generator_smooth": second}, "running_metadata": {"iter": 3}}
    assert find_state_dict(tree, "models.generator_smooth") == second
    with pytest.raises(GanError, match=r"\['models.generator', 'models.generator_smooth'\]"):
        find_state_dict(tree)


def test_of_many_keys_some_are_named() -> None:
    with pytest.raises(GanError, match=r"'19'\], or another of 1000$"):
        find_state_dict({str(index): {"w": torch.ones(1)} for index in range(1000)})


@pytest.mark.parametrize("tree", [None, 3, [], {}, {"a": {}}, {"a": {"b": 1}}, {"a": {"b": torch.ones(1), "c": 1}}])
def test_a_checkpoint_without_weights_is_refused(tree) -> None:
    with pytest.raises(GanError, match="holds no weights"):
        find_state_dict(tree)


def test_the_prefix_of_data_parallel_is_taken_off() -> None:
    assert [*find_state_dict({"module.main.0.weight": torch.ones(1)})] == ["main.0.weight"]
