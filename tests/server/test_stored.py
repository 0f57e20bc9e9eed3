"""What lies in the store is listed, and deleted if nobody needs it."""

import json
import logging
import time
from dataclasses import replace

import pytest

from latentwalk.gan.artifacts import ArtifactRef, ArtifactStore, load_direction, load_generator
from latentwalk.v1 import artifact_pb2
from latentwalk.v1 import model_service_pb2 as pb

GENERATOR, DIRECTION = artifact_pb2.ARTIFACT_KIND_GENERATOR, artifact_pb2.ARTIFACT_KIND_DIRECTION


async def listed(server, kind=0, name=""):
    request = pb.ListVersionsRequest(kind=kind, name=name)
    versions = (await server.models.ListVersions(request)).versions
    return [(one.name, one.version, one.loaded) for one in versions]


def deleting(kind, name, version="1"):
    return pb.DeleteVersionRequest(kind=kind, name=name, version=version)


async def test_every_version_is_listed_with_its_size_date_and_generator(library, serve, faces):
    library.put_direction("faces", load_direction(library.store, "faces", "zoom")[0])
    async with serve(library) as server:
        library.put_direction("faces", load_direction(library.store, "faces", "zoom")[0])
        assert await listed(server) == [
            ("digits", "1", True),
            ("faces", "1", True),
            ("faces/style", "1", True),
            ("faces/zoom", "1", False),
            ("faces/zoom", "2", True),
            ("faces/zoom", "3", False),
        ]
        assert await listed(server, GENERATOR) == [("digits", "1", True), ("faces", "1", True)]
        assert await listed(server, DIRECTION, "faces/style") == [("faces/style", "1", True)]
        assert len(await listed(server, 0, "faces")) == 5
        assert not await listed(server, 0, "face")
        zoom = (await server.models.ListVersions(pb.ListVersionsRequest(name="faces/zoom"))).versions[0]
        assert zoom.create_time.ToJsonString() == "2026-01-01T00:00:00Z"
        assert zoom.size_bytes == (library.path / "directions/faces/zoom/1/vectors.safetensors").stat().st_size
        assert (zoom.generator_digest, zoom.problem) == (faces.digest, "")


async def test_a_version_that_is_not_served_is_deleted_and_its_number_never_comes_back(library, serve, caplog):
    library.put_direction("faces", load_direction(library.store, "faces", "zoom")[0])
    async with serve(library) as server:
        with caplog.at_level(logging.INFO, "latentwalk.store"):
            deleted = (await server.models.DeleteVersion(deleting(DIRECTION, "faces/zoom"))).deleted
        assert (deleted.name, deleted.version, deleted.kind) == ("faces/zoom", "1", DIRECTION)
        assert await listed(server, DIRECTION, "faces/zoom") == [("faces/zoom", "2", True)]
        [record] = [one for one in caplog.records if one.name == "latentwalk.store"]
        assert record.getMessage() == "directions/faces/zoom/1 is deleted from the store"
        assert record.fields["caller"] == "127.0.0.1"
        await server.models.UnloadDirection(pb.UnloadDirectionRequest(model="faces", direction="zoom"))
        await server.models.DeleteVersion(deleting(DIRECTION, "faces/zoom", "2"))
    library.put_direction("faces", replace(load_direction(library.store, "faces", "style")[0], name="zoom"))
    assert library.store.versions("directions", "faces/zoom") == [3]


async def test_of_many_lists_one_is_read_at_a_time(server, monkeypatch):
    """There may be thousands of versions, each of which takes the interpreter for a moment."""
    manifest, reading, seen = ArtifactStore.manifest, list[ArtifactRef](), list[int]()

    def watched(store, ref):
        reading.append(ref)
        seen.append(len(reading))
        time.sleep(0.01)
        reading.remove(ref)
        return manifest(store, ref)

    monkeypatch.setattr(ArtifactStore, "manifest", watched)
    lists = [server.models.ListVersions(pb.ListVersionsRequest()) for _ in range(5)]
    for one in lists:
        assert len((await one).versions) == 4
    assert seen == [1] * 20


