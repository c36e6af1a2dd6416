"""Seeded mutations of JSON bodies, and the shortest way to hand one to an application: no client, no socket."""

import asyncio
import random
from collections.abc import Iterator
from typing import Any

import msgspec

TOKENS = (
    b"null",
    b"true",
    b"[]",
    b"{}",
    b'""',
    b"0",
    b"-1",
    b"1e999",
    b"1E-400",
    b"NaN",
    b"-Infinity",
    b"9" * 400,
    b"9223372036854775808",
    b'"\\u0000"',
    b'"\\ud800"',
    b'"\\udc00\\ud800"',
    b"\xff\xfe",
    b"\x00",
    b"\xef\xbb\xbf",
    b"[" * 70,
    b"[" * 2000,
    b'{"a":' * 2000,
    b'"create"',
    b'"upsert"',
    b'"delete"',
    b'"record"',
    b'"batch"',
    b'"groupRef"',
    b"\"$['a']['b']\"",
    b",",
    b":",
    b"}",
    b"]",
    b"//",
    b'\\"',
)


def mutations(seeds: list[bytes], *, count: int, seed: int) -> Iterator[bytes]:
    """Make bodies, each a seed with one to four things done to it; the same ones for the same ``seed``."""
    chance = random.Random(seed)  # noqa: S311 -- repeatable, not secret
    for _ in range(count):
        body = bytearray(chance.choice(seeds))
        for _ in range(chance.choice((1, 1, 1, 2, 3, 4))):
            _mutate(body, chance)
        yield bytes(body)


def _mutate(body: bytearray, chance: random.Random) -> None:
    at = chance.randint(0, len(body))
    to = min(len(body), at + chance.randint(1, 12))
    match chance.randint(0, 8):
        case 0:
            body[at:at] = chance.choice(TOKENS)
        case 1:
            body[at:to] = chance.choice(TOKENS)
        case 2:
            del body[at:to]
        case 3:
            body[at:at] = body[at:to]
        case 4:
            body[at : at + 1] = bytes([chance.randint(0, 255)])
        case _:
            _replace_value(body, chance)


def _replace_value(body: bytearray, chance: random.Random) -> None:
    """Put a token where a value stands."""
    colons = [index for index, byte in enumerate(body) if byte == ord(":")]
    if colons:
        start = chance.choice(colons) + 1
        ends = [end for end in (body.find(b",", start), body.find(b"}", start)) if end >= 0]
        body[start : min(ends, default=len(body))] = chance.choice(TOKENS)


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What an application answered."""

    status: int
    content_type: str
    headers: dict[bytes, bytes]
    body: bytes


async def post(app: Any, path: str, body: bytes, *, headers: dict[str, str]) -> Reply:
    """Hand one request with a body of JSON to an application."""
    return await ask(app, "POST", path, body=body, headers=headers)


async def ask(
    app: Any, method: str, path: str, *, headers: dict[str, str], query: bytes = b"", body: bytes = b""
) -> Reply:
    """Hand one request to an application. The path goes out as it is written."""
    named = {"host": "isthmus.test", "content-type": "application/json", "content-length": str(len(body)), **headers}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode("latin-1"),
        "query_string": query,
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in named.items()],
        "client": ("127.0.0.1", 1),
        "server": ("isthmus.test", 80),
    }
    sent: list[Any] = []
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        if not messages:
            await asyncio.Event().wait()  # nobody hangs up
        return messages.pop()

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    answered = {name.lower(): value for name, value in sent[0]["headers"]}
    return Reply(
        status=sent[0]["status"],
        content_type=answered.get(b"content-type", b"").decode(),
        headers=answered,
        body=b"".join(message.get("body", b"") for message in sent[1:]),
    )
