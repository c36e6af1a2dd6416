"""Hostile cases, one a row: somebody wants an account, a code or a message that is not theirs. None gets it.

A case answers what the attack came to. After each: no page told of a connection, none was made, and the customer who
was attacked can still connect. ``T5`` to ``T7`` of the threat model, RFC 9700 and RFC 9207.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import msgspec
import pytest
from msgspec.structs import replace

from connectors.sandbox.connector import SandboxConnector
from connectors.sandbox.data import SANDBOX_OAUTH
from tests.server.connecting.answering import NAME, TOKENS, Answer, Answering, answered, answering
from tests.server.connecting.attacks import CASES, Scene, cookies_of
from tests.server.connecting.desk import CLIENT, PAGE, Browser, asked, decided, notice, open_desk, tells


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    async with open_desk() as desk:
        await desk.registered("sandboxOAuthCode")
        await desk.registered()
        await desk.known_at_the_sandbox(desk.callback(), desk.callback("sandboxOAuthCode"), "https://evil.test/cb")
        link = await desk.link()
        victim = desk.browser()
        address = await victim.set_out(link)
        back = await decided(address)
        yield Scene(desk=desk, victim=victim, attacker=desk.browser(), link=link, address=address, back=back)


@pytest.mark.parametrize(("attack", "status"), CASES, ids=[attack.__name__ for attack, _ in CASES])
async def test_an_attack_gets_nothing(
    scene: Scene, attack: Callable[[Scene], Awaitable[httpx.Response]], status: int
) -> None:
    answer = await attack(scene)
    assert answer.status_code == status, answer.text
    assert "AUTHORIZATION_SUCCEEDED" not in answer.text
    assert await scene.desk.connections() == []
    told = notice(await scene.victim.client.get(scene.back))["message"]["data"]["connection"]
    assert told["group"]["groupRef"] == "g1"
    assert [each["group"]["groupRef"] for each in await scene.desk.connections()] == ["g1"]


def test_there_are_cases_enough() -> None:
    assert len(CASES) + len(ANSWERS) + len(ORIGINS) >= 25 + 30


ANSWERS: dict[str, Answer] = {
    "a redirect": Answer(status=302, headers={"Location": "/elsewhere"}),
    "a redirect that keeps the form": Answer(status=307, headers={"Location": "/elsewhere"}),
    "a redirect for ever": Answer(status=308, headers={"Location": "http://169.254.169.254/latest"}),
    "HTML": Answer(headers={"Content-Type": "text/html"}, body=b"<html><script>alert(1)</script></html>"),
    "an error page": Answer(status=502, body=b"<h1>Bad gateway</h1>"),
    "nothing": Answer(body=b""),
    "null": Answer(body=b"null"),
    "a list": Answer(body=b"[1, 2, 3]"),
    "a text": Answer(body=b'"answered-access-token"'),
    "no token": Answer(body=b'{"token_type": "Bearer"}'),
    "an empty token": Answer(body=b'{"access_token": ""}'),
    "a number for a token": Answer(body=b'{"access_token": 5}'),
    "a line break in a token": Answer(body=b'{"access_token": "a\\r\\nX-Evil: 1"}'),
    "a NUL in a token": Answer(body=b'{"access_token": "a\\u0000b"}'),
    "a token that must be signed with": Answer(body=b'{"access_token": "a", "token_type": "DPoP"}'),
    "a megabyte of token": Answer(body=b'{"access_token": "' + b"a" * 1_000_000 + b'"}'),
    "twelve megabytes": Answer(body=b'{"x": "' + b"a" * 12_000_000 + b'"}'),
    "nested for ever": Answer(body=b"[" * 100_000),
    "broken JSON": Answer(body=b'{"access_token": "a"'),
    "broken UTF-8": Answer(body=b"\xff\xfe\x00"),
    "a dead code": Answer(status=400, body=b'{"error": "invalid_grant", "error_description": "answered-code is dead"}'),
    "an unknown client": Answer(status=401, body=b'{"error": "invalid_client"}'),
    "a refusal with a script": Answer(
        status=403, body=b'{"error": "nope", "error_description": "</script><script>alert(1)</script>"}'
    ),
    "too often": Answer(status=429, headers={"Retry-After": "5"}, body=b"{}"),
    "a fault": Answer(status=500, body=b'{"access_token": "answered-access-token"}'),
    "a success that is none": Answer(body=b'{"ok": false, "error": "invalid_code"}'),
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_a_hostile_token_endpoint_gets_nobody_connected_and_nothing_else(name: str) -> None:
    async with answering() as server, open_desk(connectors=[server.connector()]) as desk:
        server.answer = ANSWERS[name]
        told = await server.connected(desk)
        assert told["eventType"] == "AUTHORIZATION_FAILED"
        assert told["message"] == told["data"]["error"] != ""
        assert len(told["message"]) <= 600
        assert server.strayed == []
        assert len(server.asked) == 1
        for secret in ("answered-code", CLIENT["clientSecret"], server.asked[0]["code_verifier"], "answered-access"):
            assert secret not in told["message"]
        assert await desk.connections() == []
        server.answer = Answer()
        assert (await server.connected(desk))["provider"] == NAME


async def test_an_answer_for_another_provider_s_customer_is_not_used() -> None:
    """Mix-up: a hostile provider has its customers decide at an honest one, and wants to be sent the code."""
    async with answering() as server:
        hostile = replace(SANDBOX_OAUTH, name="hostile", base_url=server.origin)
        options = hostile.oauth2_opts
        assert isinstance(options, msgspec.Struct)
        async with open_desk() as honest:
            there = f"{honest.house.sandbox_url}/oauth/authorize"
            options = replace(options, auth_url=there, token_url=f"{server.origin}/token", issuer=server.origin)
            mixed = SandboxConnector(replace(hostile, oauth2_opts=options))
            async with open_desk(connectors=[mixed]) as desk:
                await desk.house.call("POST", "/provider-apps", json={"provider": "hostile", **CLIENT})
                await honest.known_at_the_sandbox(desk.callback("hostile"))
                browser = desk.browser()
                back = await decided(await browser.set_out(await desk.link(provider="hostile")))
                page = await browser.client.get(back)
        assert "does not come from" in notice(page)["message"]["message"]
        assert server.asked == []


ORIGINS: tuple[tuple[str | None, list[str]], ...] = (
    (PAGE, [PAGE]),
    ("https://evil.test", ["https://evil.test"]),
    ("*", ["*"]),
    ("null", ["*"]),
    ("", ["*"]),
    ("https://app.example.com,https://evil.test", ["*"]),
    ("https://app.example.com https://evil.test", ["*"]),
    ("javascript:alert(1)", ["*"]),
    (None, ["*"]),
)


@pytest.mark.parametrize(("origin", "targets"), ORIGINS)
async def test_only_the_page_that_asked_hears_more_than_that_it_is_over(
    scene: Scene, origin: str | None, targets: list[str]
) -> None:
    link = await scene.desk.link(origin=origin)
    browser = scene.desk.browser()
    opened = await browser.open(link, referer=None)
    pressed = await browser.press(link, opened)
    told = notice(await browser.client.get(await decided(pressed.headers["location"])))
    assert told["targets"] == targets
    assert told["message"]["eventType"] == "AUTHORIZATION_SUCCEEDED"
    assert ("connection" in told["message"]["data"]) is (targets != ["*"])


async def test_a_page_that_is_not_listed_gets_no_link(scene: Scene) -> None:
    await scene.desk.policy(allowedOrigins=[PAGE])
    browser_key = {"X-Api-Key": scene.desk.house.frontend_key}
    assert (await scene.desk.ask(origin="https://evil.test", credential=browser_key)).status_code == 403
    assert (await scene.desk.ask(origin=None, credential=browser_key)).status_code == 403
    assert (await scene.desk.ask(origin=PAGE, credential=browser_key)).status_code == 200


async def test_of_many_callbacks_at_once_one_is_believed_and_one_code_is_traded() -> None:
    async with answering() as server, open_desk(connectors=[server.connector()]) as desk:
        await desk.house.call("POST", "/provider-apps", json={"provider": NAME, **CLIENT})
        browser = desk.browser()
        back = answered(await browser.set_out(await desk.link(provider=NAME)))
        pages = await asyncio.gather(*(browser.client.get(back) for _ in range(20)))
        assert sum(tells(page) for page in pages) == 1
        assert len(server.asked) == 1
        assert len(await desk.connections()) == 1


async def test_nothing_that_opens_a_stage_is_stored_or_logged(scene: Scene, capfd: pytest.CaptureFixture[str]) -> None:
    await scene.victim.client.get(scene.back)
    await scene.attacker.client.get(scene.back)
    stored = str(vars(scene.desk.house.services.store)["sessions"])
    said = capfd.readouterr().err
    ((_, cookie),) = cookies_of(await fresh(scene))
    parts = [scene.link.rpartition("/")[2], asked(scene.back)["state"], asked(scene.back)["code"], cookie]
    for part in parts:
        assert part not in stored
        assert part not in said


async def fresh(scene: Scene) -> Browser:
    browser = scene.desk.browser()
    await browser.set_out(await scene.desk.link())
    return browser


def test_the_answers_of_these_tests_are_tokens() -> None:
    assert msgspec.json.decode(Answer().body) == TOKENS
    assert Answering("").asked == []
