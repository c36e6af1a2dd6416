"""What must hold before a change leaves: a mark is made once, and a permit still holds when the connection stands."""

import ssl
from collections.abc import Awaitable, Callable
from itertools import count

import httpx
import pytest

from connectors.connector import READS_ONLY, Account, Flow
from connectors.credentials import TokenAuth, TokenSource
from connectors.departure import PERMIT_WITHDRAWN
from connectors.dispatch import send
from connectors.errors import Ambiguous, ConnectorError, NotSent, Refused
from connectors.memory.connector import MEMORY, Memory
from connectors.memory.server import MemoryServer
from connectors.secret import Secret
from connectors.signatures import HeaderAuth
from connectors.transport import perform
from connectors.wire import AioTransport
from installations.record import Change, Fault, Outcome, RecordChange
from tests.connectors import faults
from tests.connectors.driven import one
from tests.connectors.faults import answers, answers_then_closes, http

OK = http(200, b'{"id": 1}', "Content-Type: application/json")


class Held:
    """A permit that counts how often it is asked, and is withdrawn when told to."""

    def __init__(self, *, until: int | None = None) -> None:
        self.asked = 0
        self.until = until

    def __call__(self) -> bool:
        self.asked += 1
        return self.until is None or self.asked <= self.until


async def sent(
    flow: Flow[httpx.Response], transport: httpx.AsyncBaseTransport, url: str, permit: Callable[[], bool]
) -> httpx.Response:
    return await perform(flow, transport=transport, auth=httpx.Auth(), origin=url, permit=permit, deadline_seconds=5.0)


@pytest.mark.parametrize("content", [b'{"a": 1}', b"", b"x" * 300_000], ids=["a body", "no body", "a long body"])
async def test_nothing_leaves_without_a_permit(transport: httpx.AsyncBaseTransport, content: bytes) -> None:
    async with faults.serving(answers(OK)) as server:
        with pytest.raises(NotSent) as caught:
            await sent(one(server.url, content=content), transport, server.url, Held(until=0))
        await transport.aclose()
    assert (caught.value.fault.kind, caught.value.fault.code) == ("not_sent", PERMIT_WITHDRAWN)
    assert server.requests == []


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_a_permit_that_holds_lets_every_change_through(transport: httpx.AsyncBaseTransport, method: str) -> None:
    permit = Held()
    async with faults.serving(answers(OK)) as server:
        response = await sent(one(server.url, method=method), transport, server.url, permit)
        again = await sent(one(server.url, method=method), transport, server.url, permit)
    assert (response.status_code, again.status_code, len(server.requests)) == (200, 200, 2)
    assert permit.asked >= 2


async def test_the_permit_is_asked_when_the_connection_stands(transport: httpx.AsyncBaseTransport) -> None:
    permit = Held()
    with pytest.raises(NotSent) as caught:
        await sent(one(f"http://127.0.0.1:{await faults.unused_port()}"), transport, "http://127.0.0.1", permit)
    assert caught.value.fault.code is None
    assert permit.asked == 0


async def test_the_permit_is_asked_after_the_handshake(tls: ssl.SSLContext, certificate: str) -> None:
    strangers, friends = AioTransport(), AioTransport(tls=ssl.create_default_context(cafile=certificate))
    refused, withdrawn = Held(), Held(until=0)
    async with faults.serving(answers(OK), tls=tls) as server:
        with pytest.raises(NotSent, match=r"(?i)certificate"):
            await sent(one(server.url), strangers, server.url, refused)
        with pytest.raises(NotSent, match="hold"):
            await sent(one(server.url), friends, server.url, withdrawn)
        await strangers.aclose()
        await friends.aclose()
    assert (refused.asked, withdrawn.asked, server.requests) == (0, 1, [])


async def test_the_permit_is_asked_again_between_the_head_and_the_body() -> None:
    """Aiohttp holds the head back and writes it with the body, in a task of its own."""
    transport, permit = AioTransport(), Held(until=1)
    async with faults.serving(answers(OK)) as server:
        with pytest.raises(NotSent) as caught:
            await sent(one(server.url), transport, server.url, permit)
        response = await sent(one(server.url), transport, server.url, Held())
        await transport.aclose()
    assert (caught.value.fault.code, permit.asked) == (PERMIT_WITHDRAWN, 2)
    assert (response.status_code, len(server.requests)) == (200, 1)


