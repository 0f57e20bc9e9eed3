"""What no CUDA graph can hold, looked for before one is recorded.

A recording that meets it does not only fail: torch's allocator is left with one that never ends.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

_COPIES = frozenset({"_to_copy", "copy_"})


class Unrecordable(Exception):
    """A generator draws by something that no graph can hold."""


class Recordable(TorchDispatchMode):
    """Within this context, whatever would make the host wait for a device, or a device for the host, is Unrecordable.

    Such are copies from the one to the other, numbers that Python looks at, and results whose shapes depend on numbers.
    Not for inference mode, in which torch shows calls and not what they are made of.
    """

    def __torch_dispatch__(
        self, operation: Any, types: object, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """The operation, if it may be recorded."""
        named = kwargs or {}
        if any(reason(operation, args, named) for reason in _REASONS):
            raise Unrecordable(f"{operation} makes host and device wait for each other")
        return operation(*args, **named)


def _is_looked_at(operation: Any, args: Sequence[Any], named: Mapping[str, Any]) -> bool:
    return torch.Tag.data_dependent_output in operation.tags


def _has_an_unknown_shape(operation: Any, args: Sequence[Any], named: Mapping[str, Any]) -> bool:
    if operation.overloadpacket is torch.ops.aten.index:  # of places, not of a mask, the shape is known
        return any(index.dtype in (torch.bool, torch.uint8) for index in _tensors(args[1]))
    return torch.Tag.dynamic_output_shape in operation.tags


def _crosses_over(operation: Any, args: Sequence[Any], named: Mapping[str, Any]) -> bool:
    """Whether it takes numbers from one kind of device to another; a single one on the CPU is handed over as it is."""
    is_copy = operation.overloadpacket.__name__ in _COPIES
    kinds = {tensor.device.type for tensor in _tensors((args, named)) if tensor.ndim or is_copy}
    if is_copy and named.get("device") is not None:
        kinds.add(torch.device(named["device"]).type)
    return len(kinds) > 1


def _tensors(arguments: Any) -> list[Tensor]:
    return [one for one in tree_leaves(arguments) if isinstance(one, Tensor)]


_REASONS: Sequence[Callable[[Any, Sequence[Any], Mapping[str, Any]], bool]] = (
    _is_looked_at,
    _has_an_unknown_shape,
    _crosses_over,
)
