"""Runs every proof, or those named: `python -m proofs --data FOLDER [NAME ...]`. Exit status 1 if a claim is missed."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from proofs import mnist_generator, mnist_rotation
from proofs.options import Options
from proofs.workshop import data_folder

SCRIPTS: dict[str, Callable[[Options], bool]] = {
    "mnist_generator": mnist_generator.main,
    "mnist_rotation": mnist_rotation.main,
}


def main() -> int:
    """Run the proofs named on the command line, all by default."""
    parser = argparse.ArgumentParser("python -m proofs", description="What the papers claim, reproduced.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SCRIPTS)} (default: all)")
    parser.add_argument("--data", required=True, type=data_folder, help="a folder with MNIST/raw in it")
    parser.add_argument("--work", default=Path("data/proofs"), type=Path, help="where jobs are kept")
    parser.add_argument("--share", default=1.0, type=float, help="of the training steps; below 1 for a quick look")
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.names if name not in SCRIPTS]:
        parser.error(f"no proof {', '.join(unknown)}; there are: {', '.join(SCRIPTS)}")
    options = Options(arguments.data, arguments.work, arguments.share)
    held = [SCRIPTS[name](options) for name in arguments.names or SCRIPTS]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
