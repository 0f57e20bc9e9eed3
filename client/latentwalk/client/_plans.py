"""Plans: verbs that take several calls, each made of the answers to those before, for both clients."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from latentwalk.client._calls import UnaryCall
from latentwalk.client._errors import LatentwalkError
from latentwalk.client._generation import FramesCall

T = TypeVar("T")

Call: TypeAlias = UnaryCall[Any, Any] | FramesCall[Any]
"""A call that answers with one value, or a stream whose frames are collected."""
Plan: TypeAlias = Generator[Call, Any, T]
"""Calls one after the other, each made of the answers to those before, and what comes of them all."""


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """What has come of a plan."""

    value: T


def advance(plan: Plan[T], answer: Any) -> Call | Done[T]:
    """What the plan asks next, given the answer to what it asked before; computes, so not for an event loop.

    An error of ours, in place of an answer, is raised where the plan has asked, which may know better what to do.
    """
    try:
        return plan.throw(answer) if isinstance(answer, LatentwalkError) else plan.send(answer)
    except StopIteration as end:
        return Done(end.value)
