"""What handlers are given besides their parameters: the services, and the project the caller may enter."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from traceback import format_exc
from typing import Any

from litestar import Request
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation
from litestar.types import ASGIApp, Receive, Scope, Send

from server.access.keyring import Access
from server.door.address import unescape
from server.services import Services

FromApp = NamedDependency[SkipValidation[Services]]
FromAccess = NamedDependency[SkipValidation[Access]]
Entered = NamedDependency[SkipValidation[str]]
"""The id of the project named in the path, once the caller was found to belong to it."""


class Provided:
    """Gives the services to every request of an application, which knows none of its own. They live while it runs."""

    def __init__(
        self, app: ASGIApp, services: Services, *, living: Callable[[], AbstractAsyncContextManager[None]]
    ) -> None:
        self._app = app
        self._services = services
        self._living = living

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the application's life from start to stop."""
        kind: str = scope["type"]
        if kind == "lifespan":
            await self._live(receive, send)
            return
        scope["state"]["services"] = self._services
        await self._app(scope, receive, send)

    async def _live(self, receive: Any, send: Any) -> None:
        """Start when told to, and stop: https://asgi.readthedocs.io/en/latest/specs/lifespan.html."""
        await receive()
        doing = "startup"
        try:
            async with self._living():
                await send({"type": "lifespan.startup.complete"})
                doing = "shutdown"
                await receive()
        except BaseException:
            await send({"type": f"lifespan.{doing}.failed", "message": format_exc()})
            raise
        await send({"type": "lifespan.shutdown.complete"})


def services_of(scope: Scope) -> Services:
    """Answer what a request is served with."""
    found: Services = scope["state"]["services"]
    return found


def access(request: Request[Any, Any, Any]) -> Access:
    """Answer what the caller may enter, as the guard found it."""
    found: Access = request.scope["state"]["access"]
    return found


def project_id(access: FromAccess, project_id_or_name: FromPath[str]) -> str:
    """Answer the id of the project in the path. Raises `Missing` for any project but the caller's own."""
    return access.enter(unescape(project_id_or_name))


def takes(kind: Any) -> dict[str, Any]:
    """Say, for the OpenAPI document, what a handler decodes from its body."""
    return {"body": kind}
