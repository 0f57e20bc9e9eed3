"""Verbs as methods: a method that makes a verb's call happen shows the verb's own docstring and parameters."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, get_args

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
            parameters=[this, *signature.parameters.values()],
            return_annotation=returns or get_args(signature.return_annotation)[-1],
        )
        return method

    return dress
