"""The OAuth endpoints and pages over HTTP: authorize, consent, token, revoke, metadata; and the documentation page."""

import base64
import binascii
from collections.abc import Mapping
from urllib.parse import unquote_plus, urlencode

from aiohttp import web

from connectors.sandbox.access import DEMO_WORKSPACE
from connectors.sandbox.calls import Answer
from connectors.sandbox.door import Handler, html_response, json_response, read_form
from connectors.sandbox.oauth import SCOPES, OAuthRefusal, Untrusted
from connectors.sandbox.pages import documentation_page
from connectors.sandbox.questions import consent_page, refusal_page
from connectors.sandbox.state import Sandbox

_NO_STORE = {"Cache-Control": "no-store"}


def page_routes(sandbox: Sandbox) -> tuple[tuple[str, str, Handler], ...]:
    """List the pages and OAuth endpoints: method, path, handler."""
    pages = _Pages(sandbox)
    return (
        ("GET", "/", pages.show_documentation),
        ("GET", "/.well-known/oauth-authorization-server", pages.show_metadata),
        ("GET", "/oauth/authorize", pages.ask),
        ("POST", "/oauth/authorize", pages.decide),
        ("POST", "/oauth/token", pages.give_token),
        ("POST", "/oauth/revoke", pages.revoke),
    )


class _Pages:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def show_documentation(self, request: web.Request) -> web.Response:
        objects = self._sandbox.tenant(DEMO_WORKSPACE).workspace.definitions()
        return html_response(
            documentation_page(objects, origin=_origin(request), idempotency=self._sandbox.options.idempotency)
        )

    async def show_metadata(self, request: web.Request) -> web.Response:
        """RFC 8414."""
        origin = _origin(request)
        body = {
            "issuer": origin,
            "authorization_endpoint": f"{origin}/oauth/authorize",
            "token_endpoint": f"{origin}/oauth/token",
            "revocation_endpoint": f"{origin}/oauth/revoke",
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials", "password"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
            "scopes_supported": list(SCOPES),
            "authorization_response_iss_parameter_supported": True,
        }
        return json_response(Answer(body=body))

    async def ask(self, request: web.Request) -> web.Response:
        """Show the consent page, or say why not: to the person, or to the application by a redirect."""
        try:
            ticket, consent = self._sandbox.oauth.begin(request.query)
        except Untrusted as refusal:
            return html_response(refusal_page(refusal.description), status=400)
        except OAuthRefusal as refusal:
            said = {"error": refusal.error, "error_description": refusal.description}
            return _redirect(request, request.query["redirect_uri"], said, state=request.query.get("state", ""))
        return html_response(consent_page(consent, ticket=ticket, workspaces=self._sandbox.tenants))

    async def decide(self, request: web.Request) -> web.Response:
        """Take what the person decided."""
        form = await read_form(request)
        workspace = form.get("workspace", DEMO_WORKSPACE)
        try:
            consent = self._sandbox.oauth.decide(form.get("ticket", ""))
        except Untrusted as refusal:
            return html_response(refusal_page(refusal.description), status=400)
        if form.get("decision") != "allow" or workspace not in self._sandbox.tenants:
            return _redirect(request, consent.redirect_uri, {"error": "access_denied"}, state=consent.state)
        code = self._sandbox.oauth.grant(consent, workspace=workspace)
        return _redirect(request, consent.redirect_uri, {"code": code}, state=consent.state)

    async def give_token(self, request: web.Request) -> web.Response:
        """RFC 6749, sections 4.1.3, 4.3, 4.4 and 6."""
        form = await read_form(request)
        try:
            client_id, client_secret = _client(request.headers, form)
            answer = self._sandbox.oauth.token(form, client_id=client_id, client_secret=client_secret)
        except OAuthRefusal as refusal:
            return _oauth_refusal(refusal)
        return json_response(Answer(body=answer, headers=_NO_STORE))

    async def revoke(self, request: web.Request) -> web.Response:
        """RFC 7009. Who holds a token may revoke it."""
        self._sandbox.oauth.revoke((await read_form(request)).get("token", ""))
        return web.Response(status=200)


def _client(headers: Mapping[str, str], form: Mapping[str, str]) -> tuple[str, str]:
    """Read the client from Basic credentials, form-encoded as RFC 6749, section 2.3.1 has it, or from the form."""
    scheme, _, encoded = headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        decoded = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise OAuthRefusal("invalid_client", "The Basic credentials cannot be read.") from error
    name, _, secret = decoded.partition(":")
    return unquote_plus(name), unquote_plus(secret)


def _oauth_refusal(refusal: OAuthRefusal) -> web.Response:
    status, headers = 400, dict(_NO_STORE)
    if refusal.error == "invalid_client":
        status, headers["WWW-Authenticate"] = 401, 'Basic realm="sandbox"'
    body = {"error": refusal.error, "error_description": refusal.description}
    return json_response(Answer(status=status, body=body, headers=headers))


def _redirect(request: web.Request, target: str, said: dict[str, str], *, state: str) -> web.Response:
    query = {**said, **({"state": state} if state else {}), "iss": _origin(request)}
    separator = "&" if "?" in target else "?"
    location = f"{target}{separator}{urlencode(query, errors='replace')}"
    return web.Response(status=302, headers={"Location": location, **_NO_STORE})


def _origin(request: web.Request) -> str:
    return f"{request.scheme}://{request.host}"
