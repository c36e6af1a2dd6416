"""A server that keeps what it is asked and answers what it is told."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web


class Server:
    """Keeps what it is asked and answers what it is told."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[tuple[str, str, Any, dict[str, str]]] = []
        self.status = 200
        self.body = b"{}"
        self.kind = "application/json"
        self.next: list[bytes] = []
        """Answered before ``body``, which the last of them becomes."""

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.body = self.next.pop(0) if self.next else self.body
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.asked.append((request.method, request.raw_path, json.loads(body) if body else None, headers))
        return web.Response(status=self.status, body=self.body, content_type=self.kind)


@asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    server, app = Server(), web.Application()
    app.router.add_route("*", "/{any:.*}", server.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield server
    finally:
        await runner.cleanup()
