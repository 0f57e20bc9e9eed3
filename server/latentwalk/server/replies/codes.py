"""Codes of the latent space."""

import numpy as np
from numpy.typing import NDArray

from latentwalk.v1 import tensor_pb2


def code_message(code: NDArray[np.float32]) -> tensor_pb2.Tensor:
    """A code, as it travels."""
    data = code.astype("<f4").tobytes()
    return tensor_pb2.Tensor(dtype=tensor_pb2.DATA_TYPE_FLOAT32, shape=code.shape, data=data)
