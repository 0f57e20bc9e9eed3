"""What tests of a served StyleGAN have in common: latents on the wire, and a direction in each of its spaces."""

import torch

from latentwalk.gan.directions import LinearDirection, Slider
from latentwalk.v1 import latent_pb2, tensor_pb2

SLIDER = Slider("s", "", "", 1.0, (-2.0, 2.0), (-3.0, 3.0))


def seeds(*values):
    return [latent_pb2.Latent(seed=value) for value in values]


def tensor(code):
    data = code.numpy().astype("<f4").tobytes()
    return tensor_pb2.Tensor(dtype=tensor_pb2.DATA_TYPE_FLOAT32, shape=code.shape, data=data)


def latent(seed=None, class_id=0, **fields):
    """A latent of one class; `class_id` None says none."""
    made = latent_pb2.Latent(seed=seed, **fields) if seed is not None else latent_pb2.Latent(**fields)
    if class_id is not None:
        made.condition.class_id = class_id
    return made


def directions_of(styled):
    torch.manual_seed(5)
    digest, size = styled.digest, {"z": 6, "w": 5, "w+": 10}
    return {
        space: LinearDirection(
            name, digest, (SLIDER,), torch.randn(1, size[space]), space=space, layers=(1, 4) if space == "w+" else ()
        )
        for space, name in (("z", "before"), ("w", "after"), ("w+", "inside"))
    }
