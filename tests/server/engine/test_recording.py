"""What CUDA graphs are recorded of must make neither host nor device wait for the other."""

import copy
from itertools import product

import pytest
import torch
from biggan import make_biggan
from fake_cuda import fake_cuda, numbers
from golden import golden
from progan import make_progan
from styled import make_lively, make_styled

from latentwalk.gan.families.stylegan3 import StyleGAN3
from latentwalk.gan.images import to_uint8
from latentwalk.gan.spec import SPACES, GeneratorSpec
from latentwalk.server.engine.recording import Recordable, Unrecordable
from latentwalk.server.engine.rows import Inputs

STYLEGAN2 = GeneratorSpec(
    "stylegan2", 6, 2, 16, 3, {"width": 4, "max_width": 8, "mapping_layers": 2}, spaces=SPACES, layers=6, w_size=5
)
GENERATORS = {
    "progan": make_progan,
    "stylegan": make_styled,
    "stylegan2": lambda: make_lively(STYLEGAN2),
    "stylegan3 t": lambda: StyleGAN3.from_checkpoint(golden("stylegan3_t").checkpoint).freeze(),
    "stylegan3 r": lambda: StyleGAN3.from_checkpoint(golden("stylegan3_r").checkpoint).freeze(),
    "biggan": lambda: make_biggan("biggan"),
    "biggan_deep": lambda: make_biggan("biggan_deep"),
    "biggan_deep between two truncations": lambda: make_biggan("biggan_deep", truncation=0.47),
}


def inputs_of(generator, rows):
    """On CUDA, without numbers."""
    spec = generator.spec
    if spec.space == "w+":
        return Inputs(numbers(rows, spec.layers, spec.w_size), None)
    return Inputs(numbers(rows, spec.latent_size), numbers(rows, spec.classes) if spec.classes else None)


@pytest.fixture(params=["faces", "digits", *GENERATORS])
def generator(request):
    make = GENERATORS.get(request.param)
    return make() if make else request.getfixturevalue(request.param)


FORMS = [*product((torch.float32, torch.bfloat16, torch.float16), (torch.contiguous_format, torch.channels_last))]


@pytest.mark.parametrize(("precision", "memory_format"), FORMS, ids=str)
def test_every_form_of_every_family_can_be_recorded(generator, precision, memory_format):
    form = copy.deepcopy(generator).to(precision).to(memory_format=memory_format)
    with fake_cuda(form) as there, torch.no_grad(), Recordable():
        code, condition, _ = inputs_of(generator, 2).to(precision)
        pictures = there.draw(code, generator.spec.space, condition)
        pixels, finite = to_uint8(pictures, generator.spec.range), pictures.isfinite().flatten(1).all(dim=1)
    side, channels = generator.spec.resolution, generator.spec.channels
    assert pixels.shape == (2, side, side, channels)
    assert {pixels.device.type, finite.device.type} == {"cuda"}


WAITING = {
    "looks at a number": lambda z: z * z.mean().item(),
    "asks whether": lambda z: z if z.sum() > 0 else -z,
    "brings numbers along": lambda z: z * z.new_tensor([1.0, 2.0, 3.0]),
    "computes in part on the CPU": lambda z: z.cpu().exp().to(z),
    "chooses by a mask": lambda z: z[z > 0],
    "chooses by places on the CPU": lambda z: z[:, [0, 1]],
    "counts": lambda z: z.nonzero(),
}


@pytest.mark.parametrize("way", WAITING)
def test_what_makes_one_wait_for_the_other_is_found(faces, way):
    with fake_cuda(faces), torch.no_grad(), Recordable(), pytest.raises(Unrecordable, match="wait for each other"):
        WAITING[way](numbers(2, 3))


def test_what_is_made_or_chosen_on_the_device_is_not(faces):
    with fake_cuda(faces), torch.no_grad(), Recordable():
        z = numbers(2, 3)
        places = torch.zeros(2, dtype=torch.int64, device="cuda")
        assert (z[places] * 2 + z.new_full((3,), 0.5)).shape == (2, 3)
