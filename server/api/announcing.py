"""Says that configuration changed, the moment before the caller is told so."""

from collections.abc import Callable

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from server.changes import Changes

_FIRST_REFUSAL = 400


def announce_changes(changes: Changes) -> Callable[[ASGIApp], ASGIApp]:
    """Make the middleware for routes that change configuration. Reads and refusals are not announced."""

    def around(app: ASGIApp) -> ASGIApp:
        async def announcing(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != ScopeType.HTTP or scope["method"] == "GET":
                await app(scope, receive, send)
                return

            async def tell(message: Message) -> None:
                if message["type"] == "http.response.start" and message["status"] < _FIRST_REFUSAL:
                    changes.announce()
                await send(message)

            await app(scope, receive, tell)

        return announcing

    return around
