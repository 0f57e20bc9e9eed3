"""Who may do what: a token gives its holder roles, and each service says which role each of its rpcs takes."""

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """What a caller may be."""

    VIEWER = "viewer"
    """Looks and draws: everything that changes nothing for others."""
    OPERATOR = "operator"
    """Also lets models and directions come and go."""
    TRAINER = "trainer"
    """Also creates, cancels, resumes and deletes jobs."""
    ADMIN = "admin"
    """An operator who also deletes versions from the artifact store."""


Services = Mapping[str, Mapping[str, Role]]
"""The role that each rpc takes, by the full name of its service and its own name."""

_INCLUDED: Mapping[Role, frozenset[Role]] = {
    Role.VIEWER: frozenset({Role.VIEWER}),
    Role.OPERATOR: frozenset({Role.VIEWER, Role.OPERATOR}),
    Role.TRAINER: frozenset({Role.VIEWER, Role.TRAINER}),
    Role.ADMIN: frozenset({Role.VIEWER, Role.OPERATOR, Role.ADMIN}),
}


def with_included(roles: frozenset[Role]) -> frozenset[Role]:
    """`roles`, and those that are part of them."""
    return frozenset[Role]().union(*(_INCLUDED[role] for role in roles))
