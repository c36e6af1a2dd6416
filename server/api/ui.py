"""The built browser modules over HTTP: exactly the files that `headless.embed` knows, to pages of any origin.

A plain name is whatever is current and is asked for again after a minute. Below the version a file never changes, so a
page may keep it for ever and pin its bytes by Subresource Integrity. https://www.rfc-editor.org/rfc/rfc9110#section-8.8
"""

from typing import Any

from litestar import Request, Response, route
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.status_codes import HTTP_200_OK, HTTP_304_NOT_MODIFIED

from headless.embed import Asset, Assets
from server.api.provided import FromApp
from server.api.representations import is_known, takes_gzip
from server.store.contract import Missing

_SHORT = "public, max-age=60"
_FOR_EVER = "public, max-age=31536000, immutable"
_METHODS: Any = ("GET", "HEAD")
Visit = Request[Any, Any, Any]


@route("/ui/{name:str}", http_method=_METHODS, include_in_schema=False)
async def serve_asset(services: FromApp, request: Visit, name: FromPath[str]) -> Response[bytes]:
    """Serve a file as it is now, and say where these very bytes stay."""
    asset = _find(services.assets, name)
    place = {"content-location": f"/ui/{services.assets.version}/{asset.name}"}
    return _answer(request, asset, headers={"cache-control": _SHORT, **place})


@route("/ui/{version:str}/{name:str}", http_method=_METHODS, include_in_schema=False)
async def serve_fixed_asset(
    services: FromApp, request: Visit, version: FromPath[str], name: FromPath[str]
) -> Response[bytes]:
    """Serve a file of this very version, and of no other."""
    asset, current = _find(services.assets, name), services.assets.version
    if version != current:
        message = f"This server's {name} is at /ui/{current}/{name}, and whatever is current at /ui/{name}."
        raise Missing(message)
    return _answer(request, asset, headers={"cache-control": _FOR_EVER})


UI = [serve_asset, serve_fixed_asset]
"""No part of the API's description: files, not answers."""


def _find(assets: Assets, name: str) -> Asset:
    if name not in assets.files:
        raise NotFoundException
    return assets.files[name]


def _answer(request: Visit, asset: Asset, *, headers: dict[str, str]) -> Response[bytes]:
    zipped = takes_gzip(request.headers.get("accept-encoding", ""))
    # Two encodings are two representations, and a strong tag names one.
    tag = f'"{asset.digest}-gzip"' if zipped else f'"{asset.digest}"'
    common = {**headers, "etag": tag, "vary": "Accept-Encoding", "cross-origin-resource-policy": "cross-origin"}
    if is_known(request.headers.get("if-none-match", ""), tag):
        return Response(b"", status_code=HTTP_304_NOT_MODIFIED, headers=common)
    encoding = {"content-encoding": "gzip"} if zipped else {}
    content = asset.gzipped if zipped else asset.content
    return Response(content, status_code=HTTP_200_OK, headers={**common, **encoding}, media_type=asset.content_type)
