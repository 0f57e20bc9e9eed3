"""Generates the Python stubs beside the .proto files; with --check, only says whether they are up to date."""

import argparse
import filecmp
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc  # pyright: ignore[reportMissingTypeStubs]

ROOT = Path(__file__).resolve().parent
PACKAGES = (Path("latentwalk/v1"), Path("latentwalk/oip"))


def generate(target: Path) -> None:
    """Write the stubs of every .proto file into `target`. Services alone get a `_pb2_grpc` module."""
    protos = sorted(str(path.relative_to(ROOT)) for package in PACKAGES for path in (ROOT / package).glob("*.proto"))
    services = [name for name in protos if name.endswith("_service.proto")]
    include = ["protoc", f"-I{ROOT}", f"-I{files('grpc_tools') / '_proto'}"]
    scripts = Path(sys.executable).parent  # the plugins of this very environment, whatever PATH says
    include += [f"--plugin={plugin}={scripts / plugin}" for plugin in ("protoc-gen-mypy", "protoc-gen-mypy_grpc")]
    _run([*include, f"--python_out={target}", f"--mypy_out=quiet:{target}", *protos])
    _run([*include, f"--grpc_python_out={target}", f"--mypy_grpc_out=quiet:{target}", *services])


def _run(arguments: list[str]) -> None:
    if protoc.main(arguments) != 0:
        sys.exit("protoc failed; its message is above")


def stale(target: Path) -> list[str]:
    """Name the generated files that differ between `target` and the checked-in ones, missing and left-over ones too."""
    return [str(package / name) for package in PACKAGES for name in _differences(target / package, ROOT / package)]


def _differences(made_folder: Path, kept_folder: Path) -> list[str]:
    made = {path.name for path in made_folder.iterdir()}
    kept = {path.name for path in kept_folder.glob("*_pb2*.py*")}
    _, differing, unreadable = filecmp.cmpfiles(made_folder, kept_folder, sorted(made & kept), shallow=False)
    return sorted({*differing, *unreadable, *(made ^ kept)})


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a stub is out of date")
    if not parser.parse_args().check:
        generate(ROOT)
        return
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        if names := stale(Path(folder)):
            sys.exit(f"out of date, run `make protos`: {', '.join(names)}")


if __name__ == "__main__":
    main()
