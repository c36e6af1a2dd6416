"""The page that a product puts into an iframe: it loads the element, and says who may frame it and hand it a token.

Which pages those are is the project's to say (``accessPolicy.allowedOrigins``); where it lists none, or there is no
such project, nobody may. The page knows no integration and no customer: only a token tells whether they exist. What is
in the address stays there, so nothing of it can become markup. It does nothing in a window of its own, which is why
our own origin may count as one of the product's pages (`server.access.keyring`, `server.connecting.asking`).

https://www.w3.org/TR/CSP3/#directive-frame-ancestors, https://www.w3.org/TR/trusted-types/
"""

import base64
import hashlib
from collections.abc import Sequence
from html import escape
from typing import Any

from litestar import MediaType, Request, Response, get
from litestar.params import FromPath

from installations.installation import AccessPolicy
from server.api.provided import FromApp
from server.connecting.origins import is_origin
from server.connecting.pages import dead_page
from server.door.address import unescape
from server.services import Services
from server.store.contract import Missing

_STYLE = ":root[data-theme=dark]{color-scheme:dark}body{margin:0}"
"""A frame of another scheme than the page around it is painted over; so it has one only where it is told."""
_OUTSIDE = "This page stands inside a page of the product. It is not opened by itself."
_FRAMES = frozenset({"iframe", "frame"})
Visit = Request[Any, Any, Any]


@get("/embed/{project:str}/{integration:str}", include_in_schema=False)
async def embed_page(
    services: FromApp, request: Visit, project: FromPath[str], integration: FromPath[str]
) -> Response[str]:
    """Serve the page for a frame. It is the same for every integration, be there such a one or not."""
    del integration
    # Old browsers do not say; there the page itself looks whether it is framed.
    if request.headers.get("sec-fetch-dest", "iframe") not in _FRAMES:
        page = dead_page(_OUTSIDE)
        return Response(page.html, status_code=400, headers=page.headers, media_type=MediaType.HTML)
    origins = await _framers(services, unescape(project))
    return Response(build_page(origins), headers=build_headers(origins), media_type=MediaType.HTML)


async def _framers(services: Services, project: str) -> tuple[str, ...]:
    """Answer whose pages may frame this one; nobody's, for a project that lists none or does not exist."""
    try:
        found = await services.store.project(project)
    except Missing:
        return ()
    return (found.access_policy or AccessPolicy()).allowed_origins


def build_page(origins: Sequence[str]) -> str:
    """Write the page. It names the origins that its script speaks with, and nothing of the address."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Integration</title><style>{_STYLE}</style>"
        '<script type="module" src="/ui/install.js"></script><script type="module" src="/ui/embed.js"></script></head>'
        f'<body data-origins="{escape(" ".join(_safe(origins)))}"></body></html>'
    )


def build_headers(origins: Sequence[str]) -> dict[str, str]:
    """Say what the page may do and who may frame it. Windows that it opens at our own origin learn where it is."""
    style = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = (
        "default-src 'none'",
        "script-src 'self'",
        "connect-src 'self'",
        f"style-src 'sha256-{style}'",
        "base-uri 'none'",
        "form-action 'none'",
        # Lit makes its templates under this name; no other text becomes markup, and none becomes a script.
        "require-trusted-types-for 'script'",
        "trusted-types lit-html",
        f"frame-ancestors {' '.join(_safe(origins)) or _NOBODY}",
    )
    return {
        "content-security-policy": "; ".join(policy),
        "referrer-policy": "same-origin",
        "cache-control": "no-store",
        # A page that lets in only what agrees to it frames only pages that do the same.
        # https://html.spec.whatwg.org/multipage/browsers.html#coep
        "cross-origin-embedder-policy": "require-corp",
        "cross-origin-resource-policy": "cross-origin",
    }


_NOBODY = "'none'"


def _safe(origins: Sequence[str]) -> list[str]:
    """Keep what is an origin to the letter. Others are never stored; in a header, none may ever stand."""
    return [origin for origin in origins if is_origin(origin)]
