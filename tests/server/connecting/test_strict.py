"""The strict flow: a consent is nothing until the page that asked has finished, with a token for the very person."""

from typing import Any

import httpx
import pytest

from tests.conftest import Published
from tests.server.api.town import neighbour
from tests.server.connecting.answering import NAME, Answering, answered, answering
from tests.server.connecting.desk import CLIENT, PAGE, PERSON, Desk, decided, notice, open_desk
from tests.server.connecting.test_connecting import ON_EVERY_STORE
from tests.server.signing import bearer, register, token


async def returned(desk: Desk, *, known: int = 0, **body: Any) -> str:
    """Come back from the provider in a strict flow, with connections ``known`` before; the completion code."""
    browser = desk.browser()
    page = await browser.client.get(await decided(await browser.set_out(await desk.link(flow="strict", **body))))
    told = notice(page)
    assert told["targets"] == [PAGE]
    assert told["message"]["eventType"] == "AUTHORIZATION_PENDING"
    assert list(told["message"]["data"]) == ["completionCode"]
    assert len(await desk.connections()) == known
    return str(told["message"]["data"]["completionCode"])


async def complete(desk: Desk, code: str, *, credential: Any = None, **body: Any) -> httpx.Response:
    asked = {"projectIdOrName": desk.house.project_id, "completionCode": code, **body}
    headers = credential or desk.house.headers
    return await desk.house.client.post("/v1/oauth-connect:complete", json=asked, headers=headers)


@ON_EVERY_STORE
async def test_the_page_that_asked_finishes_for_its_person(desk: Desk, published: Published) -> None:
    await desk.registered()
    holder = bearer(token(await register(desk.house)))
    code = await returned(desk, credential=holder)
    answer = await complete(desk, code, credential=holder)
    assert answer.status_code == 201, answer.text
    assert published.errors("api.bundled", "Connection", answer.json()) == []
    assert await desk.connections() == [answer.json()]
    assert (await complete(desk, code, credential=holder)).status_code == 422
    again = await complete(desk, await returned_again(desk), credential=holder)
    assert (again.status_code, again.json()["id"]) == (200, answer.json()["id"])


async def returned_again(desk: Desk) -> str:
    browser = desk.browser()
    page = await browser.client.get(await decided(await browser.set_out(await desk.link(flow="strict"))))
    return str(notice(page)["message"]["data"]["completionCode"])


async def test_a_project_may_demand_it_of_everybody_who_asks(desk: Desk) -> None:
    await desk.registered()
    connection = await desk.connected(consumerRef="c0")
    update = f"/connections/{connection['id']}:oauth-update"
    await desk.policy(strictConnect=True, allowedOrigins=[PAGE])
    holder = bearer(token(await register(desk.house)))
    for answer in (
        await desk.ask(),
        await desk.ask(origin=None, returnUrl=f"{PAGE}/done"),
        await desk.ask(credential=holder),
        await desk.ask(credential={"X-Api-Key": desk.house.frontend_key, "X-Amp-Client": "react"}),
        await desk.house.call("PATCH", update),
        await desk.house.call("PATCH", update, json={}),
    ):
        problem = answer.json()
        assert answer.status_code == 422, problem
        assert [(issue["name"], issue["code"]) for issue in problem["issues"]] == [("flow", "strict-only")]
        assert '"flow": "strict"' in problem["remedy"]
    code = await returned(desk, credential=holder, known=1)
    assert (await complete(desk, code, **PERSON)).status_code == 201
    asked_again = await desk.house.call("PATCH", update, json={"flow": "strict"})
    assert asked_again.status_code == 200


async def test_in_steps_too_a_key_that_stands_for_nobody_finishes_nothing_then(desk: Desk) -> None:
    nobody = {"X-Api-Key": desk.house.frontend_key}
    body = {"projectIdOrName": "acme", "provider": "sandboxSteps", "customAuth": {}, **PERSON}
    started = await desk.house.client.post("/v1/custom-auth/connect", headers=nobody, json=body)
    assert started.status_code == 200
    await desk.policy(strictConnect=True)
    go_on = {"projectIdOrName": "acme", "sessionId": started.json()["redirect"]["sessionId"]}
    holder = bearer(token(await register(desk.house)))
    for credential, members, status in ((nobody, body, 403), (nobody, go_on, 403), (holder, body, 200)):
        answer = await desk.house.client.post("/v1/custom-auth/connect", headers=credential, json=members)
        assert answer.status_code == status, answer.text


async def test_the_provider_is_asked_for_nothing_before_the_end() -> None:
    async with answering() as server, open_desk(connectors=[server.connector()]) as desk:
        code = await _answered(desk, server)
        assert server.asked == []
        assert (await complete(desk, code)).status_code == 201
        assert [form["code"] for form in server.asked] == ["answered-code"]


async def _answered(desk: Desk, server: Answering) -> str:
    assert server.origin
    await desk.house.call("POST", "/provider-apps", json={"provider": NAME, **CLIENT})
    browser = desk.browser()
    page = await browser.client.get(answered(await browser.set_out(await desk.link(provider=NAME, flow="strict"))))
    return str(notice(page)["message"]["data"]["completionCode"])


