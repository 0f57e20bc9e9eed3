"""Under which truncations a job trains or measures, and what it has measured."""

import re
from collections.abc import Mapping
from typing import Any

from latentwalk.client._numbers import number, whole
from latentwalk.client._values import elements, pair
from latentwalk.v1 import latent_pb2 as pb

_VALUE = r"(?P<by>psi|threshold)=(?P<value>[-+0-9.e]+)(?:,layers=(?P<layers>\d+))?"
_NAME = re.compile(rf"truncation\.(?P<name>{_VALUE})\.(?P<what>[a-z].*)")


def truncation_messages(psis: Any, thresholds: Any) -> list[pb.Truncation]:
    """The messages of psis, or pairs (psi, layers), and of thresholds. InvalidRequest for anything else."""
    listed = elements("truncations", psis, "a list of numbers, or of pairs (psi, layers)")
    by_psi = [_by_psi(f"truncations[{index}]", one) for index, one in enumerate(listed)]
    cut = enumerate(elements("thresholds", thresholds, "a list of numbers"))
    return by_psi + [pb.Truncation(threshold=number(f"thresholds[{index}]", one)) for index, one in cut]


def truncation_message(psi: Any, threshold: Any) -> pb.Truncation | None:
    """The message of a psi, or a pair (psi, layers), and of a threshold; None without either. InvalidRequest."""
    if psi is None and threshold is None:
        return None
    truncation = pb.Truncation() if psi is None else _by_psi("truncation", psi)
    if threshold is not None:
        truncation.threshold = number("threshold", threshold)
    return truncation


def truncations_in(measures: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """What was measured under each truncation, by its name, the least first."""
    found = [(one, value) for name, value in measures.items() if (one := _NAME.fullmatch(name))]
    found.sort(key=lambda named: (named[0]["by"], int(named[0]["layers"] or 0), float(named[0]["value"])))
    told: dict[str, dict[str, float]] = {}
    for one, value in found:
        told.setdefault(one["name"], {})[one["what"]] = value
    return told


def _by_psi(field: str, given: Any) -> pb.Truncation:
    if not isinstance(given, (tuple, list)):
        return pb.Truncation(psi=number(field, given))
    psi, layers = pair(field, given, "a number, or a pair (psi, layers)")
    pulled = None if layers is None else whole(f"{field}[1]", layers)
    return pb.Truncation(psi=number(f"{field}[0]", psi), layers=pulled)
