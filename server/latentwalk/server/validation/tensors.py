"""Tensors of the Open Inference Protocol, raw or typed, as arrays. Shapes: N pictures."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentwalk.oip import open_inference_service_pb2 as oip
from latentwalk.rpc.errors import InvalidRequest
from latentwalk.server.validation.shapes import is_shape, listed


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """A tensor that a model takes or makes."""

    name: str
    datatypes: tuple[str, ...]
    """Those that are accepted, the preferred one first."""
    shape: tuple[int, ...]
    """Outermost first; -1 is the number of pictures."""


@dataclass(frozen=True, slots=True)
class _Datatype:
    dtype: np.dtype[Any]
    contents: str | None
    """The field of InferTensorContents that holds such numbers; None if they only travel raw."""


_DATATYPES: Mapping[str, _Datatype] = {
    "UINT32": _Datatype(np.dtype("<u4"), "uint_contents"),
    "UINT64": _Datatype(np.dtype("<u8"), "uint64_contents"),
    "INT64": _Datatype(np.dtype("<i8"), "int64_contents"),
    "FP16": _Datatype(np.dtype("<f2"), None),
    "FP32": _Datatype(np.dtype("<f4"), "fp32_contents"),
}


def read_tensors(request: oip.ModelInferRequest, specs: Sequence[TensorSpec], most: int) -> dict[str, NDArray[Any]]:
    """The inputs by name, each of the shape of its spec, all with the same N, from 1 to `most`.

    Raises InvalidRequest for tensors that are none of `specs`, given twice, or not what they say they are.
    """
    raw = request.raw_input_contents
    if raw and len(raw) != len(request.inputs):
        raise InvalidRequest(
            "raw_input_contents", f"has {len(raw):,} entries for {len(request.inputs):,} inputs; give one for each"
        )
    known = {spec.name: spec for spec in specs}
    tensors: dict[str, NDArray[Any]] = {}
    for index, given in enumerate(request.inputs):
        if given.name not in known:
            raise InvalidRequest(f"inputs[{index}].name", f"{given.name!r} is none of {', '.join(known)}")
        if given.name in tensors:
            raise InvalidRequest(f"inputs[{index}].name", f"{given.name!r} is given twice")
        if given.parameters:
            raise InvalidRequest(f"inputs[{index}].parameters", "none are known; leave them out")
        spec = known[given.name]
        _check_form(given, spec, most)
        tensors[given.name] = _numbers(given, raw[index] if raw else None).reshape(given.shape[0], *spec.shape[1:])
    if len({len(tensor) for tensor in tensors.values()}) > 1:
        sizes = ", ".join(f"{name} {len(tensor)}" for name, tensor in tensors.items())
        raise InvalidRequest("inputs", f"must agree on the number of pictures: {sizes}")
    return tensors


def _check_form(given: oip.ModelInferRequest.InferInputTensor, spec: TensorSpec, most: int) -> None:
    field = f"inputs.{spec.name}"
    if given.datatype not in spec.datatypes:
        raise InvalidRequest(f"{field}.datatype", f"{given.datatype!r} must be {' or '.join(spec.datatypes)}")
    count, sizes = next(iter(given.shape), 0), spec.shape[1:]
    # [N, 1] is a column of N numbers: clients of batching servers know no tensors without a second size.
    if not is_shape(given.shape, (count, *sizes), (count, *(sizes or (1,)))):
        raise InvalidRequest(f"{field}.shape", f"{listed(given.shape)} must be {listed(spec.shape)}")
    if not 1 <= count <= most:
        raise InvalidRequest(f"{field}.shape", f"asks for {count:,} pictures; must be from 1 to {most:,}")


def _numbers(given: oip.ModelInferRequest.InferInputTensor, raw: bytes | None) -> NDArray[Any]:
    """The numbers of a tensor of known form, flat."""
    field, datatype, count = f"inputs.{given.name}", _DATATYPES[given.datatype], math.prod(given.shape)
    if raw is None:
        return _typed(f"{field}.contents", given, datatype, count)
    if given.HasField("contents"):
        raise InvalidRequest(f"{field}.contents", "must be left out, as the request has raw_input_contents")
    if len(raw) != (expected := count * datatype.dtype.itemsize):
        raise InvalidRequest(
            field, f"has {len(raw):,} bytes of raw_input_contents; this shape and datatype need {expected:,}"
        )
    return np.frombuffer(raw, datatype.dtype)


def _typed(field: str, given: oip.ModelInferRequest.InferInputTensor, datatype: _Datatype, count: int) -> NDArray[Any]:
    if datatype.contents is None:
        raise InvalidRequest(field, f"cannot hold {given.datatype}; use raw_input_contents")
    filled = [descriptor.name for descriptor, _ in given.contents.ListFields()]
    if filled != [datatype.contents]:
        found = ", ".join(filled) or "nothing"
        raise InvalidRequest(field, f"has {found}; {given.datatype} needs {datatype.contents} alone")
    numbers: Sequence[int | float] = getattr(given.contents, datatype.contents)
    if len(numbers) != count:
        raise InvalidRequest(
            f"{field}.{datatype.contents}", f"has {len(numbers):,} numbers; this shape needs {count:,}"
        )
    return np.array(numbers, datatype.dtype)
