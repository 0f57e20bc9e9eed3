"""What comes with the package, and when it is served."""

from pathlib import Path

import pytest

from latentwalk.gan.artifacts import ArtifactStore, load_direction, load_generator, save_generator
from latentwalk.server.builtin import BUILTIN, open_store


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the test runs, as a server that is told nothing would."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def generators_in(store: ArtifactStore) -> list[str]:
    return [ref.name for ref in store.list("generators")]


def test_the_usual_store_begins_with_what_comes_with_the_package(empty_folder: Path):
    open_store("")
    store, builtin = ArtifactStore("data/store"), ArtifactStore(str(BUILTIN))
    for kind in ("generators", "directions"):
        assert store.list(kind) == builtin.list(kind)
        for ref in store.list(kind):
            assert store.get(kind, ref.name).manifest == builtin.get(kind, ref.name).manifest


def test_a_usual_store_with_a_generator_stays_as_it_is(empty_folder: Path, faces):
    save_generator(ArtifactStore("data/store"), "mine", faces, provenance={}, created="")
    assert generators_in(open_store("")) == ["mine"]


def test_a_copy_that_was_broken_off_is_finished(empty_folder: Path):
    open_store("").delete("generators", "digits", 1)
    (direction, *others) = ArtifactStore("data/store").list("directions")
    for ref in others:
        ArtifactStore("data/store").delete("directions", ref.name, 1)
    store = open_store("")
    assert generators_in(store) == ["digits"]
    assert {ref.name for ref in store.list("directions")} == {ref.name for ref in (direction, *others)}


def test_a_store_that_was_said_is_left_alone_and_a_warning_tells_where_nothing_is(
    empty_folder: Path, caplog: pytest.LogCaptureFixture
):
    assert generators_in(open_store("elsewhere")) == []
    assert list(empty_folder.iterdir()) == []
    assert f"there is no generator in the store {empty_folder}/elsewhere: nothing is served" in caplog.text


def test_where_nothing_can_be_written_the_digits_are_served_all_the_same(empty_folder: Path):
    (empty_folder / "data").write_text("a file, where the folder would be")
    assert generators_in(open_store("")) == ["digits"]


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
