"""What a request must look like before anybody reads what it asks for: framing, query, and the body's size and type."""

import asyncio
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from litestar.types import Receive

from server.door.refusals import BadRequest, TooLarge, TooSlow, WrongMediaType

MAX_BODY_BYTES = 1_000_000
MAX_DRAFT_BYTES = 300_000
"""A config that selects each of 10,000 fields, or a thousand edits. Pages send drafts as somebody types, and judging
one costs more."""
MAX_WRITE_BYTES = 6_000_000
"""A batch of a hundred records."""
MAX_PROXY_BYTES = 50_000_000
"""What goes through to a provider is streamed and not kept."""
BODY_SECONDS = 30.0
"""How long a whole body may take to arrive."""
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_DRAFTS = ("/:review", "/:preview", "/:edit")
_ANY_TYPE = ("/v1/uploads/", "/callbacks/", "/connect/")
"""Where others decide on the type: the deploy tool sends a zip, providers and pages of ours send a form."""
_MOST_DIGITS = 18
"""Of a length in bytes; Python refuses to read thousands."""
Headers = dict[bytes, bytes]


class _Rule(NamedTuple):
    """What the body of one request may be."""

    limit: int
    plain_json: bool
    seconds: float | None


def check_framing(raw: Any, headers: Headers) -> None:
    """Refuse what two servers in a row would divide differently. Raises `BadRequest`."""
    if b"content-length" in headers and b"transfer-encoding" in headers:
        raise BadRequest("Content-Length and Transfer-Encoding must not be sent together.")
    if sum(1 for name, _ in raw if name == b"host") > 1:
        raise BadRequest("The Host header must be sent once.")


def check_query(query: bytes) -> None:
    """Refuse what two readers would read differently. Raises `BadRequest`."""
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, max_num_fields=50, errors="strict")
    except ValueError as error:
        raise BadRequest("The query is not valid percent-encoded UTF-8 with at most 50 parameters.") from error
    names = [name for name, _ in pairs]
    if len(names) != len(set(names)):
        repeated = sorted({name for name in names if names.count(name) > 1})
        raise BadRequest(f"Query parameters must not be repeated: {', '.join(repeated)}.")
    if any("\0" in part for pair in pairs for part in pair):
        raise BadRequest("The query holds a NUL character.")


def admit_body(receive: Receive, headers: Headers, *, method: str, path: str, seconds: float) -> Receive:
    """Refuse a body by what its headers say of it, and bound how much of it is read and for how long.

    Raises `RequestError`; so may what is answered, while it is read.
    """
    through = path.startswith("/proxy/")
    if method not in _WITH_BODY and not through:
        return receive
    rule = _proxied() if through else _rule(path, seconds)
    length = headers.get(b"content-length", b"")
    if length and not length.isdigit():
        raise BadRequest("Content-Length must be a number.")
    if len(length) > _MOST_DIGITS or int(length or 0) > rule.limit:
        raise TooLarge(f"This route takes at most {rule.limit:,} bytes.")
    if b"content-encoding" in headers and not through:
        raise WrongMediaType("Content-Encoding is not supported; send the body as it is.")
    if b"transfer-encoding" not in headers and not int(length or 0):
        return receive
    if rule.plain_json:
        _check_json(headers.get(b"content-type", b""))
    return _bounded(receive, rule)


def _rule(path: str, seconds: float) -> _Rule:
    limit = MAX_WRITE_BYTES if "/objects/" in path else MAX_DRAFT_BYTES if path.endswith(_DRAFTS) else MAX_BODY_BYTES
    return _Rule(limit=limit, plain_json=not path.startswith(_ANY_TYPE), seconds=seconds)


def _proxied() -> _Rule:
    # How long a proxied body may take is the gateway's to say: it ends the call to the provider.
    return _Rule(limit=MAX_PROXY_BYTES, plain_json=False, seconds=None)


def _check_json(content_type: bytes) -> None:
    kind, _, parameters = content_type.decode("latin-1").lower().partition(";")
    charset = parameters.strip().removeprefix("charset=").strip('" ')
    if kind.strip() != "application/json" or charset not in {"", "utf-8"}:
        raise WrongMediaType("Send the body with Content-Type: application/json, in UTF-8.")


def _bounded(receive: Receive, rule: _Rule) -> Receive:
    """Count what is read, and stop waiting for it once its time is over. What comes after the body is not timed."""
    deadline = None if rule.seconds is None else asyncio.get_running_loop().time() + rule.seconds
    total = 0

    async def read() -> Any:
        nonlocal deadline, total
        try:
            async with asyncio.timeout_at(deadline):
                message = await receive()
        except TimeoutError:
            raise TooSlow(f"The body did not arrive within {rule.seconds:g} seconds.") from None
        if message["type"] != "http.request":
            if deadline is not None:
                raise BadRequest("The connection was closed before the body ended.")
            return message
        total += len(message.get("body", b""))
        if total > rule.limit:
            raise TooLarge(f"This route takes at most {rule.limit:,} bytes.")
        if not message.get("more_body"):
            deadline = None
        return message

    return read
