"""An httpx transport over aiohttp: one HTTP/1.1 exchange at a time, nothing repeated, nothing followed.

httpx's own transport looks through its whole pool on each request, which costs ten times as much at 50 concurrent
(tests/benchmarks/transport.py). aiohttp's error classes are exact, so ours are.
"""

import ssl
from collections.abc import AsyncIterator
from contextvars import ContextVar
from typing import Literal, TypeAlias

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver, AbstractStreamWriter
from aiohttp.connector import SocketFactoryType
from yarl import URL

from connectors.departure import DEPARTURE, Departure, Withdrawn

CONNECT_SECONDS = 5.0
"""For the name, the connection and TLS together."""
READ_SECONDS = 30.0
"""Between two pieces of an answer. The total is `perform`'s."""
LONG_IDLE_SECONDS = 15.0
"""The longest rest of a kept connection that may still carry what can be repeated."""
CAREFUL_IDLE_SECONDS = 1.0
"""The longest rest of a kept connection that may still carry a POST.

A provider may close a resting connection just as we write; the failure then looks like a create that was done and whose
answer was lost. A new connection for each POST would rule that out, at twice the CPU on loopback (measured 22 November
2026 by tests/benchmarks/transport.py) and one to three round trips elsewhere. Counting the bytes that the other side
acknowledged (TCP_INFO) proves nothing: an acknowledgement may be lost with the answer. Servers close after two seconds
of rest or more (gunicorn 2, Apache, Node and uvicorn 5, nginx 75), so a connection that answered within the last second
is nearly as good as a new one. Set 0 for a new connection each time, or ask for one with `FRESH`. If it does
happen, the outcome is ambiguous and reconciled, never sent twice.
"""
USER_AGENT = "Isthmus"
TARGET = "target"
"""The path and query to send, byte for byte, among a request's extensions; else the URL's.

Source: https://www.encode.io/httpcore/extensions/#target
"""
PASSED_ON = "isthmus.passed_on"
"""Set true among the extensions of a request that is passed on for somebody else.

Nobody here may send it again, so it goes over careful connections whatever its method is. The encodings it accepts are
its sender's affair.
"""
FRESH = "isthmus.fresh"
"""Set true among the extensions of a request that gets a connection of its own, which is closed after it."""

_OWN_HEADERS = frozenset({b"content-length", b"transfer-encoding", b"accept-encoding", b"connection"})
"""Set here or by aiohttp from the body as it is."""
_UNDONE_HEADERS = frozenset({b"transfer-encoding"})
"""Undone by aiohttp. ``Connection`` stays: whoever passes an answer on must know which of its headers it names."""
_HEAD_LIMIT = 32 * 1024
_QUOTING = ("Can not write request body", "Failed to send bytes")
"""aiohttp's words in which it quotes the URL."""
_AUTOMATIC = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")

_Rest: TypeAlias = Literal["none", "short", "long"]
"""For how long a connection may have rested before it carries a request; ``none``: it is a new one."""
_departure: ContextVar[Departure] = ContextVar("departure")


