import hashlib
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fsspec
import pytest
import torch

from latentwalk.gan.artifacts import ArtifactRef, ArtifactStore
from latentwalk.gan.errors import CorruptArtifact, GanError, UnknownArtifact

CREATED = "2025-01-01T00:00:00+00:00"
TENSORS = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.ones(4, dtype=torch.bfloat16)}
_numbers = itertools.count()


@pytest.fixture(params=["path", "file", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A local path, the same as a URL, and a file system that is not local."""
    urls = {"path": str(tmp_path / "a [b] *"), "file": f"file://{tmp_path}/s", "memory": f"memory://s{next(_numbers)}"}
    return urls[request.param]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


def put(store: ArtifactStore, name: str = "faces", **changes: object) -> ArtifactRef:
    fields = {"tensors": TENSORS, "body": {"x": [1, None]}, "provenance": {"by": "test"}, "created": CREATED}
    return store.put("generators", name, **fields | changes)


def test_what_was_put_is_what_is_got(url: str) -> None:
    ref = put(ArtifactStore(url))
    artifact = ArtifactStore(url).get("generators", "faces")
    assert artifact.ref == ref == ArtifactRef("generators", "faces", 1)
    for name, tensor in TENSORS.items():
        assert torch.equal(artifact.tensors[name], tensor)
        assert artifact.tensors[name].dtype == tensor.dtype
    files = artifact.manifest.pop("files")
    assert artifact.manifest == {
        "format": 1,
        "kind": "generators",
        "name": "faces",
        "version": 1,
        "created": CREATED,
        "body": {"x": [1, None]},
        "provenance": {"by": "test"},
    }
    assert {name: sorted(entry) for name, entry in files.items()} == {"weights.safetensors": ["bytes", "sha256"]}


def test_a_version_on_the_disk_is_a_manifest_and_a_safetensors_file(root: Path) -> None:
    put(ArtifactStore(str(root)))
    folder = root / "generators" / "faces" / "1"
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", "weights.safetensors"]
    content = (folder / "weights.safetensors").read_bytes()
    entry = json.loads((folder / "manifest.json").read_text())["files"]["weights.safetensors"]
    assert entry == {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def test_versions_count_from_1_and_the_newest_is_got(url: str) -> None:
    store = ArtifactStore(url)
    assert store.versions("generators", "faces") == []
    for number in range(11):
        assert put(store, body={"number": number}).version == number + 1
    assert store.versions("generators", "faces") == [*range(1, 12)]
    assert store.get("generators", "faces").manifest["body"] == {"number": 10}
    assert store.get("generators", "faces", 3).manifest["body"] == {"number": 2}


def test_the_list_is_sorted_and_filtered_by_prefix(url: str) -> None:
    store = ArtifactStore(url)
    assert store.list("generators") == []
    for name in ("faces", "cats", "faces", "face"):
        put(store, name)
    for name in ("faces/zoom", "faces/age", "cats/zoom"):
        store.put("directions", name, tensors=TENSORS, body={}, provenance={}, created=CREATED)
    assert [(ref.name, ref.version) for ref in store.list("generators")] == [
        ("cats", 1),
        ("face", 1),
        ("faces", 1),
        ("faces", 2),
    ]
    assert [ref.name for ref in store.list("directions", "faces/")] == ["faces/age", "faces/zoom"]
    assert store.list("generators", "dogs") == []


def test_a_deleted_version_is_gone_and_its_number_never_comes_back(url: str) -> None:
    store = ArtifactStore(url)
    put(store)
    put(store)
    store.delete("generators", "faces", 2)
    assert store.versions("generators", "faces") == [1]
    with pytest.raises(UnknownArtifact):
        store.get("generators", "faces", 2)
    with pytest.raises(UnknownArtifact):
        store.delete("generators", "faces", 2)
    assert put(store).version == 3
    for version in (1, 3):
        store.delete("generators", "faces", version)
    assert store.list("generators") == []
    assert put(store).version == 4


def test_no_writer_can_rename_its_version_onto_a_deleted_one(root: Path) -> None:
    store = ArtifactStore(str(root))
    put(store)
    put(store)
    store.delete("generators", "faces", 1)
    with pytest.raises(OSError, match="not empty"):
        (root / "generators" / "faces" / "2").rename(root / "generators" / "faces" / "1")


def test_what_does_not_exist_is_refused_with_what_does(url: str) -> None:
    store = ArtifactStore(url)
    with pytest.raises(UnknownArtifact, match="none is published yet, train or pull one"):
        store.get("generators", "faces")
    with pytest.raises(UnknownArtifact, match="none is published yet, train one"):
        store.get("directions", "faces/zoom")
    put(store, "faces")
    put(store, "faces")
    put(store, "cats")
    with pytest.raises(UnknownArtifact, match="cats, faces") as caught:
        store.get("generators", "dogs")
    assert (caught.value.kind, caught.value.name, caught.value.version) == ("generators", "dogs", None)
    assert caught.value.existing == ("cats", "faces")
    with pytest.raises(UnknownArtifact, match="version 3") as caught:
        store.get("generators", "faces", 3)
    assert caught.value.existing == ("1", "2")


def test_a_missing_direction_is_told_with_those_of_its_generator_only(url: str) -> None:
    store = ArtifactStore(url)
    for name in ("faces/zoom", "faces/age", "cats/fur"):
        store.put("directions", name, tensors=TENSORS, body={}, provenance={}, created=CREATED)
    with pytest.raises(UnknownArtifact, match="no 'faces/smile' in directions: use one of age, zoom"):
        store.get("directions", "faces/smile")


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "/a", "A", "a b", "-a", ".a", "a" * 64, "a\n", "é", "a\\b", "a/../b"]
)
def test_a_name_that_could_lead_out_of_the_store_is_refused(root: Path, name: str) -> None:
    store = ArtifactStore(str(root))
    for use in (put, lambda s, n: s.get("generators", n), lambda s, n: s.versions("generators", n)):
        with pytest.raises(GanError, match="name"):
            use(store, name)
    assert not root.exists()


def test_a_direction_has_a_name_of_two_parts(root: Path) -> None:
    with pytest.raises(GanError, match="2 part"):
        ArtifactStore(str(root)).versions("directions", "zoom")
    assert ArtifactStore(str(root)).versions("directions", "faces/zoom_2.0-b") == []


@pytest.mark.parametrize("body", [{"x": float("nan")}, {"x": float("inf")}, {"x": object()}])
def test_a_body_that_is_not_json_is_refused_and_leaves_nothing(root: Path, body: dict) -> None:
    store = ArtifactStore(str(root))
    with pytest.raises(GanError, match="JSON"):
        put(store, body=body)
    assert store.list("generators") == []
    assert [*(root / "generators" / "faces").iterdir()] == []


def test_a_url_that_cannot_be_opened_is_refused() -> None:
    with pytest.raises(GanError, match="nonsense"):
        ArtifactStore("nonsense://bucket")


def test_tensors_that_share_or_scatter_their_memory_are_put(root: Path) -> None:
    base = torch.arange(12.0).reshape(3, 4)
    store = ArtifactStore(str(root))
    put(store, tensors={"whole": base, "turned": base.T, "row": base[1]})
    tensors = store.get("generators", "faces").tensors
    assert torch.equal(tensors["turned"], base.T)
    assert torch.equal(tensors["row"], base[1])


# -- damage ------------------------------------------------------------------------------------------------------------


def damaged(url: str, name: str, damage) -> CorruptArtifact:
    """Changes a file of a fresh artifact, and returns how the store refuses it."""
    store = ArtifactStore(url)
    put(store)
    fs, path = fsspec.core.url_to_fs(url)
    file = f"{path}/generators/faces/1/{name}"
    content = damage(fs.cat_file(file))
    if content is None:
        fs.rm_file(file)
    else:
        fs.pipe_file(file, content)
    with pytest.raises(CorruptArtifact) as caught:
        store.get("generators", "faces", 1)
    assert caught.value.path.endswith(f"generators/faces/1/{name}")
    assert caught.value.path in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda content: content[:-1] + bytes([content[-1] ^ 1]), "sha256"),
        (lambda content: content[:8] + bytes([content[8] ^ 1]) + content[9:], "sha256"),
        (lambda content: content[:-1], "bytes"),
        (lambda content: content + b"\0", "bytes"),
        (lambda content: b"", "bytes"),
        (lambda content: None, "missing"),
    ],
    ids=["last bit", "header", "truncated", "longer", "empty", "missing"],
)
def test_damaged_weights_are_refused_by_file_and_reason(url: str, damage, reason: str) -> None:
    assert reason in damaged(url, "weights.safetensors", damage).reason


def rewritten(**changes: object):
    return lambda content: json.dumps({**json.loads(content), **changes}).encode()


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda content: content[:-20], "no manifest"),
        (lambda content: b"", "no manifest"),
        (lambda content: b"\xff\xfe", "no manifest"),
        (lambda content: b"[" * 100_000, "no manifest"),
        (lambda content: b"[]", "format is None"),
        (lambda content: b" " * (17 * 2**20), "limit"),
        (rewritten(format=2), "format is 2"),
        (rewritten(kind="directions"), "belongs to directions/faces/1"),
        (rewritten(name="cats"), "belongs to generators/cats/1"),
        (rewritten(version=7), "belongs to generators/faces/7"),
        (rewritten(version="1"), "version"),
        (rewritten(body=[]), "body"),
        (rewritten(provenance=None), "provenance"),
        (rewritten(created=3), "created"),
        (rewritten(files=[]), "files"),
        (rewritten(files={"weights.safetensors": {"sha256": "0"}}), "files"),
        (rewritten(files={"weights.safetensors": 3}), "files"),
        (rewritten(files={"../../secret": {"sha256": "0", "bytes": 1}}), "files"),
    ],
)
def test_a_malformed_manifest_is_refused_by_reason(url: str, damage, reason: str) -> None:
    assert reason in damaged(url, "manifest.json", damage).reason


def test_a_manifest_that_lists_no_tensors_is_refused(root: Path) -> None:
    store = ArtifactStore(str(root))
    put(store)
    manifest = root / "generators" / "faces" / "1" / "manifest.json"
    manifest.write_bytes(rewritten(files={})(manifest.read_bytes()))
    with pytest.raises(CorruptArtifact, match=r"weights\.safetensors"):
        store.get("generators", "faces")


def test_a_file_that_is_as_promised_but_no_safetensors_is_refused(root: Path) -> None:
    store = ArtifactStore(str(root))
    put(store)
    folder, garbage = root / "generators" / "faces" / "1", b"\x80\x02garbage"
    (folder / "weights.safetensors").write_bytes(garbage)
    entry = {"sha256": hashlib.sha256(garbage).hexdigest(), "bytes": len(garbage)}
    manifest = folder / "manifest.json"
    manifest.write_bytes(rewritten(files={"weights.safetensors": entry})(manifest.read_bytes()))
    with pytest.raises(CorruptArtifact, match="no tensors"):
        store.get("generators", "faces")


# -- crashes and crowds -----------------------------------------------------------------------------------------------


def test_leftovers_of_a_crashed_put_are_invisible_and_harmless(url: str) -> None:
    store = ArtifactStore(url)
    put(store)
    fs, path = fsspec.core.url_to_fs(url)
    home = f"{path}/generators/faces"
    for leftover in (f"{home}/.put-0123/weights.safetensors", f"{home}/2/weights.safetensors"):
        fs.makedirs(leftover.rpartition("/")[0])
        fs.pipe_file(leftover, b"half")
    fs.makedirs(f"{path}/generators/.hidden/1")
    assert store.list("generators") == [ArtifactRef("generators", "faces", 1)]
    assert store.get("generators", "faces").ref.version == 1
    assert put(store).version == 3
    assert store.versions("generators", "faces") == [1, 3]


def test_what_a_crashed_put_left_aside_is_swept_after_a_while(root: Path) -> None:
    store = ArtifactStore(str(root))
    put(store)
    for age in (10, 1000):
        aside = root / "generators" / "faces" / f".put-{age}"
        aside.mkdir()
        (aside / "weights.safetensors").write_bytes(b"half")
        os.utime(aside, (2000 - age, 2000 - age))
    store.sweep(before=1500)
    assert sorted(path.name for path in (root / "generators" / "faces").iterdir()) == [".put-10", "1"]
    assert store.get("generators", "faces").ref.version == 1


def test_eight_threads_that_put_at_once_get_eight_versions(root: Path) -> None:
    barrier = threading.Barrier(8)

    def put_one(number: int) -> tuple[int, int]:
        barrier.wait()
        return put(ArtifactStore(str(root)), body={"number": number}).version, number

    with ThreadPoolExecutor(8) as pool:
        versions = dict(pool.map(put_one, range(8)))
    store = ArtifactStore(str(root))
    assert sorted(versions) == store.versions("generators", "faces") == [*range(1, 9)]
    for version, number in versions.items():
        manifest = store.get("generators", "faces", version).manifest
        assert (manifest["body"]["number"], manifest["version"]) == (number, version)
    assert not [*(root / "generators" / "faces").glob(".*")]


def test_a_reader_among_writers_never_sees_half_a_version(root: Path) -> None:
    store, done, seen = ArtifactStore(str(root)), threading.Event(), set()

    def read() -> None:
        while not done.is_set():
            for ref in store.list("generators"):
                assert torch.equal(store.get("generators", "faces", ref.version).tensors["a"], TENSORS["a"])
                seen.add(ref.version)

    with ThreadPoolExecutor(4) as pool:
        reader = pool.submit(read)
        for writer in [pool.submit(lambda: [put(store) for _ in range(10)]) for _ in range(3)]:
            writer.result()
        done.set()
        reader.result()
    assert store.versions("generators", "faces") == [*range(1, 31)]
    assert seen


WRITER = """
import sys, torch
from latentwalk.gan.artifacts import ArtifactStore
store = ArtifactStore(sys.argv[1])
while True:
    tensors = {"a": torch.full((200_000,), 7.0)}
    store.put("generators", "faces", tensors=tensors, body={}, provenance={}, created="")
    print("put", flush=True)
"""


def test_a_writer_killed_at_any_moment_leaves_whole_versions_only(root: Path) -> None:
    store = ArtifactStore(str(root))
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(root)], stdout=subprocess.PIPE, env=os.environ)
        for _ in range(2)
    ]
    for count, writer in enumerate(writers, start=2):
        for _ in range(count):
            assert writer.stdout.readline() == b"put\n"
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
    versions = store.versions("generators", "faces")
    assert len(versions) >= 5
    for version in versions:
        assert (store.get("generators", "faces", version).tensors["a"] == 7).all()
    assert put(store).version == versions[-1] + 1
