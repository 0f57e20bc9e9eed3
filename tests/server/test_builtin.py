"""Which store is served when none is said."""

from pathlib import Path

import pytest

from latentwalk.server.builtin import BUILTIN, store_url


def test_the_store_that_is_said_is_served_and_else_the_usual_one_and_else_the_built_in_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    assert store_url("") == str(BUILTIN)
    (tmp_path / "data" / "store").mkdir(parents=True)
    assert store_url("") == "data/store"
    assert store_url("s3://bucket/store") == "s3://bucket/store"
