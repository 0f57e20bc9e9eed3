import pytest
import torch
from golden import golden
from torch import Tensor, nn

from latentwalk.gan.errors import GanError, InvalidLatent, OutOfRange
from latentwalk.gan.families import build_generator
from latentwalk.gan.families.dcgan import DCGAN
from latentwalk.gan.latents import one_hot, z_from_seeds
from latentwalk.gan.spec import GeneratorSpec


def tutorial_generator(latent_size: int = 7, width: int = 4, channels: int = 3) -> nn.Sequential:
    """The generator of the PyTorch DCGAN tutorial, written out as it is there."""
    return nn.Sequential(
        nn.ConvTranspose2d(latent_size, width * 8, 4, 1, 0, bias=False),
        nn.BatchNorm2d(width * 8),
        nn.ReLU(True),
        nn.ConvTranspose2d(width * 8, width * 4, 4, 2, 1, bias=False),
        nn.BatchNorm2d(width * 4),
        nn.ReLU(True),
        nn.ConvTranspose2d(width * 4, width * 2, 4, 2, 1, bias=False),
        nn.BatchNorm2d(width * 2),
        nn.ReLU(True),
        nn.ConvTranspose2d(width * 2, width, 4, 2, 1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(True),
        nn.ConvTranspose2d(width, channels, 4, 2, 1, bias=False),
        nn.Tanh(),
    )


def tutorial_checkpoint(**sizes: int) -> tuple[nn.Sequential, dict[str, Tensor]]:
    torch.manual_seed(0)
    original = tutorial_generator(**sizes)
    with torch.no_grad():
        for _ in range(3):
            original(torch.randn(8, original[0].in_channels, 1, 1))
    return original.eval(), {f"main.{name}": tensor for name, tensor in original.state_dict().items()}


def test_it_draws_exactly_what_the_tutorial_draws() -> None:
    original, checkpoint = tutorial_checkpoint()
    generator = build_generator(DCGAN.infer_spec(checkpoint))
    generator.load_state_dict(checkpoint)
    z = z_from_seeds(range(4), 7)
    with torch.no_grad():
        assert torch.equal(generator.freeze()(z), original(z[:, :, None, None]))


def test_it_draws_what_the_code_of_pytorch_gan_zoo_draws() -> None:
    known = golden("dcgan_gan_zoo")
    generator = DCGAN.from_checkpoint(known.checkpoint).freeze()
    assert generator.spec == GeneratorSpec("dcgan", 6, 0, 32, 3, {"width": 4})
    assert known.pictures[1.0].std() > 0.2
    assert (generator(known.z) - known.pictures[1.0]).abs().max() < 1e-5


def test_what_was_imported_from_pytorch_gan_zoo_can_be_imported_again_and_has_classes_as_any_other() -> None:
    checkpoint = golden("dcgan_gan_zoo").checkpoint
    once = DCGAN.from_checkpoint(checkpoint, classes=2)
    assert (once.spec.latent_size, once.spec.classes) == (4, 2)
    assert DCGAN.from_checkpoint(once.state_dict(), classes=2).digest == once.digest


@pytest.mark.parametrize("form", ["missing", "a number", "another shape"])
def test_a_tensor_of_pytorch_gan_zoo_that_is_missing_or_of_another_shape_is_refused(form: str) -> None:
    checkpoint = golden("dcgan_gan_zoo").checkpoint
    assert len(checkpoint) == 1 + 3 * 5 + 2 + 1  # the batches that were counted need not be there
    for name in (name for name in checkpoint if "num_batches" not in name):
        broken = dict(checkpoint)
        if form == "missing":
            del broken[name]
        else:
            broken[name] = torch.zeros(()) if form == "a number" else torch.zeros(17)
        with pytest.raises(GanError, match="dcgan"):
            DCGAN.from_checkpoint(broken)


@pytest.mark.parametrize("name", ["main.convTranspose0.weight", "main.relu1.weight", "decisionLayer.weight"])
def test_a_tensor_that_pytorch_gan_zoo_does_not_know_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(GanError, match=f"{name} is .*, expected nothing"):
        DCGAN.from_checkpoint(golden("dcgan_gan_zoo").checkpoint | {name: torch.zeros(1)})


def test_the_spec_is_read_off_the_shapes() -> None:
    _, checkpoint = tutorial_checkpoint(latent_size=9, width=2, channels=1)
    assert DCGAN.infer_spec(checkpoint) == GeneratorSpec("dcgan", 9, 0, 64, 1, {"width": 2})
    assert DCGAN.infer_spec(checkpoint, classes=4) == GeneratorSpec("dcgan", 5, 4, 64, 1, {"width": 2})


def test_a_checkpoint_that_does_not_count_its_batches_is_accepted() -> None:
    _, checkpoint = tutorial_checkpoint()
    old = {name: tensor for name, tensor in checkpoint.items() if "num_batches" not in name}
    generator = build_generator(DCGAN.infer_spec(old))
    generator.load_state_dict(old)
    assert torch.equal(generator.state_dict()["main.0.weight"], old["main.0.weight"])


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda c: c.pop("main.0.weight"), "main.0.weight"),
        (lambda c: c.pop("main.4.running_var"), "main.4.running_var"),
        (lambda c: c.update({"main.3.bias": torch.zeros(16)}), "main.3.bias"),
        (lambda c: c.update({"main.6.weight": torch.zeros(16, 8, 3, 3)}), "main.6.weight"),
        (lambda c: c.update({"main.13.bias": torch.zeros(3)}), "main.13.bias"),
        (lambda c: c.clear(), "main.0.weight is missing among no tensors"),
    ],
)
def test_what_is_not_this_layout_is_refused_by_the_name_of_the_tensor(change, named: str) -> None:
    _, checkpoint = tutorial_checkpoint()
    change(checkpoint)
    with pytest.raises(GanError, match=named):
        DCGAN.infer_spec(checkpoint)


