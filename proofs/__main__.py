"""Runs every proof, or those named: `python -m proofs --data FOLDER [NAME ...]`. Exit status 1 if a claim is missed."""

import sys
from collections.abc import Callable

from benchmarks.leaving import leave_in_order
from proofs import (
    closed_forms,
    faces_colours,
    faces_walks,
    kills,
    mnist_class_directions,
    mnist_discovery,
    mnist_generator,
    mnist_inversion,
    mnist_rotation,
    mnist_styles,
)
from proofs.options import Options, read_options

SCRIPTS: dict[str, Callable[[Options], bool]] = {
    "closed_forms": closed_forms.main,
    "faces_walks": faces_walks.main,
    "faces_colours": faces_colours.main,
    "kills": kills.main,
    "mnist_generator": mnist_generator.main,
    "mnist_rotation": mnist_rotation.main,
    "mnist_discovery": mnist_discovery.main,
    "mnist_class_directions": mnist_class_directions.main,
    "mnist_styles": mnist_styles.main,
    "mnist_inversion": mnist_inversion.main,
}


def main() -> int:
    """Run the proofs named on the command line, all by default."""
    options = read_options("python -m proofs", sys.argv[1:], tuple(SCRIPTS))
    leave_in_order()
    held = [SCRIPTS[name](options) for name in options.names or SCRIPTS]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
