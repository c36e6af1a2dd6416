"""Which credential a request shows. There are many ways to show one, and each is checked for real."""

import base64
import binascii
import re
from collections.abc import Callable
from typing import TypeAlias

from aiohttp import web
from msgspec.structs import replace

from connectors.sandbox.access import (
    KEY_HEADER,
    KEY_PARAMETER,
    REGION_PARAMETER,
    SECRET_HEADER,
    SESSION_HEADER,
    WORKSPACE_HEADER,
    Credential,
)
from connectors.sandbox.refusals import Refusal
from connectors.sandbox.state import Sandbox

Way: TypeAlias = Callable[[Sandbox, web.Request], Credential | None]

SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"}) | {
    name.lower() for name in (KEY_HEADER, SECRET_HEADER, SESSION_HEADER)
}
_KEY_IN_PATH = re.compile(rf"(?<=[?&]{KEY_PARAMETER}=)[^&]*")


def enter(sandbox: Sandbox, request: web.Request) -> Credential:
    """Answer the credential of a request. The first way that it uses decides; 401 if that one does not open."""
    way = next((way for uses, way in _WAYS if uses(request)), None)
    found = way(sandbox, request) if way is not None else None
    if found is not None and found.workspace in sandbox.tenants:
        return found
    bearer = _authorization(request)[0] == "bearer"
    challenge = 'Bearer realm="sandbox", error="invalid_token"' if bearer else 'Bearer realm="sandbox"'
    message = f"Send a valid key in {KEY_HEADER}, a valid OAuth access token, or any of the ways the page at / lists."
    raise Refusal(401, "unauthorized", message, headers={"WWW-Authenticate": challenge})


def shown_path(request: web.Request) -> str:
    """Answer path and query without the key that may be in it."""
    return _KEY_IN_PATH.sub("***", request.path_qs)


def _authorization(request: web.Request) -> tuple[str, str]:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower(), value.strip()


def _token(sandbox: Sandbox, request: web.Request) -> Credential | None:
    return sandbox.oauth.credential(_authorization(request)[1])


def _pair(sandbox: Sandbox, request: web.Request) -> Credential | None:
    """Workspace and key, or the key alone in the place of the user name."""
    try:
        decoded = base64.b64decode(_authorization(request)[1], validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    name, _, password = decoded.partition(":")
    if not password:
        return sandbox.keys.get(name)
    found = sandbox.credential(name, password)
    return None if found is None else replace(found, scheme="basic")


def _session(sandbox: Sandbox, request: web.Request) -> Credential | None:
    return sandbox.sessions.credential(request.headers[SESSION_HEADER])


def _several(sandbox: Sandbox, request: web.Request) -> Credential | None:
    """Workspace and key in headers of their own, and the region in the query."""
    found = sandbox.credential(request.headers.get(WORKSPACE_HEADER, ""), request.headers[SECRET_HEADER])
    if found is None or request.query.get(REGION_PARAMETER) != found.region:
        return None
    return replace(found, scheme="custom")


def _key(sandbox: Sandbox, request: web.Request) -> Credential | None:
    return sandbox.keys.get(request.headers[KEY_HEADER])


def _key_in_query(sandbox: Sandbox, request: web.Request) -> Credential | None:
    return sandbox.keys.get(request.query[KEY_PARAMETER])


_WAYS: tuple[tuple[Callable[[web.Request], bool], Way], ...] = (
    (lambda request: _authorization(request)[0] == "bearer", _token),
    (lambda request: _authorization(request)[0] == "basic", _pair),
    (lambda request: SESSION_HEADER in request.headers, _session),
    (lambda request: SECRET_HEADER in request.headers, _several),
    (lambda request: KEY_HEADER in request.headers, _key),
    (lambda request: KEY_PARAMETER in request.query, _key_in_query),
)
