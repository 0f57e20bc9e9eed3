import copy
import re

import pytest
import torch

from latentwalk.gan.errors import UnknownFamily
from latentwalk.gan.families import FAMILIES, build_generator
from latentwalk.gan.generator import Generator, digest_of
from latentwalk.gan.spec import GeneratorSpec


def test_the_digest_is_a_sha256_of_spec_and_weights(generator: Generator) -> None:
    assert re.fullmatch("sha256:[0-9a-f]{64}", generator.digest)
    assert generator.digest == digest_of(generator.spec, generator.state_dict())


def test_the_digest_does_not_depend_on_how_the_weights_lie_in_memory(generator: Generator) -> None:
    digest = digest_of(generator.spec, generator.state_dict())
    generator.to(memory_format=torch.channels_last)
    assert not next(generator.parameters()).is_contiguous()
    assert digest_of(generator.spec, generator.state_dict()) == digest


def test_the_digest_does_not_depend_on_the_order_of_the_tensors(generator: Generator) -> None:
    tensors = generator.state_dict()
    assert digest_of(generator.spec, dict(reversed(tensors.items()))) == generator.digest


def test_the_digest_changes_with_the_last_bit_of_any_tensor(generator: Generator) -> None:
    for name, tensor in generator.state_dict().items():
        changed = generator.state_dict()
        changed[name] = tensor.clone()
        changed[name].view(-1).view(torch.uint8)[0] ^= 1
        assert digest_of(generator.spec, changed) != generator.digest, name


def test_the_digest_changes_with_name_shape_dtype_and_spec(generator: Generator) -> None:
    spec, tensors = generator.spec, generator.state_dict()
    name, tensor = "main.0.weight", tensors["main.0.weight"]
    rest = {key: value for key, value in tensors.items() if key != name}
    other_spec = GeneratorSpec.from_json({**spec.to_json(), "spaces": ["z", "w", "w+"], "layers": 1, "w_size": 1})
    digests = {
        digest_of(spec, tensors),
        digest_of(spec, rest),
        digest_of(spec, {**rest, "main.0.kernel": tensor}),
        digest_of(spec, {**rest, name: tensor.flatten()}),
        digest_of(spec, {**rest, name: tensor.view(torch.int32)}),
        digest_of(other_spec, tensors),
    }
    assert len(digests) == 6


def test_half_precision_and_scalar_tensors_have_a_digest(spec: GeneratorSpec) -> None:
    tensors = {"half": torch.ones(3, dtype=torch.bfloat16), "scalar": torch.tensor(7), "empty": torch.ones(0)}
    assert digest_of(spec, tensors) != digest_of(spec, {**tensors, "scalar": torch.tensor(8)})


def test_a_frozen_generator_is_ready_to_be_used_and_not_trained(spec: GeneratorSpec) -> None:
    generator = build_generator(spec).freeze()
    assert not generator.training
    assert not any(parameter.requires_grad for parameter in generator.parameters())


def test_a_frozen_generator_keeps_its_digest_when_it_is_copied_and_converted(generator: Generator) -> None:
    assert copy.deepcopy(generator).to(torch.bfloat16).digest == generator.digest


def test_training_changes_the_digest(generator: Generator) -> None:
    frozen = generator.digest
    generator.train()
    generator(torch.randn(8, generator.spec.latent_size))
    assert generator.digest != frozen
    assert generator.freeze().digest != frozen


def test_loading_weights_changes_the_digest(generator: Generator) -> None:
    frozen = generator.digest
    generator.load_state_dict({name: tensor + 1 for name, tensor in generator.state_dict().items()})
    assert generator.digest != frozen


def test_an_unknown_family_is_refused_with_the_ones_that_exist(spec: GeneratorSpec) -> None:
    with pytest.raises(UnknownFamily, match="dcgan") as caught:
        build_generator(GeneratorSpec.from_json({**spec.to_json(), "family": "vae"}))
    assert caught.value.name == "vae"
    assert caught.value.existing == tuple(FAMILIES)
