"""What a message looks like on its way: its body, the same at every attempt, and its headers."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import httpx
import msgspec

from connectors.headers import RESERVED, header_problem
from installations.errors import Issue
from server.notifying.signing import SigningKey, signed_headers
from server.store.contract import Destination

TEST_TYPE = "destination.test"
"""*Isthmus*: the type of a message that somebody asked for to try a receiver."""
OURS = RESERVED - {"authorization", "cookie"}
"""Headers that a destination does not set. Those that say who we are to the receiver are the builder's business."""
_SIGNED = ("svix-", "webhook-")
MOST_HEADERS = 50


class Envelope(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The published body."""

    notification_type: str
    data: msgspec.Raw


def build_body(notification_type: str, data: bytes) -> bytes:
    """Build the body around an event's data."""
    return msgspec.json.encode(Envelope(notification_type=notification_type, data=msgspec.Raw(data)))


def build_request(
    destination: Destination, body: bytes, *, message_id: str, keys: Sequence[SigningKey], now: datetime
) -> httpx.Request:
    """Build one attempt, signed for this moment. Raises `httpx.InvalidURL`."""
    headers = [
        *destination.headers.items(),
        ("Content-Type", "application/json"),
        *signed_headers(keys, body, message_id=message_id, now=now),
    ]
    return httpx.Request("POST", destination.url, headers=headers, content=body)


def header_issues(headers: Mapping[str, str], *, path: str) -> list[Issue]:
    """List what is wrong with the headers of a destination; no value is quoted."""
    if len(headers) > MOST_HEADERS:
        return [Issue(path=path, code="too-many", message=f"holds more than {MOST_HEADERS} headers")]
    issues: list[Issue] = []
    for name, value in headers.items():
        problem = _problem(name, value)
        if problem is not None:
            issues.append(Issue(path=f"{path}.{name[:64]}", code="bad-header", message=problem))
    return issues


def _problem(name: str, value: str) -> str | None:
    if name.lower() in OURS or name.lower().startswith(_SIGNED):
        return f"the header {name[:64]!r} is set by the sender"
    return header_problem([(name.encode("utf-8", "replace"), value.encode("utf-8", "replace"))])
