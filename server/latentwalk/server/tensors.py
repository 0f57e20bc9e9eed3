"""Codes, in the words of the wire."""

from torch import Tensor

from latentwalk.v1 import tensor_pb2


def tensor_message(code: Tensor) -> tensor_pb2.Tensor:
    """A float32 code, as it travels."""
    data = code.contiguous().numpy().astype("<f4").tobytes()
    return tensor_pb2.Tensor(dtype=tensor_pb2.DATA_TYPE_FLOAT32, shape=code.shape, data=data)
