"""The table of the claims, as people read it."""

import json

import pytest

from benchmarks.report import Claim, report


@pytest.mark.parametrize(
    ("value", "target", "row"),
    [
        (7.8123e-08, 1e-05, "7.81e-08 x         target <=    1e-05  holds"),
        (0.012345, 0.05, "0.0123 x         target <=     0.05  holds"),
        (0.25, 0.4, "0.250 x         target <=    0.400  holds"),
        (1234.5678, 0.0, "1234.568 x         target <=    0.000  MISSED"),
        (-1e-4, 0.0, "-0.0001 x         target <=    0.000  holds"),
    ],
)
def test_small_numbers_keep_their_digits_and_the_columns_stay_in_line(capsys, tmp_path, value, target, row):
    assert report("one", [Claim("error", value, "x", target, at_most=True)], results=tmp_path) == (value <= target)
    (line,) = capsys.readouterr().out.splitlines()[2:]
    assert line == f"  {'error':<68} {row.split()[0]:>9}{row[row.index(' ') :]}"
    assert json.loads((tmp_path / "one.json").read_text())["claims"][0]["value"] == value