async def test_what_only_reads_needs_no_permit(transport: httpx.AsyncBaseTransport) -> None:
    permit = Held(until=0)
    async with faults.serving(answers(OK)) as server:

        def flow() -> Flow[httpx.Response]:
            yield httpx.Request("GET", server.url)
            return (yield httpx.Request("POST", f"{server.url}/search", extensions={READS_ONLY: True}))

        response = await sent(flow(), transport, server.url, permit)
    assert (response.status_code, len(server.requests), permit.asked) == (200, 2, 0)


async def test_a_permit_that_was_withdrawn_once_stays_withdrawn(transport: httpx.AsyncBaseTransport) -> None:
    """A process that was stopped for longer than its lease beats again at once; the write is another's by then."""
    said = iter([False, True, True, True])
    async with faults.serving(answers(OK)) as server:

        def flow() -> Flow[str]:
            for path in ("a", "b"):
                try:
                    yield httpx.Request("POST", f"{server.url}/{path}")
                except NotSent:
                    continue
            return "went on"

        result = await perform(
            flow(), transport=transport, auth=httpx.Auth(), origin=server.url, permit=lambda: next(said)
        )
    assert (result, server.requests) == ("went on", [])


async def test_a_permit_withdrawn_between_two_changes_leaves_the_first_one_done(
    transport: httpx.AsyncBaseTransport,
) -> None:
    async with faults.serving(answers(OK)) as server:

        def flow() -> Flow[httpx.Response]:
            yield httpx.Request("POST", f"{server.url}/first")
            return (yield httpx.Request("POST", f"{server.url}/second"))

        with pytest.raises(Ambiguous, match="only a part"):
            await sent(flow(), transport, server.url, lambda: not server.requests)
    assert len(server.requests) == 1


class Tokens(TokenSource):
    """Gives numbered tokens: a newer one after each refusal."""

    def __init__(self) -> None:
        self.numbers = count(1)
        self.newest = Secret("token-0")

    @property
    def secrets(self) -> tuple[bytes, ...]:
        return ()

    async def token(self) -> Secret:
        return self.newest

    async def renewed(self, refused: Secret) -> Secret | None:  # noqa: ARG002 -- the protocol's
        self.newest = Secret(f"token-{next(self.numbers)}")
        return self.newest

    def rejected(self, token: Secret) -> bool:  # noqa: ARG002 -- the protocol's
        return False


def token_auth() -> TokenAuth:
    return TokenAuth(Tokens(), lambda token: HeaderAuth({"Authorization": token}))


class Marks:
    """Counts how often the mark was made, and how many requests had been answered by then."""

    def __init__(self, server: faults.FaultServer | None = None) -> None:
        self.server = server
        self.made: list[int] = []

    async def __call__(self) -> None:
        self.made.append(len(self.server.requests) if self.server else 0)


async def test_the_mark_is_made_once_though_the_token_was_renewed(transport: httpx.AsyncBaseTransport) -> None:
    refuses = answers(http(401))
    async with faults.serving(refuses, answers(OK)) as server:
        marks = Marks(server)
        response = await perform(
            one(server.url), transport=transport, auth=token_auth(), origin=server.url, on_send=marks
        )
    assert (response.status_code, len(server.requests), marks.made) == (200, 2, [0])


async def test_a_permit_withdrawn_while_the_token_was_renewed_leaves_nothing_done(
    transport: httpx.AsyncBaseTransport,
) -> None:
    """The 401 said that the provider did nothing, and the second request never left."""
    async with faults.serving(answers(http(401)), answers(OK)) as server:
        with pytest.raises(NotSent) as caught:
            await perform(
                one(server.url),
                transport=transport,
                auth=token_auth(),
                origin=server.url,
                permit=lambda: not server.requests,
            )
    assert (caught.value.fault.code, len(server.requests)) == (PERMIT_WITHDRAWN, 1)


@pytest.mark.parametrize("broken", [Ambiguous, Refused, NotSent])
async def test_a_renewal_that_fails_after_a_401_leaves_nothing_done(broken: type[ConnectorError]) -> None:
    class Down(Tokens):
        async def renewed(self, refused: Secret) -> Secret | None:  # noqa: ARG002 -- the protocol's
            raise broken(Fault(kind="auth", message="the token endpoint"))

    auth, transport = TokenAuth(Down(), lambda token: HeaderAuth({"Authorization": token})), AioTransport()
    async with faults.serving(answers(http(401))) as server:
        with pytest.raises(Refused if broken is Refused else NotSent, match="the token endpoint"):
            await perform(one(server.url), transport=transport, auth=auth, origin=server.url)
        await transport.aclose()
    assert len(server.requests) == 1


