"""The page of the demo's product, where its customers see the element: a site of its own, as a real product's is.

It hands tokens out to whoever opens it, so it listens on loopback alone, and its customers have names that nobody
guesses.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from html import escape

from aiohttp import web

from headless.client import Client
from server.demo.ports import HOST
from server.demo.story import CONSUMER, INTEGRATION

DEFAULT_PORT = 8100
_SECONDS_TO_GO = 0.2
"""What browsers get to finish, once the demo ends."""
_PAGE = """<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>The demo's product</title>
    <script type="module" src="{server}/ui/install.js"></script>
    <style>body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem }}</style>
  </head>
  <body>
    <h1>Integrations</h1>
    <isthmus-install project="{project}" integration="{integration}" group-ref="{group_ref}"
      consumer-ref="{consumer_ref}" token="{token}"></isthmus-install>
  </body>
</html>
"""


@asynccontextmanager
async def serve_page(
    client: Client, *, server: str, project: str, customers: Sequence[str], port: int
) -> AsyncIterator[str]:
    """Serve a page for each of the customers while the context is open; gives the address that their names follow.

    Port 0 lets the kernel choose. Raises `OSError`.

    ``server`` is the origin of Isthmus as browsers know it. A visit asks it for a token, so it has to be up by then.
    """

    async def show(request: web.Request) -> web.Response:
        group_ref = request.match_info["group_ref"]
        if group_ref not in customers:
            raise web.HTTPNotFound
        given = {
            "server": server,
            "project": project,
            "integration": INTEGRATION,
            "group_ref": group_ref,
            "consumer_ref": CONSUMER,
            "token": await client.session_token(group_ref=group_ref, consumer_ref=CONSUMER),
        }
        page = _PAGE.format(**{name: escape(value) for name, value in given.items()})
        # It holds a token, and the next visit needs another one.
        return web.Response(text=page, content_type="text/html", headers={"Cache-Control": "no-store"})

    app = web.Application()
    app.router.add_get("/{group_ref}", show)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SECONDS_TO_GO)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, port).start()
        yield f"http://{HOST}:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()
