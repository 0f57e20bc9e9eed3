"""The form of every result: a table for people, and results/<script>.json beside the scripts."""

import json
import os
import platform
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Claim:
    """One number that we state; it holds when `value` is at least `target`, or, if it is a cost, at most."""

    name: str
    value: float
    unit: str
    target: float
    at_most: bool = False

    @property
    def holds(self) -> bool:
        """Whether the number was reached in this run."""
        return self.value <= self.target if self.at_most else self.value >= self.target


def report(script: str, claims: Sequence[Claim], remarks: Sequence[str] = (), results: Path = RESULTS) -> bool:
    """Print the claims as a table, write them to <results>/<script>.json, and say whether all of them hold."""
    print(f"\n{script}")
    for claim in claims:
        verdict, bound = "holds" if claim.holds else "MISSED", "<=" if claim.at_most else ">="
        value, target = _shown(claim.value), _shown(claim.target)
        print(f"  {claim.name:<68} {value:>9} {claim.unit:<9} target {bound} {target:>8}  {verdict}")
    for remark in remarks:
        print(f"  {remark}")
    results.mkdir(exist_ok=True)
    rows = [{**asdict(claim), "holds": claim.holds} for claim in claims]
    content = {"machine": machine(), "claims": rows, "remarks": list(remarks)}
    (results / f"{script}.json").write_text(json.dumps(content, indent=2) + "\n")
    return all(claim.holds for claim in claims)


def _shown(number: float) -> str:
    """Three decimals, or three digits of what is too small for them."""
    return f"{number:.3g}" if 0 < abs(number) < 0.1 else f"{number:.3f}"


def machine() -> dict[str, str | int]:
    """Describe what the numbers were measured on."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 0,
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "system": platform.platform(),
        "python": sys.version.split()[0],
        "torch": torch.__version__,
    }


def _processor() -> str:
    """The processor's own name, where the system tells it."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()


def spread(values: Sequence[float], form: str = ".2f") -> str:
    """The median of the rounds, and the least and the most of them."""
    return f"{statistics.median(values):{form}} [{min(values):{form}} to {max(values):{form}}]"
