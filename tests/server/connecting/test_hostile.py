"""Hostile cases, one a row: somebody wants an account, a code or a message that is not theirs. None gets it.

A case answers what the attack came to. After each: no page told of a connection, none was made, and the customer who
was attacked can still connect. ``T5`` to ``T7`` of the threat model, RFC 9700 and RFC 9207.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import msgspec
import pytest
from msgspec.structs import replace

from connectors.sandbox.connector import SandboxConnector
from connectors.sandbox.data import SANDBOX_OAUTH
from tests.oauth_servers.customers import Stuck
from tests.server.api.town import neighbour
from tests.server.connecting.answering import NAME, TOKENS, Answer, Answering, answered, answering
from tests.server.connecting.desk import (
    CLIENT,
    OURS,
    PAGE,
    Browser,
    Desk,
    asked,
    decided,
    notice,
    open_desk,
    tells,
    with_query,
)


class Scene(msgspec.Struct, kw_only=True):
    """A customer on the way, and somebody who is up to something."""

    desk: Desk
    victim: Browser
    attacker: Browser
    link: str
    address: str
    """Where the victim was sent: the provider's page."""
    back: str
    """Where the provider sent the victim back to, which the victim has not opened yet."""


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


async def theirs(scene: Scene, **body: Any) -> tuple[str, str]:
    """The attacker's own flow: where they were sent, and where they were sent back to."""
    address = await scene.attacker.set_out(await scene.desk.link(groupRef="evil", consumerRef="evil", **body))
    return address, await decided(address)


def cookies_of(browser: Browser) -> list[tuple[str, str]]:
    return [(cookie.name, cookie.value or "") for cookie in browser.client.cookies.jar]


async def no_cookie(scene: Scene) -> httpx.Response:
    return await scene.attacker.client.get(scene.back)


async def another_flow_s_cookie(scene: Scene) -> httpx.Response:
    await theirs(scene)
    return await scene.attacker.client.get(scene.back)


async def another_value_under_the_right_name(scene: Scene) -> httpx.Response:
    await theirs(scene)
    ((name, _),) = cookies_of(scene.victim)
    ((_, value),) = cookies_of(scene.attacker)
    scene.attacker.client.cookies.set(name, value)
    return await scene.attacker.client.get(scene.back)


async def an_empty_cookie(scene: Scene) -> httpx.Response:
    ((name, _),) = cookies_of(scene.victim)
    return await scene.attacker.client.get(scene.back, headers={"Cookie": f"{name}="})


async def the_state_as_cookie(scene: Scene) -> httpx.Response:
    ((name, _),) = cookies_of(scene.victim)
    scene.attacker.client.cookies.set(name, asked(scene.back)["state"])
    return await scene.attacker.client.get(scene.back)


async def a_guessed_state(scene: Scene) -> httpx.Response:
    state = asked(scene.back)["state"]
    return await scene.victim.client.get(with_query(scene.back, state=state[:-1] + ("A" if state[-1] != "A" else "B")))


async def no_state(scene: Scene) -> httpx.Response:
    return await scene.victim.client.get(with_query(scene.back, state=None))


async def an_empty_state(scene: Scene) -> httpx.Response:
    return await scene.victim.client.get(with_query(scene.back, state=""))


async def the_state_twice(scene: Scene) -> httpx.Response:
    return await scene.victim.client.get(f"{scene.back}&state=x")


async def the_code_twice(scene: Scene) -> httpx.Response:
    return await scene.victim.client.get(f"{scene.back}&code=x")


async def a_state_of_digest_length(scene: Scene) -> httpx.Response:
    return await scene.victim.client.get(with_query(scene.back, state="\x01" * 32))


async def the_ticket_as_state(scene: Scene) -> httpx.Response:
    return await scene.victim.client.get(with_query(scene.back, state=scene.link.rpartition("/")[2]))


async def the_state_as_ticket(scene: Scene) -> httpx.Response:
    return await scene.attacker.open(f"{OURS}/connect/{asked(scene.back)['state']}")


async def a_used_link(scene: Scene) -> httpx.Response:
    return await scene.attacker.open(scene.link)


async def a_used_link_in_the_same_browser(scene: Scene) -> httpx.Response:
    return await scene.victim.open(scene.link)


async def the_attacker_s_code_for_the_victim_s_state(scene: Scene) -> httpx.Response:
    _, back = await theirs(scene)
    answer = await scene.victim.client.get(with_query(scene.back, code=asked(back)["code"]))
    await restart(scene)
    return answer


