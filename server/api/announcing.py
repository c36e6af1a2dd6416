"""Says that configuration changed, the moment before the caller is told so."""

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from server.api.provided import services_of

_FIRST_REFUSAL = 400


def announce_changes(app: ASGIApp) -> ASGIApp:
    """Stand around routes that change configuration. Reads and refusals are not announced."""

    async def announcing(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or scope["method"] == "GET":
            await app(scope, receive, send)
            return

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < _FIRST_REFUSAL:
                services_of(scope).changes.announce()
            await send(message)

        await app(scope, receive, tell)

    return announcing
