"""The Open Inference Protocol and the GenerationService, each in the words of the other."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentwalk.gan.truncations import why_no_threshold
from latentwalk.oip import open_inference_service_pb2 as oip
from latentwalk.rpc.errors import InvalidRequest
from latentwalk.server.served import ServedModel
from latentwalk.server.validation.tensors import TensorSpec, read_tensors
from latentwalk.v1 import generation_service_pb2 as pb
from latentwalk.v1 import latent_pb2, tensor_pb2

_PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "direction": ("string_param",),
    "slider": ("string_param",),
    "alpha": ("double_param", "int64_param", "uint64_param"),
    "amount": ("double_param", "int64_param", "uint64_param"),
    "any_class": ("bool_param",),
}
"""The parameters of a request, and the kinds of value that each may have."""

_CODES = ("seed", "z", "w", "w_plus")
"""The inputs that are what pictures are made of, by the fields of a latent."""

_FLOATS = ("FP32", "FP16")

_TRUNCATIONS = {"truncation": "psi", "threshold": "threshold"}
"""The inputs that truncate, by the fields of a truncation."""

_MOST_CLASS = 2**32 - 1

_FIELDS: Sequence[tuple[re.Pattern[str], str]] = [
    (re.compile(pattern), field)
    for pattern, field in (
        (r"latents\[(\d+)\]\.condition.*", r"inputs.class_id[\1]"),
        (r"latents\[(\d+)\]\.truncation\.threshold", r"inputs.threshold[\1]"),
        (r"latents\[(\d+)\]\.(z|w|w_plus|truncation)(?:\..*)?", r"inputs.\2[\1]"),
        (r"latents\[(\d+)\]", r"images[\1]"),
        (r"displacements\[0\](?:\.extent)?\.(direction|slider|alpha|amount)", r"parameters.\1"),
        (r"displacements.*", "parameters"),
    )
]
"""Fields of a GenerateRequest, and what they were made from."""


def inputs_of(model: ServedModel) -> list[TensorSpec]:
    """The tensors that a model takes: one of the codes, what truncates w or the z of a seed, and class_id if it has
    classes.
    """
    spec = model.spec
    inputs = [TensorSpec("seed", ("UINT64",), (-1,)), TensorSpec("z", _FLOATS, (-1, spec.latent_size))]
    if "w" in spec.spaces:
        inputs.append(TensorSpec("w", _FLOATS, (-1, spec.w_size)))
        inputs.append(TensorSpec("w_plus", _FLOATS, (-1, spec.layers, spec.w_size)))
        inputs.append(TensorSpec("truncation", _FLOATS, (-1,)))
    elif why_no_threshold(spec) is None:
        inputs.append(TensorSpec("threshold", _FLOATS, (-1,)))
    if spec.classes:
        inputs.append(TensorSpec("class_id", ("INT64", "UINT32"), (-1,)))
    return inputs


def outputs_of(model: ServedModel) -> list[TensorSpec]:
    """The tensors that a model makes."""
    size = model.engine.size
    return [TensorSpec("images", ("UINT8",), (-1, size.height, size.width, size.channels))]


def generate_request(request: oip.ModelInferRequest, model: ServedModel) -> pb.GenerateRequest:
    """The same request to the GenerationService, which checks all that is not about tensors. Raises InvalidRequest."""
    _check_outputs(request, model)
    inputs = inputs_of(model)
    tensors = read_tensors(request, inputs, model.max_rows)
    codes = [name for name in _CODES if name in tensors]
    if len(codes) != 1:
        known = " or ".join(spec.name for spec in inputs if spec.name in _CODES)
        raise InvalidRequest("inputs", f"must have {known}, and only one of them")
    latents = _latents(codes[0], tensors[codes[0]])
    for name in _TRUNCATIONS.keys() & tensors.keys():
        for latent, number in zip(latents, tensors[name].tolist(), strict=True):
            setattr(latent.truncation, _TRUNCATIONS[name], number)
    if "class_id" in tensors:
        _set_classes(latents, tensors["class_id"])
    values = {name: _value(name, parameter) for name, parameter in request.parameters.items()}
    any_class = values.get("any_class", False)
    return pb.GenerateRequest(
        model=model.name, latents=latents, displacements=_displacements(values), any_class=any_class
    )


def in_the_words_of_the_protocol(error: InvalidRequest) -> InvalidRequest:
    """An error about a GenerateRequest, as one about the ModelInferRequest that it was made from."""
    return InvalidRequest.of((_field(field), problem) for field, problem in error.violations)


def _field(field: str) -> str:
    for pattern, ours in _FIELDS:
        if match := pattern.fullmatch(field):
            return match.expand(ours)
    return field


def _check_outputs(request: oip.ModelInferRequest, model: ServedModel) -> None:
    known = [spec.name for spec in outputs_of(model)]
    if len(request.outputs) > len(known):
        raise InvalidRequest("outputs", f"asks for {len(request.outputs):,} tensors; there are {len(known)}")
    for index, output in enumerate(request.outputs):
        if output.name not in known:
            raise InvalidRequest(f"outputs[{index}].name", f"{output.name!r} is none of {', '.join(known)}")
        if output.parameters:
            raise InvalidRequest(f"outputs[{index}].parameters", "none are known; leave them out")


def _latents(name: str, codes: NDArray[Any]) -> list[latent_pb2.Latent]:
    """One of each of the codes, which are the input of that name."""
    if name == "seed":
        return [latent_pb2.Latent(seed=seed) for seed in codes.tolist()]
    dtype = tensor_pb2.DATA_TYPE_FLOAT16 if codes.dtype == np.float16 else tensor_pb2.DATA_TYPE_FLOAT32
    latents = [latent_pb2.Latent() for _ in codes]
    for latent, code in zip(latents, codes, strict=True):
        getattr(latent, name).CopyFrom(tensor_pb2.Tensor(dtype=dtype, shape=code.shape, data=code.tobytes()))
    return latents


def _set_classes(latents: Sequence[latent_pb2.Latent], classes: NDArray[Any]) -> None:
    for index, (latent, class_id) in enumerate(zip(latents, classes.tolist(), strict=True)):
        if not 0 <= class_id <= _MOST_CLASS:
            raise InvalidRequest(f"inputs.class_id[{index}]", f"{class_id} is no class; they are counted from 0")
        latent.condition.class_id = class_id


def _displacements(values: Mapping[str, Any]) -> list[pb.Displacement]:
    """The one displacement that the values of the parameters describe, or none without parameters."""
    if not values:
        return []
    if "direction" not in values:
        raise InvalidRequest("parameters.direction", f"is needed by {', '.join(sorted(values))}")
    if ("alpha" in values) == ("amount" in values):
        raise InvalidRequest("parameters", "must have either alpha or amount")
    extent = pb.Extent(**{unit: values[unit] for unit in ("alpha", "amount") if unit in values})
    return [pb.Displacement(direction=values["direction"], slider=values.get("slider", ""), extent=extent)]


def _value(name: str, parameter: oip.InferParameter) -> Any:
    if name not in _PARAMETERS:
        raise InvalidRequest("parameters", f"{name!r} is none of {', '.join(_PARAMETERS)}")
    kind = parameter.WhichOneof("parameter_choice")
    if kind not in _PARAMETERS[name]:
        raise InvalidRequest(f"parameters.{name}", f"has {kind or 'no value'}; must be {_PARAMETERS[name][0]}")
    return getattr(parameter, kind)
