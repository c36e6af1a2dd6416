"""Every class of error that a client, its parser or the system can raise is named by what it proves, none by itself.

The classes are walked, so that one that comes with a newer release is judged here first.
"""

import errno
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import aiohttp
import aiohttp.client_exceptions
import aiohttp.http_exceptions
import h11
import httpcore
import httpx
import pytest
from aiohttp.client_reqrep import ConnectionKey
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from connectors.departure import DEPARTURE, Blocked, Departure, Withdrawn
from connectors.errors import Ambiguous, ConnectorError, NotSent, Unreadable
from connectors.gateway import AddressDenied
from connectors.transport import perform
from connectors.wire import translate
from tests.connectors.driven import one

URL_SENT = "https://a.test/x?key=canary-4711"
KEY = ConnectionKey("a.test", 443, True, True, None, None, None)  # noqa: FBT003 -- a named tuple of the library's
INFO = aiohttp.RequestInfo(URL(URL_SENT), "POST", CIMultiDictProxy(CIMultiDict()), URL(URL_SENT))
CERTIFICATE = ssl.SSLCertVerificationError(1, "certificate verify failed")

ODD: dict[type[BaseException], Callable[[Any], BaseException]] = {
    aiohttp.ClientConnectorCertificateError: lambda kind: kind(KEY, CERTIFICATE),
    aiohttp.ClientConnectorError: lambda kind: kind(KEY, OSError(errno.ECONNREFUSED, "refused")),
    aiohttp.ServerFingerprintMismatch: lambda kind: kind(b"a", b"b", "a.test", 443),
    aiohttp.ClientResponseError: lambda kind: kind(INFO, (), status=500, message="bad"),
    aiohttp.client_exceptions.UnixClientConnectorError: lambda kind: kind("/s", KEY, OSError(errno.ENOENT, "none")),
    aiohttp.InvalidURL: lambda kind: kind(URL_SENT),
    aiohttp.http_exceptions.BadStatusLine: lambda kind: kind("BANANA"),
    aiohttp.http_exceptions.LineTooLong: lambda kind: kind("head", "9", "10"),
    UnicodeEncodeError: lambda kind: kind("ascii", "é", 0, 1, "ordinal"),
    UnicodeDecodeError: lambda kind: kind("ascii", b"\xe9", 0, 1, "ordinal"),
    UnicodeTranslateError: lambda kind: kind("é", 0, 1, "ordinal"),
    httpx.HTTPStatusError: lambda kind: kind("x", request=httpx.Request("GET", URL_SENT), response=httpx.Response(500)),
}


def every(root: type[BaseException]) -> Iterator[type[BaseException]]:
    yield root
    for kind in root.__subclasses__():
        yield from every(kind)


def of(root: type[BaseException], *modules: str) -> set[type[BaseException]]:
    """The classes below a root that these modules define: tests of other folders may define their own."""
    return {kind for kind in every(root) if kind.__module__.partition(".")[0] in modules}


def made(kind: type[BaseException]) -> Exception:
    """Make one as it comes; the nearest odd ancestor says how."""
    for ancestor in kind.__mro__:
        if ancestor in ODD:
            error = ODD[ancestor](kind)
            break
    else:
        try:
            error = kind(f"it broke at {URL_SENT}")
        except TypeError:
            error = kind()
    assert isinstance(error, Exception)
    return error


SYSTEM = of(OSError, "builtins", "socket", "ssl") | {socket.gaierror, socket.herror, socket.timeout, ssl.SSLError}
AIOHTTP = of(aiohttp.ClientError, "aiohttp")
PARSER = of(aiohttp.http_exceptions.HttpProcessingError, "aiohttp")
HTTPX = of(httpx.HTTPError, "httpx") | of(httpx.StreamError, "httpx") | {httpx.InvalidURL, httpx.CookieConflict}
HTTPCORE = {
    kind for name in dir(httpcore) if isinstance(kind := getattr(httpcore, name), type) and issubclass(kind, Exception)
}
H11 = of(h11.LocalProtocolError, "h11") | of(h11.RemoteProtocolError, "h11")
"""Their root cannot be raised itself."""
VALUES = of(ValueError, "builtins") | {RecursionError, LookupError, AssertionError, EOFError, MemoryError}
CLASSES = sorted(
    SYSTEM | AIOHTTP | PARSER | HTTPX | HTTPCORE | H11 | VALUES | {AddressDenied},
    key=lambda kind: f"{kind.__module__}.{kind.__qualname__}",
)
names = pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: f"{kind.__module__}.{kind.__qualname__}")


