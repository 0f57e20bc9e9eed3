"""Generators that are trained on from a published one: how they begin, what is refused, what is said of it."""

from dataclasses import replace

import pytest
import torch
from dcgan import make_dcgan
from PIL import Image

from latentwalk.gan.artifacts import ArtifactRef, ArtifactStore, load_generator, save_generator
from latentwalk.gan.families import build_generator
from latentwalk.gan.spec import SPACES, GeneratorSpec
from latentwalk.rpc.errors import InvalidRequest
from latentwalk.trainer.materials import Materials, Parent
from latentwalk.trainer.methods.gan import Gan
from latentwalk.trainer.specs import GanFamily, spec_from_json, spec_to_json
from latentwalk.trainer.validation import read_spec
from latentwalk.v1 import training_service_pb2 as pb

DCGAN = GeneratorSpec("dcgan", 8, 0, 16, 1, {"width": 4})
MNIST, GREY, SHADES = pb.Data(dataset="MNIST"), pb.Data(folder="grey"), pb.Data(folder="shades")
STYLES = {"width": 2, "max_width": 4, "mapping_layers": 3}


def gan(start_from, data=MNIST, **settings):
    return pb.GanSettings(data=data, start_from=start_from, **{"steps": 4, "batch_size": 4} | settings)


def job(settings, **changes):
    return pb.JobSpec(**{"model": "new", "gan": pb.GanSpec(gan=settings)} | changes)


def save(store, name, generator):
    return save_generator(store, name, generator, provenance={}, created="2026-01-01T00:00:00Z")


@pytest.fixture
def store(artifacts_url):
    """One that also has "numerals", grey and of 10 classes, in two versions, and "styled", grey, without classes."""
    store = ArtifactStore(artifacts_url)
    for _ in range(2):
        save(store, "numerals", make_dcgan(replace(DCGAN, classes=10)))
    styled = GeneratorSpec("stylegan", 6, 0, 8, 1, STYLES, spaces=SPACES, layers=4, w_size=5)
    save(store, "styled", build_generator(styled).freeze())
    ported = replace(styled, config=STYLES | {"port": "rosinality"})
    save(store, "ported", build_generator(ported).freeze())
    save(store, "grown", build_generator(GeneratorSpec("progan", 6, 0, 8, 1, {"width": 4, "max_width": 8})).freeze())
    save(store, "bright", make_dcgan(replace(DCGAN, range=(0.0, 1.0))))
    save(store, "tall", build_generator(GeneratorSpec("dcgan", 4, 0, 256, 1, {"width": 1})).freeze())
    save(store, "wide", build_generator(GeneratorSpec("dcgan", 4, 0, 8, 1, {"width": 513})).freeze())
    return store


@pytest.fixture
def materials(store, mnist):
    """With MNIST, and folders of pictures: "grey" without classes, "shades" with two."""
    for folder in ("grey", "shades/dark", "shades/bright"):
        (mnist / folder).mkdir(parents=True)
        for number in range(4):
            Image.new("L", (8, 8), 40 * number).save(mnist / folder / f"{number}.png")
    return Materials(store, mnist)


def test_family_sizes_and_classes_are_those_of_the_generator_and_its_version_stands_in_the_spec(materials):
    spec = read_spec(job(gan("numerals")), materials)
    settings = spec.settings.gan
    assert (settings.start_from, settings.family, settings.conditional) == ("numerals@2", GanFamily.DCGAN, True)
    assert (settings.resolution, settings.latent_size, settings.width, settings.discriminator_width) == (16, 8, 4, 4)
    assert spec_from_json(spec_to_json(spec)) == spec
    older = read_spec(job(gan("numerals@1", resolution=16, conditional=True)), materials).settings.gan
    assert older.start_from == "numerals@1"
    styled = read_spec(job(gan("styled", GREY)), materials).settings.gan
    assert (styled.family, styled.conditional, styled.w_size) == (GanFamily.STYLEGAN, False, 5)
    assert STYLES.items() <= {name: getattr(styled, name) for name in STYLES}.items()
    assert read_spec(job(gan("ported", GREY)), materials).settings.gan == replace(styled, start_from="ported@1")
    grown = read_spec(job(gan("grown", GREY)), materials).settings.gan
    assert (grown.family, grown.width, grown.max_width, grown.w_size) == (GanFamily.PROGAN, 4, 8, 0)


STYLED = {"family": pb.GAN_FAMILY_STYLEGAN}


