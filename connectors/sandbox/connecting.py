"""Ways to a credential that no standard describes: a session for a key, and a page that hands a key out."""

from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

import msgspec
from aiohttp import web
from msgspec.structs import replace

from connectors.sandbox.access import WORKSPACE_HEADER
from connectors.sandbox.calls import Answer, read_body
from connectors.sandbox.door import Handler, html_response, json_response, read_form, read_json
from connectors.sandbox.questions import connect_page, refusal_page
from connectors.sandbox.refusals import Refusal
from connectors.sandbox.state import Sandbox

_NO_STORE = {"Cache-Control": "no-store"}


class OpenSession(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a request for a session."""

    secret: str


def connecting_routes(sandbox: Sandbox) -> tuple[tuple[str, str, Handler], ...]:
    """List the routes: method, path, handler."""
    desk = _Desk(sandbox)
    return (
        ("POST", "/session", desk.open_session),
        ("GET", "/connect", desk.ask),
        ("POST", "/connect", desk.decide),
    )


class _Desk:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def open_session(self, request: web.Request) -> web.Response:
        """Trade a workspace's key for a session."""
        wanted = read_body(await read_json(request), OpenSession)
        credential = self._sandbox.credential(request.headers.get(WORKSPACE_HEADER, ""), wanted.secret)
        if credential is None:
            raise Refusal(401, "unauthorized", f"{WORKSPACE_HEADER} and secret do not fit.")
        life = self._sandbox.oauth.token_life
        token = self._sandbox.sessions.open(credential, life=life)
        body = {"data": {"token": token, "ttl": int(life.total_seconds())}}
        return json_response(Answer(body=body, headers=_NO_STORE))

    async def ask(self, request: web.Request) -> web.Response:
        """Show the page that asks whether a key shall be handed out."""
        callback, session = self._trusted(request.query)
        if callback is None:
            return html_response(refusal_page("The place to send you back to is not registered here."), status=400)
        return html_response(connect_page(callback, session, workspaces=self._sandbox.tenants))

    async def decide(self, request: web.Request) -> web.Response:
        """Send the customer back with a key of their own, or with a no."""
        form = await read_form(request)
        callback, session = self._trusted(form)
        if callback is None:
            return html_response(refusal_page("The place to send you back to is not registered here."), status=400)
        said = {"sessionId": session, **self._handed_out(form)}
        separator = "&" if "?" in callback else "?"
        location = f"{callback}{separator}{urlencode(said, errors='replace')}"
        return web.Response(status=302, headers={"Location": location, **_NO_STORE})

    def _trusted(self, asked: Mapping[str, str]) -> tuple[str | None, str]:
        callback = asked.get("callback", "")
        known = self._sandbox.oauth.is_registered(urlsplit(callback)._replace(query="").geturl())
        return callback if known else None, asked.get("session", "")

    def _handed_out(self, form: Mapping[str, str]) -> dict[str, str]:
        workspace = form.get("workspace", "")
        owner = next((each for each in self._sandbox.keys.values() if each.workspace == workspace), None)
        if form.get("decision") != "allow" or owner is None:
            return {"error": "access_denied"}
        key = self._sandbox.options.new_secret()
        self._sandbox.keys[key] = replace(owner, access="write")
        return {"workspace": workspace, "secret": key, "region": owner.region}
