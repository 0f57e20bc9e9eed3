"""Jobs that train generators and classifiers, over the wire: what is refused, and what is published."""

from io import BytesIO

import pytest
from PIL import Image

from latentwalk.gan.artifacts import ArtifactStore, load_classifier, load_direction, load_generator
from latentwalk.rpc.errors import InvalidRequest
from latentwalk.trainer.materials import Materials
from latentwalk.trainer.specs import GanLoss, JointMode, spec_from_json, spec_to_json
from latentwalk.trainer.validation import read_spec
from latentwalk.v1 import artifact_pb2
from latentwalk.v1 import training_service_pb2 as pb

SMALL = {"resolution": 8, "latent_size": 4, "width": 2, "steps": 6, "batch_size": 4, "conditional": True}
MNIST = pb.Data(dataset="MNIST")


def gan(data=MNIST, **settings):
    return pb.GanSettings(data=data, **SMALL | settings)


def styled(**settings):
    return gan(family=pb.GAN_FAMILY_STYLEGAN, **settings)


def grown(**settings):
    return gan(family=pb.GAN_FAMILY_PROGAN, **settings)


def job(**method):
    return pb.JobSpec(**{"model": "new"} | method)


def joint(settings=None, edits=("rotate",), **changes):
    spec = pb.JointSpec(gan=settings or gan(), edits=[pb.EditTarget(edit=name) for name in edits], **changes)
    return job(joint=spec, direction="turn")


@pytest.fixture
def materials(artifacts_url, mnist):
    return Materials(ArtifactStore(artifacts_url), mnist)


def test_what_follows_from_the_game_is_filled_in(materials):
    spec = read_spec(job(gan=pb.GanSpec(gan=gan(width=5, learning_rate=0.01))), materials)
    settings = spec.settings.gan
    assert (settings.loss, settings.penalty) == (GanLoss.NON_SATURATING, 1.0)
    assert (settings.discriminator_width, settings.discriminator_learning_rate) == (5, 0.01)
    assert spec.settings.steps == 6
    hinge = read_spec(job(gan=pb.GanSpec(gan=gan(loss=pb.GAN_LOSS_HINGE))), materials)
    wasserstein = read_spec(job(gan=pb.GanSpec(gan=gan(loss=pb.GAN_LOSS_WGAN_GP, penalty=3))), materials)
    assert (hinge.settings.gan.penalty, wasserstein.settings.gan.penalty) == (0.0, 3.0)
    assert spec_from_json(spec_to_json(spec)) == spec


def test_what_a_stylegan_has_is_filled_in(materials):
    settings = read_spec(job(gan=pb.GanSpec(gan=styled())), materials).settings.gan
    assert (settings.w_size, settings.mapping_layers, settings.max_width) == (4, 8, 512)
    assert (settings.style_mixing, settings.learning_rate, settings.discriminator_learning_rate) == (0.9, 0.001, 0.001)
    mixed = read_spec(job(gan=pb.GanSpec(gan=styled(style_mixing=0, w_size=9))), materials).settings.gan
    assert (mixed.style_mixing, mixed.w_size) == (0.0, 9)
    plain = read_spec(job(gan=pb.GanSpec(gan=gan())), materials).settings.gan
    assert (plain.style_mixing, plain.learning_rate, plain.w_size) == (None, 0.0002, 0)


def test_what_a_progan_has_is_filled_in(materials):
    settings = read_spec(job(gan=pb.GanSpec(gan=grown(progressive_from=4, steps=100))), materials).settings.gan
    assert (settings.max_width, settings.learning_rate, settings.fade_steps, settings.stable_steps) == (
        512,
        0.001,
        25,
        25,
    )
    assert (settings.w_size, settings.mapping_layers, settings.style_mixing) == (0, 0, None)


def test_when_a_stylegan_grows_is_filled_in(materials):
    def phases(**settings):
        gan = read_spec(job(gan=pb.GanSpec(gan=styled(**settings))), materials).settings.gan
        return gan.fade_steps, gan.stable_steps

    assert phases() == (0, 0)
    growing = {"resolution": 32, "progressive_from": 8, "steps": 1_000}
    assert phases(**growing) == (125, 125)  # 8, 16 and 32 px: two of each before half of the steps are done
    assert phases(**growing, fade_steps=20) == phases(**growing, stable_steps=20) == (20, 20)
    assert phases(**growing, fade_steps=20, stable_steps=479) == (20, 479)
    in_turn = joint(styled(progressive_from=4), mode=pb.JOINT_MODE_SEQUENTIAL)
    assert read_spec(in_turn, materials).settings.gan.growth.grown_at == 2


