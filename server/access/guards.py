"""Who may call a route. A guard leaves what the caller may enter in the connection's state, under ``access``."""

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from server.access.keyring import Access, Keyring

Connection = ASGIConnection[BaseRouteHandler, object, object, object]  # type: ignore[type-var]


async def requires_any_key(connection: Connection, _: BaseRouteHandler) -> None:
    """Let in whoever presents an API key, one that ships in browsers too."""
    await _enter(connection)


async def requires_full_key(connection: Connection, _: BaseRouteHandler) -> None:
    """Let in whoever presents an API key that is kept on a server."""
    (await _enter(connection)).require_full()


async def _enter(connection: Connection) -> Access:
    keyring: Keyring = connection.app.state.keyring
    access = await keyring.authenticate(connection.headers.get("x-api-key"))
    connection.scope["state"]["access"] = access
    return access
