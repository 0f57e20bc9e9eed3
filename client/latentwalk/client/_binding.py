"""Verbs as methods: a method that makes a verb's call happen shows the verb's own docstring and parameters."""

import functools
import inspect
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Any, Literal, ParamSpec, TypeVar, Unpack, get_args, get_origin, get_type_hints

from latentwalk.client._aliases import named

Method = TypeVar("Method", bound=Callable[..., Any])
P = ParamSpec("P")
T = TypeVar("T")


def like(
    verb: Callable[..., Any], *, returns: Any = None, first: Literal["self"] | None = None
) -> Callable[[Method], Method]:
    """Dresses a method(self, *args, **kwargs) so that help() and notebooks show it as it is called.

    returns: what the method gives back; by default what the verb's call is parsed to.
    first: "self" if the verb's own first parameter is what the method belongs to.
    """

    def dress(method: Method) -> Method:
        functools.update_wrapper(method, verb)
        signature = inspect.signature(verb)
        this = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        others = list(_spelled_out(signature))[1 if first else 0 :]
        vars(method)["__signature__"] = signature.replace(
            parameters=[this, *(other.replace(annotation=named(other.annotation)) for other in others)],
            return_annotation=returns or get_args(signature.return_annotation)[-1],
        )
        return method

    return dress


def strict(verb: Callable[P, T]) -> Callable[P, T]:
    """The verb, which refuses an option that it does not take in its own name, not in that of whom it asks."""
    known = [parameter.name for parameter in _spelled_out(inspect.signature(verb))]

    @functools.wraps(verb)
    def refusing(*args: P.args, **kwargs: P.kwargs) -> T:
        for name in kwargs.keys() - set(known):
            likely = "".join(f"; did you mean {one!r}?" for one in get_close_matches(name, known, 1))
            raise TypeError(f"{verb.__name__}() got an unexpected keyword argument {name!r}{likely}")
        return verb(*args, **kwargs)

    return refusing


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
