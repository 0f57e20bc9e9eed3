"""Jobs of discovery, from the request to what the server walks."""

import grpc
import pytest

from latentwalk.gan.artifacts import ArtifactStore, load_direction
from latentwalk.server.settings import Settings as ServerSettings
from latentwalk.trainer.data import Library
from latentwalk.v1 import generation_service_pb2 as generation_pb
from latentwalk.v1 import generation_service_pb2_grpc
from latentwalk.v1 import training_service_pb2 as pb


def test_class_directions_go_from_the_job_to_the_server_which_keeps_them_to_their_class(
    make_settings, serve_trainer, serve_server, artifacts_url
):
    settings = ServerSettings(address="127.0.0.1:0", metrics_address="", store=artifacts_url, models=("digits",))
    with serve_server(settings) as server:
        address = f"127.0.0.1:{server.port}"
        with serve_trainer(make_settings(server_address=(address,))) as trainer:
            method = pb.ClassDirectionsSpec(directions=2, steps=4, batch_size=4, evaluation_size=64)
            job = trainer.create(pb.JobSpec(model="digits", direction="banks", class_directions=method))
            job = trainer.wait_for_end(job.id)
        assert (job.state, job.error) == (pb.JOB_STATE_SUCCEEDED, "")
        assert job.result.measures["max_abs_cross"] < 1e-5
        assert job.spec.class_directions.shift_scale == 6
        with grpc.insecure_channel(address) as channel:
            stub = generation_service_pb2_grpc.GenerationServiceStub(channel)
            assert len(list(stub.Walk(walk("class8.1", class_id=8)))) == 4
            assert len(list(stub.Walk(walk("global.1", class_id=3)))) == 4
            with pytest.raises(grpc.RpcError) as refused:
                list(stub.Walk(walk("class8.1", class_id=3)))
            assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def walk(slider, class_id):
    request = generation_pb.WalkRequest(model="digits")
    request.starts.add(seed=1).condition.class_id = class_id
    stretch = request.legs.add(frames=3).stretches.add(direction="banks", slider=slider)
    getattr(stretch, "from").alpha, stretch.to.alpha = -1.0, 1.0
    return request


def test_curved_paths_found_by_a_job_are_read_back_from_the_store(make_settings, serve_trainer, artifacts_url):
    with serve_trainer(make_settings()) as trainer:
        method = pb.DiscoverySpec(deformator=pb.DEFORMATOR_RBF, directions=3, steps=3, batch_size=4, dipoles=4)
        job = trainer.create(pb.JobSpec(model="tiny", direction="paths", discovery=method))
        job = trainer.wait_for_end(job.id)
    assert (job.state, job.error) == (pb.JOB_STATE_SUCCEEDED, "")
    assert (job.spec.discovery.shift_scale, job.spec.discovery.shift_min) == (0.45, 0.25)
    direction, _ = load_direction(ArtifactStore(artifacts_url), "tiny", "paths")
    assert direction.form == "rbf"
    assert [one.name for one in direction.sliders] == ["0", "1", "2"]
    assert direction.sliders[0].trained == pytest.approx((-7.2, 7.2))


def test_a_job_with_real_pictures_says_how_much_its_directions_change_of_them(
    make_settings, serve_trainer, artifacts_url, mnist
):
    with serve_trainer(make_settings(data=str(mnist))) as trainer:
        method = pb.DiscoverySpec(directions=2, steps=2, batch_size=4, evaluation_size=8, data={"dataset": "MNIST"})
        job = trainer.wait_for_end(trainer.create(pb.JobSpec(model="grey", direction="found", discovery=method)).id)
    assert (job.state, job.error) == (pb.JOB_STATE_SUCCEEDED, "")
    measures = job.result.measures
    mean = (measures["variation.0"] + measures["variation.1"]) / 2
    assert measures["direction_variation"] == pytest.approx(mean)
    read = Library(mnist).read("dataset", "MNIST", "train", 16)
    assert dict(job.result.data_digests) == {"train": read.digest}
    manifest = ArtifactStore(artifacts_url).get("directions", "grey/found", 1).manifest
    assert manifest["provenance"]["data"] == {"train": read.digest}