async def the_victim_s_code_for_the_attacker_s_state(scene: Scene) -> httpx.Response:
    _, back = await theirs(scene)
    return await scene.attacker.client.get(with_query(back, code=asked(scene.back)["code"]))


async def the_attacker_s_whole_answer_in_the_victim_s_browser(scene: Scene) -> httpx.Response:
    _, back = await theirs(scene)
    return await scene.victim.client.get(back)


async def a_code_asked_without_a_challenge(scene: Scene) -> httpx.Response:
    """PKCE downgrade: the challenge is cut out of the address on its way."""
    address = with_query(scene.address, code_challenge=None, code_challenge_method=None)
    answer = await scene.victim.client.get(await decided(address))
    await restart(scene)
    return answer


async def a_code_asked_with_the_attacker_s_challenge(scene: Scene) -> httpx.Response:
    address, _ = await theirs(scene)
    answer = await scene.victim.client.get(
        await decided(with_query(scene.address, code_challenge=asked(address)["code_challenge"]))
    )
    await restart(scene)
    return answer


async def a_code_asked_for_another_address(scene: Scene) -> httpx.Response:
    """The code was given for the attacker's redirect URI, and is carried to ours."""
    stolen = await decided(with_query(scene.address, redirect_uri="https://evil.test/cb"))
    answer = await scene.victim.client.get(with_query(scene.back, code=asked(stolen)["code"]))
    await restart(scene)
    return answer


async def an_unregistered_address(scene: Scene) -> httpx.Response:
    try:
        await decided(with_query(scene.address, redirect_uri=f"{scene.desk.callback()}/../../evil"))
    except Stuck as refusal:
        return refusal.page
    raise AssertionError("the provider redirected")


async def another_provider_s_callback(scene: Scene) -> httpx.Response:
    answer = await scene.victim.client.get(scene.back.replace("/sandboxOAuth?", "/sandboxOAuthCode?"))
    await restart(scene)
    return answer


async def another_project_s_callback(scene: Scene) -> httpx.Response:
    rival = await neighbour(scene.desk.house)
    answer = await scene.victim.client.get(scene.back.replace(scene.desk.house.project_id, rival.project_id))
    await restart(scene)
    return answer


async def a_callback_by_the_project_s_name(scene: Scene) -> httpx.Response:
    answer = await scene.victim.client.get(scene.back.replace(scene.desk.house.project_id, "acme"))
    await restart(scene)
    return answer


async def a_callback_in_other_letters(scene: Scene) -> httpx.Response:
    answer = await scene.victim.client.get(scene.back.replace("/sandboxOAuth?", "/SANDBOXOAUTH?"))
    await restart(scene)
    return answer


async def a_callback_with_a_slash_inside(scene: Scene) -> httpx.Response:
    answer = await scene.victim.client.get(scene.back.replace("/sandboxOAuth?", "/x%2F..%2FsandboxOAuth?"))
    await restart(scene)
    return answer


async def another_issuer(scene: Scene) -> httpx.Response:
    answer = await scene.victim.client.get(with_query(scene.back, iss="https://evil.test"))
    await restart(scene)
    return answer


async def an_issuer_with_a_slash_more(scene: Scene) -> httpx.Response:
    answer = await scene.victim.client.get(with_query(scene.back, iss=f"{scene.desk.house.sandbox_url}/"))
    await restart(scene)
    return answer


async def no_issuer(scene: Scene) -> httpx.Response:
    answer = await scene.victim.client.get(with_query(scene.back, iss=None))
    await restart(scene)
    return answer


async def an_error_beside_a_code(scene: Scene) -> httpx.Response:
    answer = await scene.victim.client.get(with_query(scene.back, error="access_denied"))
    await restart(scene)
    return answer


async def an_error_for_somebody_else_s_state(scene: Scene) -> httpx.Response:
    """Nobody can spoil a flow by its state alone: the victim's stays good."""
    return await scene.attacker.client.get(with_query(scene.back, code=None, error="access_denied"))


async def neither_code_nor_error(scene: Scene) -> httpx.Response:
    answer = await scene.victim.client.get(with_query(scene.back, code=None))
    await restart(scene)
    return answer


async def too_late(scene: Scene) -> httpx.Response:
    scene.desk.clock.pass_by(minutes=10, seconds=1)
    answer = await scene.victim.client.get(scene.back)
    await restart(scene)
    return answer


async def a_link_too_late(scene: Scene) -> httpx.Response:
    link = await scene.desk.link()
    scene.desk.clock.pass_by(minutes=10, seconds=1)
    answer = await scene.attacker.open(link)
    await restart(scene)
    return answer