@ON_EVERY_STORE
async def test_nobody_else_finishes_it(desk: Desk) -> None:
    await desk.registered()
    kid = await register(desk.house)
    rival = await neighbour(desk.house)
    code = await returned(desk)
    strangers: list[tuple[Any, dict[str, str], int]] = [
        (bearer(token(kid, groupRef="g2")), {}, 422),
        (bearer(token(kid, consumerRef="c2")), {}, 422),
        (bearer(token(kid, groupRef="c1", consumerRef="g1")), {}, 422),
        ({"X-Api-Key": desk.house.frontend_key}, {}, 403),
        ({"X-Api-Key": rival.key}, {"projectIdOrName": rival.project_id}, 422),
        ({"X-Api-Key": rival.key}, {}, 404),
        (desk.house.headers, {"groupRef": "g2"}, 422),
        (desk.house.headers, {"consumerRef": "c2"}, 422),
        (desk.house.headers, {"completionCode": code[:-1]}, 422),
        (desk.house.headers, {"completionCode": code.upper()}, 422),
        (desk.house.headers, {"completionCode": ""}, 400),
        ({"X-Api-Key": "none"}, {}, 401),
    ]
    refusals = []
    for credential, body, status in strangers:
        answer = await complete(desk, code, credential=credential, **body)
        assert answer.status_code == status, (credential, body, answer.text)
        refusals += [answer.json()["detail"]] if status == 422 else []
    assert len(set(refusals)) == 1
    assert await desk.connections() == []
    assert (await complete(desk, code, **PERSON)).status_code == 201


@ON_EVERY_STORE
async def test_a_completion_code_is_good_for_two_minutes(desk: Desk) -> None:
    await desk.registered()
    code = await returned(desk)
    desk.clock.pass_by(minutes=2, seconds=1)
    assert (await complete(desk, code)).status_code == 422
    assert await desk.connections() == []


async def test_a_completion_code_opens_nothing_else_and_nothing_else_is_one(desk: Desk) -> None:
    await desk.registered()
    browser = desk.browser()
    link = await desk.link(flow="strict")
    back = await decided(await browser.set_out(link))
    page = await browser.client.get(back)
    code = notice(page)["message"]["data"]["completionCode"]
    state = httpx.URL(back).params["state"]
    assert (await desk.browser().open(f"/connect/{code}")).status_code == 400
    assert (await browser.client.get(back.replace(state, code))).status_code == 400
    assert (await browser.client.get(back)).status_code == 400
    for other in (state, link.rpartition("/")[2], httpx.URL(back).params["code"]):
        assert (await complete(desk, other)).status_code == 422


async def test_a_code_the_provider_takes_back_is_told_and_spent() -> None:
    async with answering() as server, open_desk(connectors=[server.connector()]) as desk:
        code = await _answered(desk, server)
        server.answer = type(server.answer)(status=400, body=b'{"error": "invalid_grant"}')
        answer = await complete(desk, code)
        assert (answer.status_code, answer.json()["code"]) == (422, "provider-refused")
        assert "answered-code" not in answer.text
        server.answer = type(server.answer)()
        assert (await complete(desk, code)).status_code == 422
        assert await desk.connections() == []


async def test_a_window_without_an_opener_takes_the_code_to_a_listed_page_alone(desk: Desk) -> None:
    await desk.registered()
    await desk.policy(allowedOrigins=[PAGE])
    browser = desk.browser()
    link = await desk.link(flow="strict", returnUrl=f"{PAGE}/done")
    told = notice(await browser.client.get(await decided(await browser.set_out(link))))
    code = told["message"]["data"]["completionCode"]
    assert told["nextUrl"] == f"{PAGE}/done?completionCode={code}"
    refused = await desk.ask(flow="strict", returnUrl="https://evil.test/done")
    assert refused.json()["issues"][0]["code"] == "not-allowed"


async def test_a_server_s_strict_link_tells_listed_pages_and_never_everybody(desk: Desk) -> None:
    await desk.registered()
    await desk.policy(allowedOrigins=[PAGE])
    browser, link = desk.browser(), await desk.link(origin=None, flow="strict")
    pressed = await browser.press(link, await browser.open(link))
    told = notice(await browser.client.get(await decided(pressed.headers["location"])))
    assert told["targets"] == [PAGE]


@pytest.mark.parametrize("decision", ["deny"])
async def test_a_denial_is_told_at_once(desk: Desk, decision: Any) -> None:
    await desk.registered()
    browser = desk.browser()
    page = await browser.client.get(await decided(await browser.set_out(await desk.link(flow="strict")), decision))
    assert notice(page)["message"]["eventType"] == "AUTHORIZATION_FAILED"


async def test_an_update_may_be_strict_too(desk: Desk) -> None:
    await desk.registered()
    connection = await desk.connected()
    path = f"/connections/{connection['id']}:oauth-update"
    headers = {"Origin": PAGE}
    link = (await desk.house.call("PATCH", path, json={"flow": "strict"}, headers=headers)).text
    browser = desk.browser()
    page = await browser.client.get(await decided(await browser.set_out(link)))
    answer = await complete(desk, notice(page)["message"]["data"]["completionCode"])
    assert (answer.status_code, answer.json()["id"]) == (200, connection["id"])
