"""A provider of the test's own: its token endpoint answers whatever it is told to, and remembers what it was asked."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs

import msgspec
from aiohttp import web

from connectors.connector import Connector
from connectors.provider import OAuth2Opts, Provider, Support, TokenField, TokenMetadataFields
from tests.oauth_servers.providers import connector
from tests.server.connecting.desk import CLIENT, Desk, asked, notice, with_query

NAME = "answering"
TOKENS: dict[str, Any] = {
    "access_token": "answered-access-token",
    "refresh_token": "answered-refresh-token",
    "token_type": "Bearer",
    "user": {"id": "ann@acme", "region": "eu"},
    "team": "acme",
}
FIELDS = TokenMetadataFields(
    workspace_ref_field="team",
    consumer_ref_field="user.id",
    other_fields=(TokenField(name="region", display_name="Region", path="user.region"),),
)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the token endpoint says."""

    status: int = 200
    headers: dict[str, str] = {}
    body: bytes = msgspec.json.encode(TOKENS)


class Answering:
    """The server, seen by a test."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.answer = Answer()
        self.asked: list[dict[str, str]] = []
        """The forms that came to the token endpoint."""
        self.strayed: list[str] = []
        """Whatever came anywhere else."""

    def connector(self, *, issuer: str | None = None, name: str = NAME, **options: Any) -> Connector:
        more = {**options, **({"issuer": issuer} if issuer else {})}
        return connector(
            Provider(
                name=name,
                display_name="Answering",
                auth_type="oauth2",
                base_url=self.origin,
                support=Support(write=True),
                oauth2_opts=OAuth2Opts(
                    grant_type="authorizationCodePKCE",
                    auth_url=f"{self.origin}/authorize",
                    token_url=f"{self.origin}/token",
                    token_metadata_fields=FIELDS,
                    **more,
                ),
            )
        )

    async def connected(self, desk: Desk, **body: Any) -> Any:
        """Connect by a consent that nobody has to give; the connection."""
        body.setdefault("provider", NAME)
        await desk.house.call("POST", "/provider-apps", json={"provider": body["provider"], **CLIENT})
        browser = desk.browser()
        address = await browser.set_out(await desk.link(**body))
        page = await browser.client.get(answered(address))
        return notice(page)["message"]["data"].get("connection", notice(page)["message"])

    async def give_token(self, request: web.Request) -> web.Response:
        self.asked.append({name: values[0] for name, values in parse_qs(await request.text()).items()})
        return web.Response(status=self.answer.status, headers=self.answer.headers, body=self.answer.body)

    async def stray(self, request: web.Request) -> web.Response:
        self.strayed.append(request.path)
        return web.json_response(TOKENS)


def answered(address: str, *, code: str = "answered-code", **more: str | None) -> str:
    """Answer an authorization request without asking anybody; where the browser is sent back to."""
    said = asked(address)
    return with_query(f"{said['redirect_uri']}?", code=code, state=said["state"], **more)


@asynccontextmanager
async def answering() -> AsyncIterator[Answering]:
    application = web.Application()
    runner = web.AppRunner(application, access_log=None)
    server = Answering("")
    application.router.add_post("/token", server.give_token)
    application.router.add_route("*", "/{rest:.*}", server.stray)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        server.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield server
    finally:
        await runner.cleanup()