@pytest.mark.parametrize(
    ("bad", "field", "problem"),
    [
        (gan("faces"), "start_from", "faces"),
        (gan("grey@2"), "start_from", "version 2"),
        (gan("../grey"), "start_from", "'../grey' is no name"),
        (gan("tiny"), "data", "its pictures have 1 channels, those of 'tiny@1' 3"),
        (gan("numerals", SHADES), "data", "it has 2 classes, 'numerals@2' 10"),
        (gan("grey", conditional=True), "conditional", "'grey@1', which it is to start from, has no classes"),
        (gan("grey", resolution=32), "resolution", "32 is refused: that of 'grey@1' is 16; leave it out"),
        (gan("grey", **STYLED), "family", "stylegan is refused: that of 'grey@1' is dcgan"),
        (gan("styled", GREY, mapping_layers=8), "mapping_layers", "8 is refused: that of 'styled@1' is 3"),
        (gan("styled", GREY, progressive_from=4), "progressive_from", "is refused with start_from: 'styled@1'"),
        (gan("grey", w_size=8), "w_size", "only a stylegan has it, not a dcgan"),
        (gan("bright"), "start_from", "in the range (0.0, 1.0): what is trained has (-1.0, 1.0)"),
        (gan("tall", discriminator_width=512), "discriminator_width", "512, at 256 px, makes players of 2,8"),
        (gan("wide"), "start_from", "width of 'wide@1' is 513: what is trained has from 1 to 512"),
    ],
)
def test_what_does_not_go_with_the_generator_is_refused_by_field(materials, bad, field, problem):
    with pytest.raises(InvalidRequest) as refusal:
        read_spec(job(bad), materials)
    [(named, said)] = refusal.value.violations
    assert named == f"spec.gan.gan.{field}"
    assert problem in said


@pytest.mark.parametrize("name", ["numerals", "styled"])
def test_generator_and_average_begin_with_its_weights_and_the_average_leaves_them_slowly(materials, name):
    spec = read_spec(job(gan(name, GREY if name == "styled" else MNIST, ema_half_life=40)), materials)
    method = Gan.prepare(spec, materials)
    parent = method._match.parent
    assert isinstance(parent, Parent)
    assert method._match.averaged.digest == method._match.player.generator.digest == parent.generator.digest
    method.before_step(0)
    before = {key: tensor.clone() for key, tensor in method._match.averaged.state_dict().items()}
    with torch.no_grad():
        for weight in method._match.player.parameters():
            weight.add_(1)
    method._match.average.update_parameters(method._match.player)
    kept = 0.5 ** (4 / 40)
    key = "main.0.weight" if name == "numerals" else "mapping.layers.0.weight"
    torch.testing.assert_close(method._match.averaged.state_dict()[key], before[key] + 1 - kept)


def test_the_discriminator_begins_as_that_of_a_generator_from_nothing(materials):
    begun = Gan.prepare(read_spec(job(gan("grey")), materials), materials)
    fresh = Gan.prepare(read_spec(job(gan("", resolution=16, latent_size=8, width=4)), materials), materials)
    own, other = (method._match.discriminator.state_dict() for method in (begun, fresh))
    assert all(torch.equal(tensor, other[name]) for name, tensor in own.items())


def test_jobs_train_on_from_a_version_and_the_manifests_name_it_with_its_digest(make_settings, serve_trainer, mnist):
    settings = make_settings(data=str(mnist))
    turned = pb.JointSpec(gan=gan("grey@1"), edits=[pb.EditTarget(edit="rotate")], evaluation_size=4)
    with serve_trainer(settings) as trainer:
        alone = trainer.wait_for_end(trainer.create(job(gan("grey", learning_rate=1e-6), model="grey")).id)
        both = trainer.wait_for_end(trainer.create(pb.JobSpec(model="new", direction="turn", joint=turned)).id)
    assert alone.state == both.state == pb.JOB_STATE_SUCCEEDED, (alone.error, both.error)
    store = ArtifactStore(settings.store)
    (first, _), (second, ref) = (load_generator(store, "grey", version) for version in (1, None))
    assert (ref.version, alone.spec.gan.gan.start_from) == (2, "grey@1")
    assert second.digest == alone.result.generator_digest != first.digest
    torch.testing.assert_close(
        second.get_parameter("main.0.weight"), first.get_parameter("main.0.weight"), atol=1e-3, rtol=0
    )
    for made in (("generators", "grey", 2), ("generators", "new", 1), ("directions", "new/turn", 1)):
        provenance = store.manifest(ArtifactRef(*made)).provenance
        assert provenance["parent"] == {"name": "grey", "version": 1, "digest": first.digest}
    assert "parent" not in store.manifest(ArtifactRef("generators", "grey", 1)).provenance
