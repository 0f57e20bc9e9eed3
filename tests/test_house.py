"""The rules of the house that no linter knows."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOTS = ["protos", "core", "server", "trainer", "client"]
MODULES = [path for root in ROOTS for path in (ROOT / root).rglob("*.py") if "_pb2" not in path.name]
MAX_LINES = 400
UNSAFE = {"pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}


@pytest.mark.parametrize("root", ROOTS)
def test_no_root_closes_the_namespace(root: str) -> None:
    """An __init__.py at this level would hide every other root."""
    assert not (ROOT / root / "latentwalk" / "__init__.py").exists()


@pytest.mark.parametrize("root", ROOTS)
def test_every_package_is_marked_as_typed(root: str) -> None:
    packages = [path.parent for path in (ROOT / root / "latentwalk").glob("*/__init__.py")]
    assert packages
    assert [package.name for package in packages if not (package / "py.typed").exists()] == []


@pytest.mark.parametrize("generate", ["protos/generate.py", "docs/generate.py"])
def test_what_is_generated_is_up_to_date(generate: str) -> None:
    run = subprocess.run([sys.executable, ROOT / generate, "--check"], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def test_no_module_is_too_long_to_be_read_at_once() -> None:
    modules = [*MODULES, *(ROOT / "tests").rglob("*.py")]
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in modules}
    assert {name: length for name, length in lengths.items() if length > MAX_LINES} == {}


def test_no_module_is_named_for_nothing() -> None:
    vague = {"util", "utils", "helper", "helpers", "manager", "misc", "common"}
    assert [str(path) for path in MODULES if path.stem.strip("_") in vague] == []


def test_nothing_is_ever_unpickled() -> None:
    """Law 3: no pickle, and no torch.load that is not weights_only."""
    offences: list[str] = []
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [name.name for name in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if UNSAFE & {name.split(".")[0] for name in names}:
                offences.append(f"{path}: imports {names}")
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load":
                safe = [keyword for keyword in node.keywords if keyword.arg == "weights_only"]
                if not safe or ast.unparse(safe[0].value) != "True":
                    offences.append(f"{path}:{node.lineno}: torch.load without weights_only=True")
    assert offences == []


def test_the_map_of_the_code_leads_to_what_is_there() -> None:
    code = (ROOT / "docs" / "code.md").read_text()
    places = re.findall(r"`((?:protos|core|server|trainer|client|tests)/[^`]*)`", code)
    assert places
    assert [place for place in places if not (ROOT / place).exists()] == []


def test_the_tests_mirror_the_packages() -> None:
    """A package has its tests in a folder of its own name, and there is no other folder but these two."""
    packages = {path.parent.relative_to(ROOT / root / "latentwalk") for root in ROOTS for path in _inits(root)}
    tested = {path.parent.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("test_*.py")}
    assert tested - packages == {Path(), Path("benchmarks"), Path("e2e")}
    names = {package.parent / f"test_{package.name}{rest}" for package in packages for rest in (".py", "_*.py")}
    beside = [file for name in names for file in (ROOT / "tests").glob(str(name))]
    assert beside == []


def _inits(root: str) -> Iterator[Path]:
    return (ROOT / root / "latentwalk").rglob("__init__.py")
