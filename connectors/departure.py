"""Whether a byte of a request may have left us, and what a failure to send is called because of that.

The class of an exception does not tell: the same class comes before and after the first byte. So a transport vouches.
"""

from collections.abc import Callable
from typing import Any

import httpx

from connectors.errors import Ambiguous, ConnectorError, NotSent, Unreadable
from installations.record import Fault

DEPARTURE = "isthmus.departure"
"""The key of a request's `Departure` among its extensions."""

ADDRESS_DENIED = "address_denied"
"""The code of the fault when the operator's policy forbids the address."""
PERMIT_WITHDRAWN = "permit_withdrawn"
"""The code of the fault when whoever asked for the request may no longer send it."""
_RAW_LIMIT = 4096

Permit = Callable[[], bool]
"""Answers whether the request may still leave. Asked between the connection and the first byte: no I/O, no waiting."""


class Withdrawn(Exception):
    """The permit was withdrawn while the request was on its way out. Nothing has left."""


class Departure:
    """Whether a byte of one request may have left us. A transport that can vouch calls `vouch`, then `depart`.

    With a ``permit``, `depart` asks it, each time it is called, and raises `Withdrawn` where it says no.
    """

    __slots__ = ("_permit", "possible")

    def __init__(self, *, permit: Permit | None = None) -> None:
        self.possible = True
        self._permit = permit

    def vouch(self) -> None:
        """Say that nothing has left so far, and that `depart` will be called before the first byte does."""
        self.possible = False

    def depart(self) -> None:
        """Say that the next thing to happen may be a byte leaving. Raises `Withdrawn`: then none may."""
        if self._permit is not None and not self._permit():
            raise Withdrawn
        self.possible = True

    async def trace(self, event: str, _details: Any) -> None:
        """Follow httpcore's ``trace`` extension, so that httpx's own transport vouches too.

        Source: https://www.encode.io/httpcore/extensions/#trace
        """
        if event == "connection.connect_tcp.started":
            self.vouch()
        elif event.endswith(".send_request_headers.started"):
            self.depart()


class Blocked(httpx.ConnectError):
    """The gateway's policy forbids the address; nothing was dialled."""


def connect_failed(error: BaseException) -> bool:
    """Tell whether connecting failed, which is safe to try again at once."""
    return (
        isinstance(error, NotSent)
        and error.fault.kind == "not_sent"
        and isinstance(error.__cause__, httpx.ConnectError | httpx.ConnectTimeout)
    )


def name_failure(error: Exception, request: httpx.Request, departure: Departure) -> ConnectorError:
    """Name a failure that came before a status was read."""
    detail = _detail(error, request)
    if isinstance(error, Withdrawn):
        # Raised before the first byte or not at all, so it needs nobody to vouch.
        message = "nothing was sent: this process lost its hold on the write before the first byte left"
        return NotSent(Fault(kind="not_sent", message=message, code=PERMIT_WITHDRAWN))
    if isinstance(error, Blocked):
        return NotSent(Fault(kind="forbidden", message=detail, code=ADDRESS_DENIED))
    if departure.possible:
        return Ambiguous(Fault(kind="ambiguous", message=f"no answer was read: {detail}"))
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return NotSent(Fault(kind="invalid", message=f"the request cannot be sent: {detail}", code="url_invalid"))
    return NotSent(Fault(kind="not_sent", message=f"the request could not be sent: {detail}"))


def name_unreadable(error: Exception, status: int, body: bytes, request: httpx.Request) -> Unreadable:
    """Name a failure that came after a success status was read."""
    message = f"the provider answered {status}, but the answer could not be read: {_detail(error, request)}"
    raw = body[:_RAW_LIMIT].decode("utf-8", "replace") or None
    return Unreadable(Fault(kind="unrecognised", message=message, status=status), raw_response=raw)


def _detail(error: Exception, request: httpx.Request) -> str:
    """Say what went wrong without the query, in which a key may travel."""
    text = str(error)
    query = request.url.query.decode("ascii", "replace")
    if not text or (query and query in text):
        return type(error).__name__
    return f"{type(error).__name__}: {text}"[:500]
