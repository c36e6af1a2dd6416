"""Custom schemes in steps: start, go to the provider's page, come back, and go on with what was brought."""

import re
from html import unescape
from typing import Any

import httpx
import pytest

from tests.conftest import Published
from tests.server.api.town import neighbour
from tests.server.connecting.desk import OURS, PAGE, PERSON, Browser, Desk, asked, notice, open_desk, tells, with_query
from tests.server.connecting.test_connecting import ON_EVERY_STORE
from tests.server.signing import bearer, register, token

CALLBACK = "/callbacks/v1/custom-auth/default"
STEPS = "sandboxSteps"


async def call(desk: Desk, *, origin: str | None = PAGE, credential: Any = None, **body: Any) -> httpx.Response:
    headers = {**(credential or desk.house.headers), **({"Origin": origin} if origin else {})}
    asked_for = {"projectIdOrName": desk.house.project_id, **body}
    return await desk.house.client.post("/v1/custom-auth/connect", json=asked_for, headers=headers)


async def begun(desk: Desk, **rest: Any) -> tuple[str, str]:
    """Start; the link and the session."""
    answer = await call(desk, provider=STEPS, customAuth={}, **{**PERSON, **rest})
    assert answer.status_code == 200, answer.text
    redirect = answer.json()["redirect"]
    return redirect["url"], redirect["sessionId"]


async def handed_out(address: str) -> str:
    """Have the sandbox hand out a key; where it sends the browser back to."""
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        page = await client.get(address)
        form = dict(re.findall(r'name="(\w+)" value="([^"]*)"', unescape(page.text)))
        answer = await client.post(address.partition("?")[0], data={**form, "workspace": "demo", "decision": "allow"})
    return answer.headers["location"]


async def brought(desk: Desk, **rest: Any) -> tuple[Browser, str, dict[str, str]]:
    """Go to the provider and come back; the browser, the session and what its page tells."""
    await desk.known_at_the_sandbox(f"{OURS}{CALLBACK}")
    link, session_id = await begun(desk, **rest)
    browser = desk.browser()
    page = await browser.client.get(await handed_out(await browser.set_out(link)))
    told = notice(page)
    assert (page.status_code, told["targets"]) == (200, [PAGE])
    assert told["message"]["source"] == "ampersand-custom-auth"
    return browser, session_id, told["message"]["params"]


@ON_EVERY_STORE
async def test_a_customer_connects_in_steps(desk: Desk, published: Published) -> None:
    _, session_id, parameters = await brought(desk)
    assert (parameters["sessionId"], parameters["workspace"]) == (session_id, "demo")
    assert await desk.connections() == []
    answer = await call(desk, sessionId=session_id, callbackParams=parameters)
    assert answer.status_code == 200, answer.text
    assert published.errors("api.bundled", "CustomAuthConnectResponse", answer.json()) == []
    connection = answer.json()["connection"]
    assert await desk.connections() == [connection]
    assert (connection["authScheme"], connection["status"]) == ("none", "working")
    assert (await call(desk, sessionId=session_id, callbackParams=parameters)).status_code == 422


async def test_the_same_customer_heals_what_they_had(desk: Desk) -> None:
    ids = set()
    for _ in range(2):
        _, session_id, parameters = await brought(desk)
        ids.add((await call(desk, sessionId=session_id, callbackParams=parameters)).json()["connection"]["id"])
    assert len(ids) == 1


