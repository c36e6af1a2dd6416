"""The smallest flow there is, for tests of what drives flows."""

import httpx

from connectors.connector import Flow


def one(url: str, *, method: str = "POST", content: bytes | None = b'{"a": 1}') -> Flow[httpx.Response]:
    """Send one request and answer its response."""
    return (yield httpx.Request(method, url, content=content))
