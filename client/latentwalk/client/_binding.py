"""Verbs as methods: a method that makes a verb's call happen shows the verb's own docstring and parameters."""

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any, TypeVar, Unpack, get_args, get_origin, get_type_hints

Method = TypeVar("Method", bound=Callable[..., Any])


def like(verb: Callable[..., Any], returns: Any = None) -> Callable[[Method], Method]:
    """Dresses a method(self, *args, **kwargs) so that help() and notebooks show it as it is called.

    returns: what the method gives back; by default what the verb's call is parsed to.
    """

    def dress(method: Method) -> Method:
        functools.update_wrapper(method, verb)
        signature = inspect.signature(verb)
        this = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        vars(method)["__signature__"] = signature.replace(
            parameters=[this, *_spelled_out(signature)],
            return_annotation=returns or get_args(signature.return_annotation)[-1],
        )
        return method

    return dress


class _NotTold:
    """The default of an option that is spelled out: the verb's own, which help() shows as dots."""

    def __repr__(self) -> str:
        return "..."


_NOT_TOLD = _NotTold()


def _spelled_out(signature: inspect.Signature) -> Iterator[inspect.Parameter]:
    """The parameters, those that are written together as Unpack[SomeOptions] one by one."""
    for parameter in signature.parameters.values():
        if get_origin(parameter.annotation) is Unpack:
            (options,) = get_args(parameter.annotation)
            for name, hint in get_type_hints(options).items():
                yield inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=_NOT_TOLD, annotation=hint)
        else:
            yield parameter
