"""Throttle mode: what a provider's wish for fewer calls comes to, with a clock in the test's hand."""

import gzip
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from aiohttp import web

from connectors.credentials import ApiKeyCredentials, build_credentials
from connectors.secret import Secret
from server.store.contract import NewConnection
from tests.canaries import canary
from tests.server.house import House, open_house
from tests.server.proxied import Line, echoing, lined_up

START = datetime(2025, 3, 6, 22, 9, 44, tzinfo=UTC)
THROTTLE = {"X-Amp-Rate-Limiter-Mode": "throttle"}


class Hands:
    """A clock in the test's hand."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def tick(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
async def timed(hands: Hands) -> AsyncIterator[Line]:
    async with lined_up(clock=hands) as line:
        yield line


def limits(line: Line, *answers: tuple[int, dict[str, str]]) -> None:
    """Have the provider give these answers, then good ones."""
    left = list(answers)

    async def answer(request: web.Request) -> web.StreamResponse:
        await line.echo.read(request)
        status, headers = left.pop(0) if left else (200, {})
        return web.Response(status=status, headers=headers, text="the provider's words")

    line.echo.answer = answer


def waits(answer: httpx.Response) -> tuple[int, str | None, str | None]:
    """Answer the status and the two published headers."""
    return answer.status_code, answer.headers.get("x-amp-retry-after"), answer.headers.get("x-amp-retryable")


async def test_a_429_comes_back_with_the_published_headers_and_calls_are_held_back_until_then(
    timed: Line, hands: Hands
) -> None:
    limits(timed, (429, {"Retry-After": "5"}))
    first = await timed.call("GET", "/a", headers=THROTTLE)
    assert waits(first) == (429, "Thu, 06 Mar 2025 22:09:49 UTC", "true")
    assert (first.text, first.headers["retry-after"]) == ("the provider's words", "5")
    hands.tick(2)
    held = await timed.call("GET", "/a", headers=THROTTLE)
    assert waits(held) == (429, "Thu, 06 Mar 2025 22:09:49 UTC", "true")
    problem = held.json()
    assert (problem["code"], problem["retryable"], held.headers["retry-after"]) == ("held-back", True, "3")
    assert problem["retryAfter"] == "2025-03-06T22:09:49Z"
    assert held.headers["x-isthmus-outcome"] == "not-sent"
    assert len(timed.echo.seen) == 1
    hands.tick(3)
    assert waits(await timed.call("GET", "/a", headers=THROTTLE)) == (200, None, None)
    assert len(timed.echo.seen) == 2


async def test_without_the_mode_a_429_is_an_answer_like_any_other(timed: Line) -> None:
    limits(timed, (429, {"Retry-After": "60", "X-Amp-Retryable": "true"}))
    assert waits(await timed.call("GET", "/a")) == (429, None, None)
    assert waits(await timed.call("GET", "/a")) == (200, None, None)
    assert len(timed.echo.seen) == 2


async def test_a_wish_that_another_call_heard_counts_too(timed: Line) -> None:
    limits(timed, (429, {"Retry-After": "60"}))
    await timed.call("GET", "/a")
    assert (await timed.call("GET", "/a", headers=THROTTLE)).json()["code"] == "held-back"
    module = await timed.call("GET", "/a", integration="module", headers=THROTTLE)
    assert module.json()["code"] == "held-back", "it is the same connection"


async def test_other_connections_are_not_held_back(timed: Line) -> None:
    limits(timed, (429, {"Retry-After": "60"}))
    await timed.call("GET", "/a", headers=THROTTLE)
    assert (await timed.call("GET", "/a", integration="root", headers=THROTTLE)).status_code == 200


SAYS = [
    # Retry-After, Date, and when the next call may go out, in seconds
    ("5", None, 5),
    ("0.5", None, 1),
    ("Thu, 06 Mar 2025 22:10:44 GMT", "Thu, 06 Mar 2025 22:09:44 GMT", 60),
    ("Thursday, 06-Mar-25 22:10:44 GMT", "Thu, 06 Mar 2025 22:09:44 GMT", 60),
    ("Thu Mar  6 22:10:44 2025", "Thu, 06 Mar 2025 22:09:44 GMT", 60),
    ("Thu, 06 Mar 2025 23:10:44 GMT", "Thu, 06 Mar 2025 23:09:44 GMT", 60),
    ("Thu, 06 Mar 2025 22:08:44 GMT", "Thu, 06 Mar 2025 22:09:44 GMT", 1),
    ("1000000000", None, 3600),
    ("-5", None, 1),
    ("soon", None, 1),
    (None, None, 1),
]


@pytest.mark.parametrize(("said", "date", "seconds"), SAYS)
async def test_every_way_to_say_when_is_read(timed: Line, said: str | None, date: str | None, seconds: int) -> None:
    limits(timed, (429, {k: v for k, v in (("Retry-After", said), ("Date", date)) if v is not None}))
    answer = await timed.call("GET", "/a", headers=THROTTLE)
    until = datetime.strptime(answer.headers["x-amp-retry-after"], "%a, %d %b %Y %H:%M:%S UTC").replace(tzinfo=UTC)
    assert until == START + timedelta(seconds=seconds)


OTHER_WAYS: list[tuple[str, int, dict[str, str], Any, int | None]] = [
    # provider, status, headers, body, and the wait in seconds (None: it is no such wish)
    ("salesforce", 403, {}, [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}], 1),
    ("salesforce", 403, {}, [{"errorCode": "INSUFFICIENT_ACCESS", "message": "no"}], None),
    ("hubspot", 429, {}, {"policyName": "TEN_SECONDLY_ROLLING", "errorType": "RATE_LIMIT", "message": "slow"}, 10),
    ("hubspot", 429, {"Content-Encoding": "gzip"}, {"policyName": "DAILY", "message": "slow"}, 3600),
    ("hubspot", 429, {}, {"message": "x" * 100_000, "policyName": "DAILY"}, 1),
    ("hubspot", 403, {}, {"category": "MISSING_SCOPES", "message": "no"}, None),
    ("sandbox", 429, {"Retry-After": "7"}, {}, 7),
    ("sandbox", 503, {"Retry-After": "7"}, {}, None),
]


@pytest.mark.parametrize(("provider", "status", "headers", "body", "seconds"), OTHER_WAYS)
async def test_a_wish_in_a_providers_own_words_is_heard_and_its_answer_passed_on_whole(
    hands: Hands, provider: str, status: int, *, headers: dict[str, str], body: Any, seconds: int | None
) -> None:
    packed = json.dumps(body).encode()
    packed = gzip.compress(packed) if "Content-Encoding" in headers else packed
    async with echoing() as echo, open_house(provider_urls={provider: echo.url}, clock=hands) as house:

        async def answer(_: web.Request) -> web.StreamResponse:
            return web.Response(status=status, headers=headers, body=packed)

        echo.answer = answer
        call = await _installed(house, provider)
        got, held = await call(), await call()
    assert got.status_code == status
    assert json.loads(got.content) == body
    if seconds is None:
        assert waits(got) == waits(held) == (status, None, None)
    else:
        at = (START + timedelta(seconds=seconds)).strftime("%a, %d %b %Y %H:%M:%S UTC")
        assert waits(got) == (status, at, "true")
        assert waits(held) == (429, at, "true")


async def _installed(house: House, provider: str) -> Any:
    await house.deploy(
        f"specVersion: 1.0.0\nintegrations:\n  - {{name: crm, provider: {provider}, proxy: {{enabled: true}}}}\n"
    )
    await house.services.store.create_connection(
        NewConnection(
            id="c1",
            project_id=house.project_id,
            provider=provider,
            group_ref="g1",
            consumer_ref="c1",
            auth_scheme="apiKey",
            status="working",
            now=START,
            credentials=build_credentials(ApiKeyCredentials(api_key=Secret(canary()))),
        )
    )
    await house.install(content={"provider": provider})
    names = {"project-id": house.project_id, "integration-name": "crm", "group-ref": "g1", "proxy-version": "1"}
    headers = {**house.headers, **{f"x-amp-{name}": value for name, value in names.items()}, **THROTTLE}
    return lambda: house.client.get("/proxy/a", headers=headers)
