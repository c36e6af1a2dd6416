"""A callback that comes once more: a reload is no failure, and learns nothing but that it is over."""

import re

import httpx
import pytest

from tests.oauth_servers.customers import Decision
from tests.server.connecting.desk import OURS, PROVIDER, Browser, Desk, asked, decided, tells, with_query
from tests.server.connecting.test_connecting import ON_EVERY_STORE
from tests.server.connecting.test_stepwise import CALLBACK, begun, handed_out

NAMES = {"groupName": "Umbrella", "consumerName": "Ann Example"}


def finished(page: httpx.Response) -> bool:
    """Whether a page says that it was finished; then it is told to nobody and names nobody."""
    said = "<h1>Finished already</h1>" in page.text
    if said:
        assert (page.status_code, tells(page), "set-cookie" in page.headers) == (400, False, False)
        assert "<script" not in page.text
        shown = re.sub(r"(?s)<style>.*?</style>|<[^>]+>", " ", page.text)
        for name in (*NAMES.values(), "g1", "c1", "Acme", "Sandbox", PROVIDER):
            assert name not in shown
    return said


async def returned(desk: Desk, decision: Decision = "allow") -> tuple[Browser, str]:
    """Go there and back; the browser, and the address it came back to."""
    await desk.registered()
    browser = desk.browser()
    back = await decided(await browser.set_out(await desk.link(**NAMES)), decision)
    assert tells(await browser.client.get(back))
    return browser, back


@ON_EVERY_STORE
async def test_a_reload_is_told_that_it_is_over(desk: Desk) -> None:
    browser, back = await returned(desk)
    connections = await desk.connections()
    for _ in range(2):
        assert finished(await browser.client.get(back))
    assert await desk.connections() == connections


async def test_a_denial_is_over_too_and_a_code_makes_nothing_of_it(desk: Desk) -> None:
    browser, back = await returned(desk, "deny")
    assert finished(await browser.client.get(back))
    assert finished(await browser.client.get(with_query(back, error=None, code="x")))
    assert await desk.connections() == []


async def test_whoever_has_the_state_learns_no_more_and_whoever_has_none_not_even_that(desk: Desk) -> None:
    _, back = await returned(desk)
    other = desk.browser()
    assert finished(await other.client.get(back))
    assert finished(await other.client.get(f"{desk.callback('hubspot')}?state={asked(back)['state']}"))
    for state in ("", "x", asked(back)["state"][:-1], asked(back)["state"].swapcase(), asked(back)["code"]):
        page = await other.client.get(with_query(back, state=state))
        assert (page.status_code, finished(page)) == (400, False)


async def test_after_ten_minutes_nobody_remembers(desk: Desk) -> None:
    browser, back = await returned(desk)
    desk.clock.pass_by(minutes=10, seconds=1)
    page = await browser.client.get(back)
    assert (page.status_code, finished(page)) == (400, False)
    assert "Start again in the product" in page.text


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_customer_in_steps_may_reload_too(desk: Desk, method: str) -> None:
    await desk.known_at_the_sandbox(f"{OURS}{CALLBACK}")
    browser = desk.browser()
    link, _ = await begun(desk, **NAMES)
    back = await handed_out(await browser.set_out(link))
    assert tells(await browser.client.get(back))
    form = asked(back) if method == "POST" else None
    assert finished(await browser.client.request(method, back, data=form))
    assert not finished(await desk.browser().client.get(back))
