"""uvicorn's HTTP/1.1 protocol, with bounds on what comes before the application is asked.

uvicorn 0.54 over httptools waits for ever for the first byte and for the end of a request's head, and keeps whatever
comes of it (seen 2026-11-22; its ``timeout_keep_alive`` runs between two requests only). Five hundred sockets that each
say a letter a minute would hold the server down.
"""

from asyncio import BaseTransport, TimerHandle
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 10.0
"""How long a request's head may take, from the first connection or its first byte."""
MAX_HEAD_BYTES = 65_536
"""The request line and all headers."""


class BoundedHeads(HttpToolsProtocol):
    """Closes connections whose next request does not begin, or whose head does not end, in time and in size."""

    head_seconds = HEAD_SECONDS

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._in_head = False
        self._head_bytes = 0
        self._late: TimerHandle | None = None

    def connection_made(self, transport: BaseTransport) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)  # type: ignore[arg-type]
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take what came. Most heads come whole, and cost nothing here."""
        super().data_received(data)
        if not self._in_head or self.transport.is_closing():
            return
        self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD_BYTES:
            self.send_400_response("The head of the request is too large.")
        elif self._late is None:
            self._wait()

    def on_message_begin(self) -> None:
        """See a head begin."""
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0

    def on_headers_complete(self) -> None:
        """See it end."""
        self._in_head = False
        self._stop_waiting()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._late = self.loop.call_later(self.head_seconds, self._give_up)

    def _stop_waiting(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _give_up(self) -> None:
        self._late = None
        self.transport.close()