async def a_callback_in_a_frame(scene: Scene) -> httpx.Response:
    return await scene.victim.client.get(scene.back, headers={"Sec-Fetch-Dest": "iframe"})


async def a_callback_by_form(scene: Scene) -> httpx.Response:
    return await scene.victim.client.post(scene.back.partition("?")[0], data=asked(scene.back))


async def the_stepwise_callback_with_a_state(scene: Scene) -> httpx.Response:
    scene.victim.client.cookies.set("isthmus-connect-custom", f"{asked(scene.back)['state']}.x")
    return await scene.victim.client.get(f"{OURS}/callbacks/v1/custom-auth/default", params=asked(scene.back))


async def a_forwarded_link_from_a_page(scene: Scene) -> httpx.Response:
    """Session fixation: the attacker's link is put on a page that the victim visits."""
    link = await scene.desk.link(groupRef="evil", consumerRef="evil")
    return await scene.victim.open(link, referer="https://evil.test/")


async def a_forwarded_link_in_a_mail(scene: Scene) -> httpx.Response:
    link = await scene.desk.link(groupRef="evil", consumerRef="evil")
    answer = await scene.victim.open(link, referer=None)
    assert "evil" in answer.text
    assert re.search("Continue only if you started this yourself", answer.text)
    return answer


async def a_forwarded_link_fetched_by_a_page(scene: Scene) -> httpx.Response:
    link = await scene.desk.link(groupRef="evil", consumerRef="evil")
    return await scene.victim.open(link, sec_fetch_dest="empty", sec_fetch_mode="cors")


async def a_button_pressed_by_another_page(scene: Scene) -> httpx.Response:
    link = await scene.desk.link(groupRef="evil", consumerRef="evil")
    page = await scene.attacker.open(link, referer=None)
    return await scene.victim.press(link, page)


async def a_forwarded_provider_address(scene: Scene) -> httpx.Response:
    """The attacker set out, and has the victim decide at the provider: the victim's browser comes back."""
    address, _ = await theirs(scene)
    return await scene.victim.client.get(await decided(address))


CASES: tuple[tuple[Callable[[Scene], Awaitable[httpx.Response]], int], ...] = (
    (no_cookie, 400),
    (another_flow_s_cookie, 400),
    (another_value_under_the_right_name, 400),
    (an_empty_cookie, 400),
    (the_state_as_cookie, 400),
    (a_guessed_state, 400),
    (no_state, 400),
    (an_empty_state, 400),
    (the_state_twice, 400),
    (the_code_twice, 400),
    (a_state_of_digest_length, 400),
    (the_ticket_as_state, 400),
    (the_state_as_ticket, 400),
    (a_used_link, 400),
    (a_used_link_in_the_same_browser, 400),
    (the_attacker_s_code_for_the_victim_s_state, 400),
    (the_victim_s_code_for_the_attacker_s_state, 400),
    (the_attacker_s_whole_answer_in_the_victim_s_browser, 400),
    (a_code_asked_without_a_challenge, 400),
    (a_code_asked_with_the_attacker_s_challenge, 400),
    (a_code_asked_for_another_address, 400),
    (an_unregistered_address, 400),
    (another_provider_s_callback, 400),
    (another_project_s_callback, 400),
    (a_callback_by_the_project_s_name, 400),
    (a_callback_in_other_letters, 400),
    (a_callback_with_a_slash_inside, 400),
    (another_issuer, 400),
    (an_issuer_with_a_slash_more, 400),
    (no_issuer, 400),
    (an_error_beside_a_code, 400),
    (an_error_for_somebody_else_s_state, 400),
    (neither_code_nor_error, 400),
    (too_late, 400),
    (a_link_too_late, 400),
    (a_callback_in_a_frame, 400),
    (a_callback_by_form, 405),
    (the_stepwise_callback_with_a_state, 400),
    (a_forwarded_link_from_a_page, 400),
    (a_forwarded_link_in_a_mail, 200),
    (a_forwarded_link_fetched_by_a_page, 400),
    (a_button_pressed_by_another_page, 400),
    (a_forwarded_provider_address, 400),
)
"""The attack, and the status of what it came to."""


async def restart(scene: Scene) -> None:
    """Let the victim set out again, where the attack cost them their consent."""
    assert await scene.desk.connections() == []
    again = await scene.victim.client.get(scene.back)
    assert (again.status_code, tells(again)) == (400, False)
    scene.back = await decided(await scene.victim.set_out(await scene.desk.link()))


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