async def test_what_is_served_stays(server, refusal):
    for kind, name in ((GENERATOR, "faces"), (DIRECTION, "faces/zoom")):
        refused = await refusal(server.models.DeleteVersion(deleting(kind, name)))
        assert (refused.status, refused.reason) == ("FAILED_PRECONDITION", "ARTIFACT_IN_USE")
        assert "is served" in refused.message
    assert len(await listed(server)) == 4


async def test_a_generator_stays_as_long_as_directions_belong_to_it_and_to_no_other_version(
    library, serve, faces, other, refusal
):
    library.put_generator("faces", other)
    async with serve(library) as server:
        refused = await refusal(server.models.DeleteVersion(deleting(GENERATOR, "faces")))
        assert refused.reason == "ARTIFACT_IN_USE"
        assert "delete them first: faces/style version 1, faces/zoom version 1" in refused.message
        library.put_generator("faces", load_generator(library.store, "faces", 1)[0])
        await server.models.DeleteVersion(deleting(GENERATOR, "faces"))
        assert await listed(server, GENERATOR, "faces") == [("faces", "2", True), ("faces", "3", False)]
        for name in ("style", "zoom"):
            await server.models.DeleteVersion(deleting(DIRECTION, f"faces/{name}"))
        await server.models.DeleteVersion(deleting(GENERATOR, "faces", "3"))


async def test_a_version_with_a_damaged_manifest_is_told_and_can_be_deleted(library, serve):
    library.put_direction("faces", load_direction(library.store, "faces", "zoom")[0])
    (library.path / "directions/faces/zoom/1/manifest.json").write_text("{")
    async with serve(library) as server:
        damaged = (await server.models.ListVersions(pb.ListVersionsRequest(name="faces/zoom"))).versions[0]
        assert "it is no manifest" in damaged.problem
        assert (damaged.size_bytes, damaged.HasField("create_time")) == (0, False)
        await server.models.DeleteVersion(deleting(DIRECTION, "faces/zoom"))
        assert await listed(server, DIRECTION, "faces/zoom") == [("faces/zoom", "2", True)]


async def test_a_manifest_with_numbers_that_no_message_holds_is_listed(library, serve):
    manifest = library.path / "generators/digits/1/manifest.json"
    said = json.loads(manifest.read_text())
    said["files"]["weights.safetensors"]["bytes"], said["body"]["digest"], said["created"] = 2**80, ["x"], "never"
    manifest.write_text(json.dumps(said))
    async with serve(library, models=("faces",)) as server:
        digits = (await server.models.ListVersions(pb.ListVersionsRequest(name="digits"))).versions[0]
        assert (digits.size_bytes, digits.generator_digest, digits.HasField("create_time")) == (2**63 - 1, "", False)


@pytest.mark.parametrize(
    ("asked", "status", "words"),
    [
        (
            deleting(DIRECTION, "faces/none"),
            "NOT_FOUND",
            "no 'faces/none' version 1 in directions: use one of style, zoom",
        ),
        (deleting(DIRECTION, "faces/zoom", "9"), "NOT_FOUND", "no 'faces/zoom' version 9 in directions: use one of 1"),
        (deleting(DIRECTION, "../zoom"), "INVALID_ARGUMENT", "name: name '../zoom' in directions"),
        (deleting(DIRECTION, "faces/zoom", ""), "INVALID_ARGUMENT", "version: is needed"),
        (deleting(0, "faces"), "INVALID_ARGUMENT", "kind: 0 is none of GENERATOR"),
        (deleting(7, "faces"), "INVALID_ARGUMENT", "kind: 7 is none of GENERATOR"),
    ],
)
async def test_what_is_not_there_is_told(server, refusal, asked, status, words):
    refused = await refusal(server.models.DeleteVersion(asked))
    assert (refused.status, words in refused.message) == (status, True), refused.message
    assert len(await listed(server)) == 4
