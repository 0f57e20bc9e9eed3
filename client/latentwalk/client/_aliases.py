"""Types by the names that they have in the code, for people who ask help(): some are hundreds of letters long."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from numpy.typing import ArrayLike

from latentwalk.client._edits import Edits
from latentwalk.client._latents import Classes, Seeds
from latentwalk.client._options import Timeout
from latentwalk.client._pictures import Picture, Pixels
from latentwalk.client._styles import Styles

_ALIASES: Mapping[str, Any] = {
    "ArrayLike": ArrayLike,
    "Classes": Classes,
    "Edits": Edits,
    "Picture": Picture,
    "Pixels": Pixels,
    "Seeds": Seeds,
    "Styles": Styles,
    "Timeout": Timeout,
}


@dataclass(frozen=True, slots=True)
class _Named:
    """An annotation in words."""

    words: str

    def __repr__(self) -> str:
        return self.words


def named(annotation: Any) -> Any:
    """What shows itself by the names of the types in it; the annotation itself if it has none of them."""
    left, names = _parts(annotation), list[str]()
    for name, alias in _ALIASES.items():
        if (parts := _parts(alias)).keys() <= left.keys():
            names.append(name)
            left = {part: None for part in left if part not in parts}
    if not names:
        return annotation
    last = ["None"] if left.keys() & {NoneType} else []
    return _Named(" | ".join([*(inspect.formatannotation(one) for one in left if one is not NoneType), *names, *last]))


def _parts(annotation: Any) -> dict[Any, None]:
    """The types of a union, or the one type, in their order."""
    is_union = get_origin(annotation) in (Union, UnionType)
    return dict.fromkeys(get_args(annotation) if is_union else (annotation,))
