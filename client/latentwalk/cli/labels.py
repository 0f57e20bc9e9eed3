"""The file of `latentwalk train boundary --labels`: a seed and its score a line."""

import math
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import typer

_FROM_STDIN = "-"
_HEAD = ["seed", "score"]
_MOST_TOLD = 10
"""Wrong lines that are told of one by one."""
_SEEDS = 2**64


class SeedScores(dict[int, float]):
    """Scores by their seeds; typer takes a plain dict for an option of many words."""


def read_labels(text: str) -> SeedScores:
    """The labels in a CSV file, or, with "-", on stdin: "7,1" a line, in any order, after "seed,score" or without it.

    Every wrong line is told of, by its number.
    """
    labels, wrong, seen = SeedScores(), list[str](), dict[int, int]()
    for place, line in _lines(text):
        try:
            seed, score = _read(line, seen)
        except ValueError as problem:
            wrong.append(f"line {place}: {problem}")
            continue
        labels[seed], seen[seed] = score, place
    if wrong:
        more = [f"and {len(wrong) - _MOST_TOLD:,} lines more"] if len(wrong) > _MOST_TOLD else []
        raise typer.BadParameter("\n".join([*wrong[:_MOST_TOLD], *more]))
    if not labels:
        raise typer.BadParameter(f"{text} has no labels: write a seed and its score a line, like 7,1")
    return labels


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Those that say something, with their numbers, from 1 on; without the head."""
    for place, line in enumerate(_all_lines(text), start=1):
        said = line.strip()
        if said and not (place == 1 and _cells(said.lower()) == _HEAD):
            yield place, said


def _all_lines(text: str) -> Iterable[str]:
    try:
        # Spreadsheets write a mark before the first letter.
        return sys.stdin if text == _FROM_STDIN else Path(text).read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise typer.BadParameter(f"{text} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise typer.BadParameter(f"{text} is no text: it must have a seed and its score a line, like 7,1") from None


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split(",")]


def _read(line: str, seen: Mapping[int, int]) -> tuple[int, float]:
    """The seed and the score of a line, after those that were seen, with their lines. Raises ValueError that says what
    is wrong with it.
    """
    try:
        written, counted = _cells(line)
        seed, score = int(written), float(counted)
    except ValueError:
        raise ValueError(f"{line!r} is not a seed and its score, like 7,1") from None
    if not 0 <= seed < _SEEDS:
        raise ValueError(f"seed {seed} is not from 0 to {_SEEDS - 1}")
    if seed in seen:
        raise ValueError(f"seed {seed} is also on line {seen[seed]}; give it one score")
    if not math.isfinite(score):
        raise ValueError(f"the score of seed {seed}, {counted}, must be finite")
    return seed, score
