"""How a flow is driven, whatever carries it: signed, marked, named when it fails, rehearsed."""

import httpx
import pytest

from connectors.connector import READS_ONLY, Flow
from connectors.credentials import BasicCredentials, authorize
from connectors.departure import DEPARTURE
from connectors.errors import Ambiguous, ConnectorError, NotSent
from connectors.memory.connector import MEMORY
from connectors.secret import Secret
from connectors.transport import perform, rehearse
from installations.record import Fault
from tests.connectors.driven import one


class Recorded(httpx.AsyncBaseTransport):
    """Answers each request by the next canned answer."""

    def __init__(self, *given: httpx.Response | Exception) -> None:
        self.given = list(given)
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        request.extensions[DEPARTURE].vouch()
        answer = self.given.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Signed(httpx.Auth):
    def auth_flow(self, request: httpx.Request):  # type: ignore[no-untyped-def]  # noqa: ANN201
        request.headers["Authorization"] = "Bearer old"
        response = yield request
        if response.status_code == 401:
            request.headers["Authorization"] = "Bearer new"
            yield request


@pytest.mark.parametrize(
    ("url", "signed"),
    [
        ("https://a.test/x", True),
        ("https://a.test:443/x", True),
        ("http://a.test/x", False),
        ("https://a.test:444/x", False),
        ("https://b.test/x", False),
        ("https://a.test.b.test/x", False),
        ("https://A.test/x", True),
    ],
)
async def test_credentials_go_to_the_account_s_origin_only(url: str, signed: bool) -> None:  # noqa: FBT001
    transport = Recorded(httpx.Response(200))
    await perform(one(url), transport=transport, auth=Signed(), origin="https://a.test/base")
    assert ("authorization" in transport.requests[0].headers) is signed


@pytest.mark.parametrize(
    ("status", "quoted", "read"),
    [
        (401, "bad key canary-4711!", "bad key ***!"),
        (500, "canary-4711canary-4711", "******"),
        (400, "Basic YWRhOmNhbmFyeS00NzEx", "Basic ***"),
        (400, "no secret here", "no secret here"),
        (200, "canary-4711", "canary-4711"),
    ],
)
async def test_an_error_that_quotes_a_secret_is_read_without_it(status: int, quoted: str, read: str) -> None:
    auth = authorize(MEMORY, BasicCredentials(username="ada", password=Secret("canary-4711")))
    transport = Recorded(httpx.Response(status, text=quoted))
    response = await perform(one("https://a.test/"), transport=transport, auth=auth, origin="https://a.test")
    assert (response.status_code, response.text) == (status, read)


async def test_an_auth_flow_may_send_again_after_reading_the_answer() -> None:
    transport = Recorded(httpx.Response(401), httpx.Response(200, json=[]))
    response = await perform(one("https://a.test/"), transport=transport, auth=Signed(), origin="https://a.test")
    assert response.status_code == 200
    assert transport.requests[-1].headers["authorization"] == "Bearer new"


async def test_the_mark_is_set_once_before_the_first_change() -> None:
    seen: list[int] = []
    transport = Recorded(*[httpx.Response(200) for _ in range(4)])

    async def mark() -> None:
        seen.append(len(transport.requests))

    def flow() -> Flow[None]:
        yield httpx.Request("GET", "https://a.test/")
        yield httpx.Request("POST", "https://a.test/search", extensions={READS_ONLY: True})
        yield httpx.Request("POST", "https://a.test/")
        yield httpx.Request("POST", "https://a.test/")

    await perform(flow(), transport=transport, auth=httpx.Auth(), origin="https://a.test", on_send=mark)
    assert seen == [2]


async def test_what_the_mark_raises_keeps_the_request_back() -> None:
    transport = Recorded(httpx.Response(200))

    async def lost() -> None:
        raise LookupError("another process owns it")

    with pytest.raises(LookupError):
        await perform(
            one("https://a.test/"), transport=transport, auth=httpx.Auth(), origin="https://a.test", on_send=lost
        )
    assert transport.requests == []


async def test_not_sent_after_an_earlier_change_is_ambiguous_as_a_whole() -> None:
    transport = Recorded(httpx.Response(201), OSError("down"))

    def flow() -> Flow[None]:
        yield httpx.Request("POST", "https://a.test/")
        yield httpx.Request("POST", "https://a.test/associations")

    with pytest.raises(Ambiguous):
        await perform(flow(), transport=transport, auth=httpx.Auth(), origin="https://a.test")


async def test_not_sent_after_reads_stays_not_sent() -> None:
    transport = Recorded(httpx.Response(201), OSError("down"))

    def flow() -> Flow[None]:
        yield httpx.Request("GET", "https://a.test/")
        yield httpx.Request("POST", "https://a.test/")

    with pytest.raises(NotSent):
        await perform(flow(), transport=transport, auth=httpx.Auth(), origin="https://a.test")


async def test_a_flow_may_name_what_is_thrown_into_it_and_is_closed_at_the_end() -> None:
    closed: list[bool] = []

    def flow() -> Flow[str]:
        try:
            yield httpx.Request("GET", "https://a.test/")
        except ConnectorError as error:
            return error.fault.kind
        finally:
            closed.append(True)
        return "answered"

    transport = Recorded(httpx.ConnectError("refused"), httpx.ConnectError("refused"), httpx.ConnectError("refused"))
    kind = await perform(flow(), transport=transport, auth=httpx.Auth(), origin="https://a.test")
    assert (kind, closed) == ("not_sent", [True])


def test_rehearsal_answers_the_requests_and_the_result() -> None:
    requests, response = rehearse(one("https://a.test/x"), httpx.Response(200))
    assert [(request.method, request.url.path) for request in requests] == [("POST", "/x")]
    assert response.request is requests[0]


def test_rehearsal_answers_the_error_a_flow_raises() -> None:
    error = NotSent(Fault(kind="not_sent", message="down"))
    assert rehearse(one("https://a.test/x"), error)[1] is error


def test_rehearsal_wants_exactly_as_many_answers_as_requests() -> None:
    with pytest.raises(AssertionError, match="no answer is left"):
        rehearse(one("https://a.test/x"))
    with pytest.raises(AssertionError, match="1 answers were not asked for"):
        rehearse(one("https://a.test/x"), httpx.Response(200), httpx.Response(200))
