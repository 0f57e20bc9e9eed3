"""Names on their way to the wire, where they are numbers: refused here, with all that there are to choose from."""

from collections.abc import Mapping
from typing import Any, TypeVar

from latentwalk.client._errors import InvalidRequest

Number = TypeVar("Number", bound=int)


def chosen(field: str, name: Any, table: Mapping[str, Number]) -> Number:
    """The number of a name; InvalidRequest for a name that is not in the table."""
    if not isinstance(name, str) or name not in table:
        shown = str(name) if isinstance(name, str) else name  # not <JobState.UNKNOWN: 'unknown'>
        raise InvalidRequest.of(field, f"{shown!r} is none of {', '.join(table)}")
    return table[name]