def test_a_joint_job_knows_its_amounts_and_its_steps(materials):
    together = read_spec(joint(), materials).settings
    assert together.edits[0].amounts == (-45, 45)
    assert (together.steps, together.edit_weight, together.walk_steps) == (6, 1.0, 0)
    in_turn = read_spec(joint(mode=pb.JOINT_MODE_SEQUENTIAL, walk_steps=5), materials).settings
    assert (in_turn.mode, in_turn.steps, in_turn.edit_weight) == (JointMode.SEQUENTIAL, 11, None)
    assert read_spec(joint(mode=pb.JOINT_MODE_SEQUENTIAL), materials).settings.steps == 1_006


@pytest.mark.parametrize(
    ("bad", "field", "problem"),
    [
        (job(gan={}), "spec.gan.gan.data", "'' is none of MNIST"),
        (job(gan={"gan": gan(pb.Data(dataset="KMNIST"))}), "spec.gan.gan.data", "KMNIST cannot be read"),
        (job(gan={"gan": gan(pb.Data(folder="../../etc"))}), "spec.gan.gan.data", "leads out"),
        (job(gan={"gan": gan(pb.Data(folder="MNIST"))}), "spec.gan.gan.data", "is no picture"),
        (job(gan={"gan": gan(resolution=24)}), "spec.gan.gan.resolution", "power of two"),
        (job(gan={"gan": gan(resolution=512)}), "spec.gan.gan.resolution", "from 8 to 256"),
        (job(gan={"gan": gan(resolution=256, width=512)}), "spec.gan.gan.width", "at most 536,870,912 are allowed"),
        (job(gan={"gan": gan(penalty=-1)}), "spec.gan.gan.penalty", "-1"),
        (job(gan={"gan": gan(learning_rate=0)}), "spec.gan.gan.learning_rate", "above 0"),
        (job(gan={"gan": gan(augmentation=[{"edit": "red"}])}), "spec.gan.gan.augmentation[0].edit", "1 channels"),
        (job(gan={"gan": gan()}, direction="d"), "spec.direction", "publishes no direction"),
        (job(gan={"gan": gan()}, model_version="1"), "spec.model_version", "makes a new model"),
        (job(gan={"gan": gan(w_size=3)}), "spec.gan.gan.w_size", "only a stylegan has it, not a dcgan"),
        (job(gan={"gan": grown(w_size=3)}), "spec.gan.gan.w_size", "only a stylegan has it, not a progan"),
        (job(gan={"gan": gan(style_mixing=0.5)}), "spec.gan.gan.style_mixing", "only a stylegan"),
        (job(gan={"gan": styled(style_mixing=1.5)}), "spec.gan.gan.style_mixing", "1.5 must be from 0 to 1"),
        (job(gan={"gan": styled(max_width=1)}), "spec.gan.gan.max_width", "1 must be at least 2, the width"),
        (job(gan={"gan": gan(progressive_from=4)}), "spec.gan.gan.progressive_from", "only a progan or a stylegan"),
        (job(gan={"gan": gan(fade_steps=4)}), "spec.gan.gan.fade_steps", "only a progan or a stylegan"),
        (job(gan={"gan": styled(progressive_from=8)}), "spec.gan.gan.progressive_from", "8 must be a power of two"),
        (job(gan={"gan": styled(progressive_from=6)}), "spec.gan.gan.progressive_from", "6 must be a power of two"),
        (job(gan={"gan": styled(progressive_from=2)}), "spec.gan.gan.progressive_from", "2 must be from 4 to 128"),
        (job(gan={"gan": styled(stable_steps=2)}), "spec.gan.gan.stable_steps", "set progressive_from"),
        (job(gan={"gan": styled(progressive_from=4, fade_steps=3)}), "spec.gan.gan.steps", "6 must be above 6"),
        (job(gan={"gan": styled(progressive_from=4, steps=2)}), "spec.gan.gan.steps", "1 times stable_steps (1)"),
        (joint(styled(progressive_from=4)), "spec.joint.gan.progressive_from", "is refused in mode joint: its walk"),
        (
            job(gan={"gan": gan(minibatch_deviation=True, batch_size=6)}),
            "spec.gan.gan.batch_size",
            "6 must be a multiple of 4 with minibatch_deviation",
        ),
        (joint(edits=()), "spec.joint.edits", "from 1 to"),
        (joint(edit_weight=0), "spec.joint.edit_weight", "above 0"),
        (joint(walk_steps=5), "spec.joint.walk_steps", "only mode sequential"),
        (joint(mode=pb.JOINT_MODE_SEQUENTIAL, edit_weight=2), "spec.joint.edit_weight", "only mode joint"),
        (joint(edits=["zoom", "zoom"]), "spec.joint.edits[1].edit", "twice"),
        (job(classifier={"data": {"folder": "flat"}}), "spec.classifier.data", "has 0 classes to tell"),
        (job(gan={"gan": gan(pb.Data(folder="flat"))}), "spec.gan.gan.conditional", "no classes"),
    ],
)  # fmt: skip
def test_a_spec_that_cannot_work_is_refused_by_field(materials, bad, field, problem):
    (materials.data / "flat").mkdir()
    for number in range(3):
        Image.new("L", (8, 8)).save(materials.data / "flat" / f"{number}.png")
    with pytest.raises(InvalidRequest) as refusal:
        read_spec(bad, materials)
    [(named, said)] = refusal.value.violations
    assert named == field
    assert problem in said


