"""What stands in front of every simulator: a log of requests, its tokens, and answers in place of the truth."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request as it came in."""

    method: str
    path: str
    body: Any
    headers: dict[str, str]


class Door:
    """The state in front of a simulated provider, and what tests may ask of it."""

    def __init__(self, *tokens: str) -> None:
        self.tokens = set(tokens)
        self.open: set[str] = set()
        """Paths that need no token."""
        self.requests: list[Asked] = []
        self.url = ""
        self._instead: list[web.Response | None] = []

    def drop_next(self) -> None:
        """Do what the next request says, then close the connection without an answer."""
        self._instead.append(None)

    def knows(self, request: web.Request) -> bool:
        """Tell whether the request carries a token that is accepted, or needs none."""
        if request.path in self.open:
            return True
        return request.headers.get("Authorization", "").removeprefix("Bearer ") in self.tokens


@asynccontextmanager
async def on_loopback(application: web.Application) -> AsyncIterator[str]:
    """Serve on a port from the kernel while the block lasts; gives the base URL."""
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
