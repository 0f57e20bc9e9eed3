"""What comes with the package, and when it is served."""

from pathlib import Path

import pytest

from latentwalk.gan.artifacts import ArtifactStore, load_direction, load_generator
from latentwalk.server.builtin import BUILTIN, store_url


def test_the_store_that_is_said_is_served_and_else_the_usual_one_and_else_the_built_in_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    assert store_url("") == str(BUILTIN)
    (tmp_path / "data" / "store").mkdir(parents=True)
    assert store_url("") == "data/store"
    assert store_url("s3://bucket/store") == "s3://bucket/store"


def test_what_comes_with_the_package_is_whole_small_and_says_how_it_was_made():
    store = ArtifactStore(str(BUILTIN))
    generator, _ = load_generator(store, "digits")
    assert generator.spec.classes == 10
    directions = [ref.name.removeprefix("digits/") for ref in store.list("directions")]
    assert {"rotate", "zoom", "shift_x", "thickness", "found", "of_each_digit", "lean_of_ones"} <= set(directions)
    for name in directions:
        load_direction(store, "digits", name)[0].check_generator(generator.digest)
    for ref in (*store.list("generators"), *store.list("directions")):
        provenance = store.get(ref.kind, ref.name).manifest["provenance"]
        assert provenance["job"]
        assert provenance["spec"]["method"] == provenance["method"]
    assert sum(file.stat().st_size for file in BUILTIN.rglob("*") if file.is_file()) <= 6 * 2**20