def test_the_walk_is_no_short_one() -> None:
    assert {httpx.ConnectError, httpx.RemoteProtocolError, h11.RemoteProtocolError, ConnectionResetError} < set(CLASSES)
    assert {aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError, httpcore.ReadError, ssl.SSLError} < set(
        CLASSES
    )
    assert len(CLASSES) > 90


class Failing(httpx.AsyncBaseTransport):
    """Raises an error at one of three moments: before the first byte, after it, or inside a body."""

    def __init__(self, error: Exception, *, moment: str, status: int = 201) -> None:
        self.error = error
        self.moment = moment
        self.status = status
        self.sent = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.sent += 1
        departure: Departure = request.extensions[DEPARTURE]
        departure.vouch()
        if self.moment == "before":
            raise self.error
        departure.depart()
        if self.moment == "after":
            raise self.error
        return httpx.Response(self.status, stream=_Breaking(self.error))


class _Breaking(httpx.AsyncByteStream):
    def __init__(self, error: Exception) -> None:
        self._error = error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"{"
        raise self._error


async def failed(transport: Failing) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        await perform(one(URL_SENT), transport=transport, auth=httpx.Auth(), origin=URL_SENT)
    assert "canary-4711" not in str(caught.value), "no error quotes the query, where a key may travel"
    return caught.value


@names
async def test_after_the_first_byte_nobody_knows_and_nothing_is_sent_again(kind: type[BaseException]) -> None:
    transport = Failing(made(kind), moment="after")
    error = await failed(transport)
    assert (type(error), error.fault.kind, transport.sent) == (Ambiguous, "ambiguous", 1)


@names
async def test_before_the_first_byte_nothing_has_happened(kind: type[BaseException]) -> None:
    transport = Failing(made(kind), moment="before")
    error = await failed(transport)
    assert isinstance(error, NotSent)
    bad_url = issubclass(kind, httpx.InvalidURL | httpx.UnsupportedProtocol)
    assert error.fault.kind == ("invalid" if bad_url else "not_sent")
    assert transport.sent == (3 if issubclass(kind, httpx.ConnectError | httpx.ConnectTimeout) else 1)


@names
async def test_inside_the_body_of_a_success_it_is_done(kind: type[BaseException]) -> None:
    error = await failed(Failing(made(kind), moment="body"))
    assert (type(error), error.fault.status) == (Unreadable, 201)


@names
async def test_inside_the_body_of_a_refusal_it_is_refused_all_the_same(kind: type[BaseException]) -> None:
    transport = Failing(made(kind), moment="body", status=409)
    response = await perform(one(URL_SENT), transport=transport, auth=httpx.Auth(), origin=URL_SENT)
    assert response.status_code == 409


@pytest.mark.parametrize("kind", [kind for kind in CLASSES if kind in SYSTEM | AIOHTTP | of(ValueError, "builtins")])
def test_what_aiohttp_raises_has_a_name_of_httpx_s(kind: type[BaseException]) -> None:
    error = translate(made(kind), httpx.Request("POST", URL_SENT))
    assert isinstance(error, httpx.TransportError)
    assert type(error) is not httpx.TransportError


async def test_what_was_forbidden_or_withdrawn_was_not_sent_whoever_vouches() -> None:
    class Silent(httpx.AsyncBaseTransport):
        def __init__(self, error: Exception) -> None:
            self.error = error

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:  # noqa: ARG002
            raise self.error

    for error, code in ((Blocked("denied"), "address_denied"), (Withdrawn(), "permit_withdrawn")):
        with pytest.raises(NotSent) as caught:
            await perform(one(URL_SENT), transport=Silent(error), auth=httpx.Auth(), origin=URL_SENT)
        assert caught.value.fault.code == code
