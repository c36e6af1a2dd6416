"""Who may call a route. A guard leaves what the caller may enter in the connection's state, under ``access``."""

from collections.abc import Iterable

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from server.access.keyring import Access
from server.services import Services

Connection = ASGIConnection[BaseRouteHandler, object, object, object]  # type: ignore[type-var]


async def requires_any_key(connection: Connection, _: BaseRouteHandler) -> None:
    """Let in whoever presents an API key or a token that we know; handlers look at whose things it opens."""
    await _enter(connection)


async def requires_full_key(connection: Connection, _: BaseRouteHandler) -> None:
    """Let in whoever presents an API key that is kept on a server."""
    (await _enter(connection)).require_full()


def requires_full_key_but_for(open_handlers: Iterable[BaseRouteHandler]) -> Guard:
    """Make a guard that lets what browsers present, keys and tokens, into these handlers, and into no other."""
    functions = {handler.fn for handler in open_handlers}

    async def requires_key(connection: Connection, handler: BaseRouteHandler) -> None:
        access = await _enter(connection)
        if handler.fn not in functions:
            access.require_full()

    return requires_key


async def _enter(connection: Connection) -> Access:
    state = connection.scope["state"]
    services: Services = state["services"]
    access = await services.limits.counted(services.keyring.admit(connection.scope["headers"]), connection.scope)
    state["access"] = access
    return access