async def test_a_form_that_comes_without_our_cookie_is_sent_once_more_by_our_own_page(desk: Desk) -> None:
    await desk.known_at_the_sandbox(f"{OURS}{CALLBACK}")
    link, session_id = await begun(desk)
    browser = desk.browser()
    parameters = asked(await handed_out(await browser.set_out(link)))
    # A browser leaves a cookie out that is Lax when another site posts.
    echo = await desk.browser().client.post(CALLBACK, data={**parameters, "odd": '"><b>'})
    assert not tells(echo)
    assert "form-action 'self'" in echo.headers["content-security-policy"]
    again = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', echo.text))
    page = await browser.client.post(CALLBACK, data={name: unescape(value) for name, value in again.items()})
    assert notice(page)["message"]["params"] == {**parameters, "odd": '"><b>'}
    body: dict[str, Any] = {"sessionId": session_id, "callbackParams": {**parameters, "odd": '"><b>'}}
    assert (await call(desk, **body)).status_code == 200
    lost = await desk.browser().client.post(CALLBACK, data={"isthmus-echoed": "1"})
    assert (lost.status_code, tells(lost)) == (400, False)


@pytest.mark.parametrize("session", [None, "", "another"])
async def test_a_page_that_sends_a_customer_back_with_an_account_of_its_own_changes_nothing(
    desk: Desk, session: str | None
) -> None:
    """Login CSRF: the customer's records would go to the account of whoever owns the page."""
    await desk.known_at_the_sandbox(f"{OURS}{CALLBACK}")
    link, session_id = await begun(desk)
    browser = desk.browser()
    back = await handed_out(await browser.set_out(link))
    theirs = with_query(back, secret="the-attackers-own-key", sessionId=session)
    refused = await browser.client.get(theirs, headers={"Referer": "https://evil.test/"})
    assert (refused.status_code, tells(refused)) == (400, False)
    parameters = notice(await browser.client.get(back))["message"]["params"]
    assert (await call(desk, sessionId=session_id, callbackParams=parameters)).status_code == 200


async def test_of_two_flows_in_one_browser_the_later_counts(desk: Desk) -> None:
    await desk.known_at_the_sandbox(f"{OURS}{CALLBACK}")
    browser = desk.browser()
    first, _ = await begun(desk)
    second, session_id = await begun(desk, groupRef="g2")
    await browser.set_out(first)
    page = await browser.client.get(await handed_out(await browser.set_out(second)))
    answer = await call(desk, sessionId=session_id, callbackParams=notice(page)["message"]["params"])
    assert answer.json()["connection"]["group"]["groupRef"] == "g2"


@ON_EVERY_STORE
async def test_nobody_else_and_nothing_else_finishes_it(desk: Desk) -> None:
    kid, rival = await register(desk.house), await neighbour(desk.house)
    browser, session_id, parameters = await brought(desk)
    good: dict[str, Any] = {"sessionId": session_id, "callbackParams": parameters}
    strangers: list[tuple[Any, dict[str, Any], int]] = [
        (bearer(token(kid, groupRef="g2")), {}, 422),
        (bearer(token(kid, consumerRef="c2")), {}, 422),
        ({"X-Api-Key": rival.key}, {"projectIdOrName": rival.project_id}, 422),
        ({"X-Api-Key": rival.key}, {}, 404),
        (None, {"sessionId": session_id[:-1]}, 422),
        (None, {"callbackParams": {**parameters, "secret": "another"}}, 422),
        (None, {"callbackParams": {**parameters, "more": "x"}}, 422),
        (None, {"callbackParams": {}}, 422),
        (None, {"callbackParams": {"secret": 5}}, 400),
    ]
    for credential, body, status in strangers:
        answer = await call(desk, credential=credential, **{**good, **body})
        assert answer.status_code == status, (body, answer.text)
        assert parameters["secret"] not in answer.text
    assert (await browser.client.get(CALLBACK, params=parameters)).status_code == 400
    assert await desk.connections() == []
    holder = bearer(token(kid))
    assert (await call(desk, credential=holder, **good)).status_code == 200


async def test_another_browser_brings_nothing_back(desk: Desk) -> None:
    await desk.known_at_the_sandbox(f"{OURS}{CALLBACK}")
    link, session_id = await begun(desk)
    browser, other = desk.browser(), desk.browser()
    back = await handed_out(await browser.set_out(link))
    assert (await other.client.get(back)).status_code == 400
    other.client.cookies.set("isthmus-connect-custom", f"{session_id}.guessed")
    page = await other.client.get(back)
    assert (page.status_code, tells(page)) == (400, False)
    early = await call(desk, sessionId=session_id, callbackParams=asked(back))
    assert early.json()["issues"][0]["code"] == "not-returned"
    assert tells(await browser.client.get(back))


