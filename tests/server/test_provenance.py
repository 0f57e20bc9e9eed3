"""Where a direction comes from, as its callers are told."""

from latentwalk.gan.artifacts import load_direction
from latentwalk.v1 import model_service_pb2 as pb

READY = pb.LOAD_STATE_READY
PROVENANCE = {
    "method": "discovery",
    "job": "a1b2",
    "measures": {"reconstruction_accuracy": 0.75, "accuracy.age": 0.5},
    "evaluations": [{"slider": "light", "error": 0.25, "baseline": 0.5}],
}


async def test_a_direction_says_where_it_comes_from_and_its_sliders_what_was_measured(library, serve):
    library.put_direction("faces", load_direction(library.store, "faces", "style")[0], PROVENANCE)
    async with serve(library) as server:
        request = pb.GetDirectionRequest(model="faces", direction="style")
        style = (await server.models.GetDirection(request)).direction
        provenance = style.provenance
        assert (provenance.method, provenance.job, provenance.file) == ("discovery", "a1b2", "")
        assert provenance.create_time.ToJsonString() == "2026-01-01T00:00:00Z"
        assert dict(provenance.measures) == {"reconstruction_accuracy": 0.75}
        assert {one.name: dict(one.measures) for one in style.sliders} == {
            "age": {"accuracy": 0.5},
            "light": {"error": 0.25, "baseline": 0.5, "gain": 0.5},
        }
        loaded = await server.models.LoadDirection(pb.LoadDirectionRequest(model="faces", direction="style"))
        assert loaded.direction == style
        (listed, _) = (await server.models.ListDirections(pb.ListDirectionsRequest(model="faces"))).directions
        assert listed.name == "style"
        assert not listed.HasField("provenance")
        assert not any(one.measures for one in listed.sliders)
        await server.models.UnloadDirection(pb.UnloadDirectionRequest(model="faces", direction="style"))
        assert not (await server.models.GetDirection(request)).direction.HasField("provenance")


async def test_a_direction_is_served_whatever_its_provenance_is(library, serve):
    said = {
        "method": "\ud800",
        "job": 3,
        "measures": {"\x00": 1, "huge": 10**400, "accuracy.age": "high"},
        "evaluations": [None],
    }
    library.put_direction("faces", load_direction(library.store, "faces", "style")[0], said)
    async with serve(library) as server:
        request = pb.GetDirectionRequest(model="faces", direction="style")
        style = (await server.models.GetDirection(request)).direction
        unknown = pb.Provenance(create_time=style.provenance.create_time)
        assert (style.state, style.HasField("provenance"), style.provenance) == (READY, True, unknown)