class AioTransport(httpx.AsyncBaseTransport):
    """Sends by aiohttp. Make one for each event loop and close it with `aclose`.

    Raises the classes that httpx's own transport raises. Bodies are handed over unread unless they are there already
    and need no inflating; whoever reads them bounds them (`connectors/bodies.py`).
    """

    def __init__(
        self,
        *,
        resolver: AbstractResolver | None = None,
        socket_factory: SocketFactoryType | None = None,
        tls: ssl.SSLContext | None = None,
        careful_idle_seconds: float = CAREFUL_IDLE_SECONDS,
        connect_seconds: float = CONNECT_SECONDS,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        self._resolver = resolver
        self._socket_factory = socket_factory
        self._tls = tls
        self._careful_idle_seconds = careful_idle_seconds
        self._timeout = aiohttp.ClientTimeout(total=None, connect=connect_seconds, sock_read=read_seconds)
        self._sessions: dict[_Rest, aiohttp.ClientSession] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request and read the status and headers. Raises an `httpx.TransportError`."""
        departure: Departure = request.extensions.get(DEPARTURE) or Departure()
        departure.vouch()
        token = _departure.set(departure)
        try:
            return await self._exchange(request)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            # aiohttp quotes the URL, and a key may travel in the query.
            raise translate(error, request) from (None if request.url.query else error)
        finally:
            _departure.reset(token)

    async def aclose(self) -> None:
        """Close all connections."""
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            await session.close()

    async def _exchange(self, request: httpx.Request) -> httpx.Response:
        body = request.stream if _is_streamed(request) else await request.aread() or None
        response = await self._session(self._rest(request)).request(
            request.method,
            _url(request),
            headers=_headers(request),
            data=body,
            allow_redirects=False,
            timeout=self._timeout,
        )
        return _built(response)

    def _rest(self, request: httpx.Request) -> _Rest:
        """Tell for how long a connection may have rested that carries this request."""
        if request.extensions.get(FRESH):
            return "none"
        if request.method != "POST" and not request.extensions.get(PASSED_ON):
            return "long"
        return "short" if self._careful_idle_seconds > 0 else "none"

    def _session(self, rest: _Rest) -> aiohttp.ClientSession:
        session = self._sessions.get(rest)
        if session is None:
            session = self._sessions[rest] = self._open(rest)
        return session

    def _open(self, rest: _Rest) -> aiohttp.ClientSession:
        session = aiohttp.ClientSession(
            connector=self._connector(rest),
            cookie_jar=aiohttp.DummyCookieJar(),
            request_class=_Request,
            trust_env=False,
            auto_decompress=False,
            raise_for_status=False,
            skip_auto_headers=_AUTOMATIC,
            max_line_size=_HEAD_LIMIT,
            max_field_size=_HEAD_LIMIT,
        )
        # aiohttp repeats PUT and DELETE on a kept connection that was closed meanwhile. Repeating is not the
        # transport's decision: a repeated DELETE answers 404. There is no public switch as of 3.14.
        session._retry_connection = False  # noqa: SLF001
        return session

    def _connector(self, rest: _Rest) -> aiohttp.TCPConnector:
        return aiohttp.TCPConnector(
            limit=0,
            resolver=self._resolver,
            socket_factory=self._socket_factory,
            ssl=self._tls if self._tls is not None else True,
            force_close=rest == "none",
            keepalive_timeout={"none": None, "short": self._careful_idle_seconds, "long": LONG_IDLE_SECONDS}[rest],
        )


class _Request(aiohttp.ClientRequest):
    """Says when the first byte may leave: a connection is there, and nothing has been written to it."""

    async def send(self, conn: aiohttp.connector.Connection) -> aiohttp.ClientResponse:
        _departure.get().depart()
        return await super().send(conn)

    async def write_bytes(
        self, writer: AbstractStreamWriter, conn: aiohttp.connector.Connection, content_length: int | None = None
    ) -> None:
        """Ask once more: aiohttp holds the head back until a task of its own writes it with the body."""
        try:
            _departure.get().depart()
        except Withdrawn as withdrawn:
            # Raised where the answer is awaited, which closes the connection as well.
            if conn.protocol is not None:
                conn.protocol.set_exception(withdrawn)
            return
        await super().write_bytes(writer, conn, content_length)


class _Body(httpx.AsyncByteStream):
    """The rest of an answer, as it comes."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._response.content.iter_any():
                yield chunk
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise _class_for(error)(_words(error)) from error

    async def aclose(self) -> None:
        self._response.close()


def _is_streamed(request: httpx.Request) -> bool:
    return not isinstance(request.stream, httpx.ByteStream)


def _url(request: httpx.Request) -> URL:
    """Build the URL of its parts: a second parser might read another host in the text than the one that was checked."""
    url = request.url
    target: bytes = request.extensions.get(TARGET, url.raw_path)
    path, _, query = target.decode("ascii").partition("?")
    host = url.raw_host.decode("ascii")
    return URL.build(
        scheme=url.scheme,
        host=f"[{host}]" if ":" in host else host,
        port=url.port,
        path=path,
        query_string=query,
        encoded=True,
    )


def _headers(request: httpx.Request) -> list[tuple[str, str]]:
    headers = [
        (name.decode("ascii"), value.decode("ascii"))
        for name, value in request.headers.raw
        if name.lower() not in _OWN_HEADERS
    ]
    if _is_streamed(request) and "content-length" in request.headers:
        headers.append(("Content-Length", request.headers["content-length"]))
    if not request.extensions.get(PASSED_ON) or "accept-encoding" not in request.headers:
        headers.append(("Accept-Encoding", "identity"))
    else:
        headers.append(("Accept-Encoding", request.headers["accept-encoding"]))
    if "user-agent" not in request.headers:
        headers.append(("User-Agent", USER_AGENT))
    return headers


def _built(response: aiohttp.ClientResponse) -> httpx.Response:
    headers = [(name, value) for name, value in response.raw_headers if name.lower() not in _UNDONE_HEADERS]
    if response.content.is_eof() and not response.headers.get("Content-Encoding"):
        return httpx.Response(response.status, headers=headers, content=response.content.read_nowait(-1))
    return httpx.Response(response.status, headers=headers, stream=_Body(response))


CLASSES: tuple[tuple[type[BaseException], type[httpx.TransportError]], ...] = (
    (aiohttp.ConnectionTimeoutError, httpx.ConnectTimeout),
    (aiohttp.ServerTimeoutError, httpx.ReadTimeout),
    (aiohttp.ServerDisconnectedError, httpx.RemoteProtocolError),
    (aiohttp.ClientConnectorError, httpx.ConnectError),
    (aiohttp.ClientConnectionResetError, httpx.WriteError),
    (aiohttp.ClientOSError, httpx.ReadError),
    (aiohttp.NonHttpUrlClientError, httpx.UnsupportedProtocol),
    (aiohttp.InvalidURL, httpx.UnsupportedProtocol),
    (aiohttp.ClientError, httpx.RemoteProtocolError),
    (TimeoutError, httpx.ReadTimeout),
    (OSError, httpx.ReadError),
    (ValueError, httpx.LocalProtocolError),
)
"""aiohttp's classes and httpx's, the first that fits."""


def translate(error: Exception, request: httpx.Request) -> httpx.TransportError:
    """Make httpx's error of aiohttp's, in words that hold no URL."""
    return _class_for(error)(_words(error), request=request)


def _class_for(error: BaseException) -> type[httpx.TransportError]:
    return next(ours for theirs, ours in CLASSES if isinstance(error, theirs))


def _words(error: BaseException) -> str:
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return "connecting took too long"
    if isinstance(error, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError):
        return "the URL cannot be called"
    if isinstance(error, aiohttp.ClientResponseError):
        return f"the answer is not HTTP: {error.message[:200]}"
    if any(words in str(error) for words in _QUOTING):
        return "the connection was closed while the body was being sent"
    return str(error)[:300]