def test_more_classes_than_inputs_are_refused() -> None:
    _, checkpoint = tutorial_checkpoint(latent_size=7)
    with pytest.raises(OutOfRange, match="latent_size"):
        DCGAN.infer_spec(checkpoint, classes=7)


@pytest.mark.parametrize("resolution", [8, 16, 128])
@pytest.mark.parametrize(("channels", "width"), [(1, 1), (4, 3)])
def test_any_power_of_two_channels_and_width(resolution: int, channels: int, width: int) -> None:
    spec = GeneratorSpec("dcgan", 5, 0, resolution, channels, {"width": width})
    generator = build_generator(spec).freeze()
    pictures = generator(z_from_seeds([1, 2], 5))
    assert pictures.shape == (2, channels, resolution, resolution)
    assert pictures.abs().max() <= 1
    assert DCGAN.infer_spec(generator.state_dict()) == spec


@pytest.mark.parametrize("config", [{}, {"width": "64"}, {"width": True}, {"width": 4, "depth": 3}])
def test_a_config_that_is_not_one_width_is_refused(config: dict) -> None:
    with pytest.raises(GanError, match="config of a dcgan"):
        build_generator(GeneratorSpec("dcgan", 5, 0, 16, 3, config))


def test_a_width_out_of_range_and_a_resolution_between_powers_of_two_are_refused() -> None:
    with pytest.raises(OutOfRange, match="width"):
        build_generator(GeneratorSpec("dcgan", 5, 0, 16, 3, {"width": 0}))
    with pytest.raises(GanError, match="power of two"):
        build_generator(GeneratorSpec("dcgan", 5, 0, 24, 3, {"width": 4}))


def test_a_condition_decides_what_is_drawn() -> None:
    generator = build_generator(GeneratorSpec("dcgan", 5, 3, 8, 1, {"width": 4})).freeze()
    z = z_from_seeds([1, 1], 5)
    first, second = generator(z, one_hot([0, 2], 3))
    assert not torch.equal(first, second)
    soft = torch.full((1, 3), 1 / 3)
    assert generator(z[:1], soft).shape == (1, 1, 8, 8)
    assert DCGAN.infer_spec(generator.state_dict(), classes=3) == generator.spec


def test_the_inputs_after_those_of_z_are_the_condition() -> None:
    generator = build_generator(GeneratorSpec("dcgan", 5, 3, 8, 1, {"width": 4}))
    with torch.no_grad():
        generator.state_dict()["main.0.weight"][5:] = 0
    first, second = generator.freeze()(z_from_seeds([1, 1], 5), one_hot([0, 2], 3))
    assert torch.equal(first, second)


def test_a_condition_is_required_with_classes_and_refused_without() -> None:
    conditional = build_generator(GeneratorSpec("dcgan", 5, 3, 8, 1, {"width": 4}))
    with pytest.raises(InvalidLatent, match="none was given to a generator of 3 classes"):
        conditional(torch.zeros(1, 5))
    unconditional = build_generator(GeneratorSpec("dcgan", 5, 0, 8, 1, {"width": 4}))
    with pytest.raises(InvalidLatent, match="one was given to a generator of 0 classes"):
        unconditional(torch.zeros(1, 5), torch.ones(1, 3))


def test_fresh_weights_are_those_of_the_paper() -> None:
    generator = build_generator(GeneratorSpec("dcgan", 64, 0, 64, 3, {"width": 32}))
    weights = generator.state_dict()
    assert weights["main.3.weight"].std().item() == pytest.approx(0.02, rel=0.02)
    assert weights["main.1.weight"].mean().item() == pytest.approx(1.0, abs=0.01)
    assert weights["main.1.weight"].std().item() == pytest.approx(0.02, rel=0.3)
    assert not weights["main.1.bias"].any()