async def test_the_mark_is_made_after_redirects_of_what_reads() -> None:
    transport, auth = AioTransport(), HeaderAuth({})
    auth.follows_redirects = True
    moved = answers(http(307, b"", "Location: /there"))
    async with faults.serving(moved, answers(OK)) as server:
        marks = Marks(server)

        def flow() -> Flow[httpx.Response]:
            yield httpx.Request("GET", server.url)
            return (yield httpx.Request("POST", server.url))

        await perform(flow(), transport=transport, auth=auth, origin=server.url, on_send=marks)
        await transport.aclose()
    assert (len(server.requests), marks.made) == (3, [2])


def many(number: int) -> Change:
    records = tuple(RecordChange(fields={"name": f"{each}"}) for each in range(number))
    return Change(action="create", object_name="people", records=records, batch=True)


async def written(server: MemoryServer, change: Change, on_send: Callable[[], Awaitable[None]]) -> Outcome:
    flow = send(Memory(), Account(base_url=MEMORY.base_url), change)
    return await perform(flow, transport=server, auth=httpx.Auth(), origin=MEMORY.base_url, on_send=on_send)


async def test_the_mark_is_made_once_for_all_chunks_of_a_batch() -> None:
    server, marks = MemoryServer(), Marks()
    outcome = await written(server, many(120), marks)
    assert (len(server.requests), len(outcome.records), marks.made) == (3, 120, [0])


LOST: tuple[Exception, ...] = (
    LookupError("another process owns it"),
    Refused(Fault(kind="conflict", message="another process owns it")),
    NotSent(Fault(kind="not_sent", message="another process owns it")),
)


@pytest.mark.parametrize("error", LOST, ids=lambda error: type(error).__name__)
async def test_what_the_mark_raises_ends_the_flow_unsent(error: Exception) -> None:
    """Also a flow that would go on with its next chunk: it would send that one without a mark."""
    server, tried = MemoryServer(), []

    async def lost() -> None:
        tried.append(1)
        raise error

    with pytest.raises(type(error), match="another process owns it"):
        await written(server, many(120), lost)
    assert (server.requests, tried) == ([], [1])


async def test_a_flow_that_swallows_errors_cannot_send_without_its_mark() -> None:
    server = MemoryServer()

    async def lost() -> None:
        raise Refused(Fault(kind="conflict", message="another process owns it"))

    def stubborn() -> Flow[str]:
        for _ in range(3):
            try:
                yield httpx.Request("POST", "http://memory.invalid/v1/people", content=b"{}")
            except ConnectorError:
                continue
        return "done"

    with pytest.raises(Refused):
        await perform(stubborn(), transport=server, auth=httpx.Auth(), origin="http://memory.invalid", on_send=lost)
    assert server.requests == []


@pytest.mark.parametrize("careful", [1.0, 0.0])
async def test_a_fresh_request_never_meets_a_connection_that_is_being_closed(careful: float) -> None:
    transport = AioTransport(careful_idle_seconds=careful)
    async with faults.serving(answers(OK)) as server:
        for method in ("POST", "PUT", "DELETE"):
            flow = one(server.url, method=method)
            await perform(flow, transport=transport, auth=httpx.Auth(), origin=server.url, fresh=True)
        await perform(one(server.url, method="GET"), transport=transport, auth=httpx.Auth(), origin=server.url)
        await perform(one(server.url, method="GET"), transport=transport, auth=httpx.Auth(), origin=server.url)
        await transport.aclose()
    assert server.connections == 4
    assert [b"connection: close" in request.lower() for request in server.requests] == [True] * 3 + [False] * 2


async def test_a_kept_connection_that_closes_before_an_answer_is_ambiguous_and_never_repeated(
    transport: httpx.AsyncBaseTransport,
) -> None:
    """A reply that was lost looks just like a resting connection that was closed as we wrote."""
    async with faults.serving(answers(OK), answers_then_closes(), answers(OK)) as server:
        await sent(one(server.url), transport, server.url, Held())
        with pytest.raises(Ambiguous):
            await sent(one(server.url), transport, server.url, Held())
    assert len(server.requests) == 2