async def test_too_late_is_too_late(desk: Desk) -> None:
    _, session_id, parameters = await brought(desk)
    desk.clock.pass_by(minutes=10, seconds=1)
    assert (await call(desk, sessionId=session_id, callbackParams=parameters)).status_code == 422


async def test_a_no_and_a_key_that_does_not_work_make_no_connection(desk: Desk) -> None:
    for parameters, code in (
        ({"error": "access_denied"}, "denied"),
        ({"workspace": "demo"}, "required"),
        ({"workspace": "demo", "secret": "wrong-secret", "region": "eu"}, "credentials-refused"),
    ):
        link, session_id = await begun(desk)
        browser = desk.browser()
        await browser.set_out(link)
        page = await browser.client.get(CALLBACK, params={**parameters, "sessionId": session_id})
        told = notice(page)["message"]["params"]
        answer = await call(desk, sessionId=session_id, callbackParams=told)
        assert (answer.status_code, answer.json()["issues"][0]["code"]) == (422, code)
        assert "wrong-secret" not in answer.text
    assert await desk.connections() == []


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        ({"error": "access_denied"}, "Access to Sandbox CRM (a page of its own) was not given."),
        (
            {"error": "denied", "error_description": "Ask your admin.", "workspace": "demo"},
            "Sandbox CRM (a page of its own) answered denied: Ask your admin.",
        ),
    ],
)
async def test_a_customer_who_was_refused_is_told_so_and_not_that_something_is_missing(
    desk: Desk, said: dict[str, str], cause: str
) -> None:
    link, session_id = await begun(desk)
    browser = desk.browser()
    await browser.set_out(link)
    page = await browser.client.get(CALLBACK, params={**said, "sessionId": session_id})
    told = notice(page)["message"]["params"]
    answer = await call(desk, sessionId=session_id, callbackParams=told)
    assert (answer.status_code, answer.json()["causes"]) == (422, [f"callbackParams: {cause}"])


async def test_where_no_page_is_known_nothing_is_told(desk: Desk) -> None:
    await desk.known_at_the_sandbox(f"{OURS}{CALLBACK}")
    link, _ = await begun(desk, origin=None)
    browser = desk.browser()
    pressed = await browser.press(link, await browser.open(link, referer=None))
    page = await browser.client.get(await handed_out(pressed.headers["location"]))
    assert (page.status_code, notice(page)["targets"]) == (200, [])


@pytest.mark.parametrize(
    ("body", "status", "named"),
    [
        ({}, 422, {"provider", "groupRef", "consumerRef"}),
        ({"provider": STEPS}, 422, {"groupRef", "consumerRef"}),
        ({"provider": "sandboxCustom", **PERSON}, 422, {"provider"}),
        ({"provider": "nothing", **PERSON}, 422, {"provider"}),
        ({"provider": STEPS, **PERSON, "customAuth": {"stray": "x"}}, 422, {"customAuth.stray"}),
        ({"provider": STEPS, **PERSON, "customAuth": {"stray": 5}}, 400, {"customAuth.stray"}),
    ],
    ids=str,
)
async def test_what_is_wrong_is_named(desk: Desk, body: dict[str, Any], status: int, named: set[str]) -> None:
    answer = await call(desk, **body)
    assert answer.status_code == status, answer.text
    assert {issue["name"] for issue in answer.json()["issues"]} == named


async def test_a_token_starts_for_its_own_person_alone() -> None:
    async with open_desk() as desk:
        holder = bearer(token(await register(desk.house)))
        answer = await call(desk, credential=holder, provider=STEPS, groupRef="g2", consumerRef="c1")
        assert answer.status_code == 403
