"""A second device, simulated on the CPU: what is on it is apart from what is on the CPU, as with CUDA, but its numbers
are those that the CPU computes.

It is made of torch's own means for devices written in Python (PrivateUse1). Each operation is looked at when it is
called: tensors of both devices in one of them are an error, as on CUDA, but for copies from one to the other and for
indices, which may be on the CPU. CUDA lets some operations have a scalar on the CPU, too; this device lets none.

It stays for the whole life of the process, and must be set up before its first backward pass. Not FakeTensorMode of
torch, which simulates CUDA: it has no numbers, so that nothing can depend on them, and no backward pass where torch is
built for CUDA and there is none.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils import backend_registration
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

NAME = "second"
POSSIBLE = hasattr(backend_registration, "_setup_privateuseone_for_python_backend")

_COPIES = frozenset({"_to_copy", "copy_"})
_INDEXED = frozenset({"index", "index_put", "index_put_", "_index_put_impl_"})
"""Their second argument is a list of indices."""


class DevicesMixed(Exception):
    """One operation was given tensors of both devices."""


class Held(Tensor):
    """A tensor on the second device; its numbers are in ``inner``, on the CPU."""

    inner: Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, inner: Tensor) -> "Held":
        form = {"strides": inner.stride(), "storage_offset": inner.storage_offset(), "dtype": inner.dtype}
        held = Tensor._make_wrapper_subclass(cls, inner.size(), **form, device=torch.device(NAME, 0))
        held.inner = inner
        return held

    def tolist(self) -> Any:
        return self.cpu().tolist()

    # With these two, Module.to() changes parameters in place, as it does those on CUDA.
    def __tensor_flatten__(self) -> tuple[list[str], None]:
        return ["inner"], None

    @staticmethod
    def __tensor_unflatten__(inner: dict[str, Tensor], *_: Any) -> "Held":
        return Held(inner["inner"])

    @classmethod
    def __torch_dispatch__(cls, operation, types, args=(), kwargs=None):
        return _compute(operation, args, kwargs or {})


class SecondDevice(TorchDispatchMode):
    """Within this context torch.device("second") can be computed on."""

    def __enter__(self):
        # Or torch would bring numbers there by operations that are not called through us.
        self._before = torch._C._only_lift_cpu_tensors()
        torch._C._set_only_lift_cpu_tensors(True)
        return super().__enter__()

    def __exit__(self, *failure):
        super().__exit__(*failure)
        torch._C._set_only_lift_cpu_tensors(self._before)

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        return _compute(operation, args, kwargs or {})


def set_up() -> None:
    """Makes torch know the device."""
    backend_registration._setup_privateuseone_for_python_backend(NAME, _Module())


class _Module:
    """What torch asks a device for."""

    def is_initialized(self) -> bool:
        return True

    def is_available(self) -> bool:
        return True

    def current_device(self) -> int:
        return 0

    def device_count(self) -> int:
        return 1

    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.bfloat16]


def _compute(operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """On the CPU; what comes of it is on the device that was asked for, or else where the arguments are."""
    name = operation.overloadpacket.__name__
    named, wanted = dict(kwargs), kwargs.get("device")
    if wanted is not None and torch.device(wanted).type == NAME:
        named["device"] = torch.device("cpu")
    _check(operation, name, args, kwargs)
    inputs = [one for one in tree_leaves((args, kwargs)) if isinstance(one, Held)]
    result = operation(*tree_map(_inner, args), **tree_map(_inner, named))
    if name == "copy_":
        here = isinstance(args[0], Held)
    else:
        here = bool(inputs) if wanted is None else torch.device(wanted).type == NAME
    if not here:
        return result
    # What an operation has changed in place is the very tensor that it was given.
    known = {id(one.inner): one for one in inputs}

    def placed(one: Any) -> Any:
        if not isinstance(one, Tensor):
            return one
        return known[id(one)] if id(one) in known else Held(one)

    return tree_map(placed, result)


def _check(operation: Callable[..., Any], name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    if name in _COPIES:
        return
    looked_at = (args[0], *args[2:]) if name in _INDEXED else args
    tensors = [one for one in tree_leaves((looked_at, kwargs)) if isinstance(one, Tensor)]
    if len({one.device.type for one in tensors}) > 1:
        forms = ", ".join(f"{list(one.shape)} on {one.device}" for one in tensors)
        raise DevicesMixed(f"{operation} was given {forms}")


def _inner(one: Any) -> Any:
    return one.inner if isinstance(one, Held) else one