def test_a_job_grows_a_generator_and_shows_it_on_the_way(make_settings, serve_trainer, mnist):
    settings = make_settings(data=str(mnist))
    growing = styled(resolution=16, progressive_from=4, sample_every=2, steps=12, fade_steps=2, stable_steps=2)
    with serve_trainer(settings) as trainer:
        created = trainer.create(job(gan={"gan": growing}))
        events, made = list(trainer.watch(created.id)), trainer.wait_for_end(created.id)
    assert made.state == pb.JOB_STATE_SUCCEEDED, made.error
    told = [event.sample for event in events if event.HasField("sample")]
    sizes = [" of 4 px", " of 8 px", " of 8 px", "", "", ""]
    assert [one.caption for one in told] == [f"samples{size}, one class a row" for size in sizes]
    assert len({Image.open(BytesIO(one.png)).size for one in told}) == 1
    generator, _ = load_generator(ArtifactStore(settings.store), "new")
    assert generator.spec.resolution == 16
    assert generator.digest == made.result.generator_digest


def test_jobs_publish_a_generator_with_its_direction_and_a_classifier(make_settings, serve_trainer, mnist):
    settings = make_settings(data=str(mnist), concurrency=2)
    with serve_trainer(settings) as trainer:
        both = trainer.create(joint())
        classifier = trainer.create(job(classifier={"data": MNIST, "resolution": 8, "steps": 3, "batch_size": 4}))
        events, told = list(trainer.watch(both.id)), trainer.wait_for_end(classifier.id)
        made = trainer.get(both.id)
    assert made.state == told.state == pb.JOB_STATE_SUCCEEDED, (made.error, told.error)
    assert [(one.kind, one.name, one.version) for one in made.result.artifacts] == [
        (artifact_pb2.ARTIFACT_KIND_GENERATOR, "new", "1"),
        (artifact_pb2.ARTIFACT_KIND_DIRECTION, "turn", "1"),
    ]
    [sheet] = [event.sample for event in events if event.HasField("sample")]
    assert (sheet.step, sheet.caption) == (6, "samples, one class a row; sliders rotate")
    assert Image.open(BytesIO(sheet.png)).height == 10 * (8 + 2) + 14 + (8 + 2)
    store = ArtifactStore(settings.store)
    generator, _ = load_generator(store, "new")
    direction, _ = load_direction(store, "new", "turn")
    direction.check_generator(generator.digest)
    assert made.result.generator_digest == generator.digest
    assert (told.result.artifacts[0].kind, told.result.generator_digest) == (artifact_pb2.ARTIFACT_KIND_CLASSIFIER, "")
    assert 0 <= told.result.measures["test_accuracy"] <= 1
    assert load_classifier(store, "new")[0].spec.classes == 10


def test_a_job_whose_pictures_have_changed_fails_and_says_which_and_what_to_do(make_settings, serve_trainer, mnist):
    with serve_trainer(make_settings(data=str(mnist))) as trainer:
        job_id = trainer.create(job(gan=pb.GanSpec(gan=gan(steps=100_000)))).id
        trainer.wait_for_step(job_id, 1)
        trainer.stub.PauseJob(pb.PauseJobRequest(id=job_id))
        labels = mnist / "MNIST" / "raw" / "train-labels-idx1-ubyte"
        labels.write_bytes(labels.read_bytes()[:8] + labels.read_bytes()[:7:-1])
        trainer.stub.ResumeJob(pb.ResumeJobRequest(id=job_id))
        told = trainer.wait_for_end(job_id)
    assert told.state == pb.JOB_STATE_FAILED
    assert "the pictures of the train part have changed since step" in told.error
    assert "Put them back as they were and resume the job, or create another one" in told.error
