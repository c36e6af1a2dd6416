"""What the page that asked is told, in the published shapes, and who may hear it.

The published React library has two listeners: one reads ``data.error`` and throws without ``data``, the other reads
``message`` and keeps ``data.connection`` whole. Both believe only our own origin, and both take the first message for
the last; so there is one, and it is sent once the connection is committed.
https://github.com/amp-labs/react (``useReceiveMessageEventHandler``, ``useOAuthPrimitives``)
"""

from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec

from installations.installation import Connection
from server.connecting.passage import Pages
from server.connecting.returning import Ended, Failure, Waiting

ANYBODY = "*"


class Notice(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What the page's script needs."""

    message: Any
    targets: tuple[str, ...]
    """Origins; a browser delivers to the opener's own, and to no other."""
    next_url: str = ""
    """Where the window goes on if no page of the product opened it."""


def notice_of(ended: Ended) -> Notice:
    """Say how it ended. Where nobody knows which page may hear it, any page may hear that it did, and nothing else."""
    targets = ended.pages.targets
    message = _message(ended.result) if targets else _bare(ended.result)
    return Notice(
        message=message,
        targets=targets if targets or message is None else (ANYBODY,),
        next_url=next_url(ended.pages, ended.result),
    )


def brought_notice(pages: Pages, parameters: dict[str, str]) -> Notice:
    """Hand what a stepwise customer came back with to the page that asked, and to nobody else."""
    message = {"source": "ampersand-custom-auth", "params": parameters}
    return Notice(message=message, targets=pages.targets)


def next_url(pages: Pages, result: Connection | Failure | Waiting) -> str:
    """Answer where the customer goes on in a window of its own, with the outcome in the query; empty for nowhere."""
    if not pages.return_url:
        return ""
    separator = "&" if urlsplit(pages.return_url).query else "?"
    base, hash_, fragment = pages.return_url.partition("#")
    return f"{base}{separator}{urlencode(_outcome(result))}{hash_}{fragment}"


def _outcome(result: Connection | Failure | Waiting) -> dict[str, str]:
    match result:
        case Failure(reason=reason):
            return {"error": reason}
        case Waiting(completion_code=code):
            return {"completionCode": code.reveal()}
        case _:
            return {"connectionId": result.id}


def _message(result: Connection | Failure | Waiting) -> Any:
    match result:
        case Failure(reason=reason):
            return {"eventType": "AUTHORIZATION_FAILED", "message": reason, "data": {"error": reason}}
        case Waiting(completion_code=code):
            return {"eventType": "AUTHORIZATION_PENDING", "data": {"completionCode": code.reveal()}}
        case _:
            return {"eventType": "AUTHORIZATION_SUCCEEDED", "data": {"connection": result}}


def _bare(result: Connection | Failure | Waiting) -> Any:
    """Say what may be told to anybody; a completion code may not."""
    match result:
        case Failure():
            reason = "The connection was not made."
            return {"eventType": "AUTHORIZATION_FAILED", "message": reason, "data": {"error": reason}}
        case Waiting():
            return None
        case _:
            return {"eventType": "AUTHORIZATION_SUCCEEDED", "data": {}}
