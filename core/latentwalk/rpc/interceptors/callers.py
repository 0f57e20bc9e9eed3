"""Who calls, and whether it may."""

from typing import Any

from latentwalk.rpc.caller import caller, name_of
from latentwalk.rpc.errors import PermissionDenied, Unauthenticated
from latentwalk.rpc.health import SERVICE_NAME as HEALTH
from latentwalk.rpc.interceptors.layers import Behaviour, Call, Context, Layer
from latentwalk.rpc.reloading import Reloaded
from latentwalk.rpc.roles import Role, Services
from latentwalk.rpc.tokens import Holder, Tokens, sha256_of

_SCHEME = "bearer "
_COMMON_NAME = "x509_common_name"


class CallerLayer(Layer):
    """Names the caller; with `tokens`, lets it pass only with one that has the role which the rpc takes.

    Health checks always pass. An rpc that no service has given a role takes an operator, but for reflection.
    """

    def __init__(self, tokens: Reloaded[Tokens] | None, services: Services) -> None:
        self._tokens = tokens
        self._services = services

    async def around(self, call: Call, request: Any, context: Context, proceed: Behaviour) -> Any:
        """Raises Unauthenticated without a valid token, PermissionDenied without the role."""
        if self._tokens is None or call.method.service == HEALTH:
            common_names = context.auth_context().get(_COMMON_NAME, ())
            caller.set(name_of(context.peer(), next(iter(common_names), None)))
            return await proceed(request, context)
        holder = _holder(call, self._tokens.value())
        caller.set(holder.name)
        self._check(call, holder)
        return await proceed(request, context)

    def _check(self, call: Call, holder: Holder) -> None:
        unsaid = Role.VIEWER if call.method.is_infrastructure else Role.OPERATOR
        role = self._services.get(call.method.service, {}).get(call.method.name, unsaid)
        if role not in holder.roles:
            raise PermissionDenied(
                f"{call.method} takes the role {role}; {holder.name} has {', '.join(holder.roles)}",
                role=role,
            )


def _holder(call: Call, tokens: Tokens) -> Holder:
    given = next((value for key, value in call.metadata if key == "authorization"), None)
    if not isinstance(given, str) or not given.lower().startswith(_SCHEME):
        raise Unauthenticated("metadata authorization: must be 'Bearer <token>'")
    # A lookup by hash tells nothing about a token by its timing: a near miss has another hash altogether.
    holder = tokens.get(sha256_of(given[len(_SCHEME) :].strip()))
    if holder is None:
        raise Unauthenticated("metadata authorization: this token is not valid")
    return holder
