"""Who may go through by a link: a window of the page that asked at once, anybody else after a question, no program."""

import re

import pytest

from tests.server.connecting.desk import OURS, PAGE, PROVIDER, Desk, decided, notice, open_desk
from tests.server.signing import register, token


@pytest.mark.parametrize(
    ("origin", "referer", "status"),
    [
        (PAGE, f"{PAGE}/", 302),
        (PAGE, f"{PAGE}/settings/integrations?tab=2", 302),
        (PAGE, PAGE, 302),
        (PAGE, None, 200),
        (PAGE, "https://mail.example.net/", 400),
        (PAGE, "https://app.example.com.evil.test/", 400),
        (PAGE, "https://evil.test/https://app.example.com/", 400),
        (PAGE, "https://app.example.com@evil.test/", 400),
        (PAGE, "http://app.example.com/", 400),
        (PAGE, "https://app.example.com:8443/", 400),
        (PAGE, "https://sub.app.example.com/", 400),
        (PAGE, "about:client", 400),
        (PAGE, "null", 400),
        ("http://localhost:3000", "http://localhost:3000/", 302),
        ("http://localhost:3000", "http://127.0.0.1:3000/", 400),
        (None, f"{PAGE}/", 200),
        (None, None, 200),
        ("null", f"{PAGE}/", 200),
        ("null", "null", 200),
        (f"{PAGE}/path", f"{PAGE}/", 302),
    ],
)
async def test_only_the_page_that_asked_goes_straight_through(
    desk: Desk, origin: str | None, referer: str | None, status: int
) -> None:
    await desk.registered()
    link = await desk.link(origin=origin)
    opened = await desk.browser().open(link, referer=referer)
    assert opened.status_code == status
    assert ("set-cookie" in opened.headers) is (status != 400)
    if status != 302:
        # Nothing was used up.
        assert (await desk.browser().open(link, referer=None)).status_code == 200


@pytest.mark.parametrize("reach", ["frontend", "token"])
@pytest.mark.parametrize("flow", [{}, {"flow": "strict"}], ids=["published", "strict"])
async def test_a_page_that_nobody_has_listed_does_not_go_straight_through(
    desk: Desk, reach: str, flow: dict[str, str]
) -> None:
    """The key is in everybody's browser, and every customer has a token: a page of theirs could send visitors on, whose
    accounts would be connected for their group; where the provider knows the product already, without a word.
    """  # noqa: D205
    await desk.registered()
    signed = {"Authorization": f"Bearer {token(await register(desk.house))}"}
    credential = {"X-Api-Key": desk.house.frontend_key} if reach == "frontend" else signed
    evil, visitor = "https://evil.test", desk.browser()
    link = await desk.link(origin=evil, credential=credential, **flow)
    page = await visitor.open(link, referer=f"{evil}/")
    assert (page.status_code, "Continue only if you started this yourself" in page.text) == (200, True)
    assert (await desk.browser().open(link, referer=f"{PAGE}/")).status_code == 400
    assert (await visitor.press(link, page)).status_code == 302

    await desk.policy(allowedOrigins=[PAGE])
    assert (await desk.ask(origin=evil, credential=credential)).status_code == 403
    assert (await desk.browser().open(await desk.link(credential=credential))).status_code == 302


FRAME = f"{OURS}/embed/acme/crm?groupRef=g1"
"""Our page for iframes, which works inside listed pages alone (`tests/server/api/test_embed.py`)."""


@pytest.mark.parametrize("flow", [{}, {"flow": "strict"}], ids=["published", "strict"])
async def test_our_own_page_goes_straight_through_where_pages_are_listed_that_may_frame_it(
    desk: Desk, flow: dict[str, str]
) -> None:
    await desk.registered()
    signed = {"Authorization": f"Bearer {token(await register(desk.house))}"}
    unlisted = await desk.link(origin=OURS, credential=signed, **flow)
    assert (await desk.browser().open(unlisted, referer=FRAME)).status_code == 200

    await desk.policy(allowedOrigins=[PAGE])
    link = await desk.link(origin=OURS, credential=signed, **flow)
    for referer, status in (
        (None, 200),
        (f"{PAGE}/", 400),
        (f"{OURS}.evil.test/", 400),
        ("https://isthmus.test/", 400),
    ):
        assert (await desk.browser().open(link, referer=referer)).status_code == status
    assert (await desk.browser().open(link, referer=FRAME)).status_code == 302
    frontend = {"X-Api-Key": desk.house.frontend_key}
    assert (await desk.ask(origin=OURS, credential=frontend, **flow)).status_code == 403


async def test_our_own_page_is_told_how_it_ended_and_no_other(desk: Desk) -> None:
    await desk.registered()
    await desk.policy(allowedOrigins=[PAGE])
    signed = {"Authorization": f"Bearer {token(await register(desk.house))}"}
    browser = desk.browser()
    opened = await browser.open(await desk.link(origin=OURS, credential=signed), referer=FRAME)
    ended = notice(await browser.client.get(await decided(opened.headers["location"])))
    assert (ended["targets"], ended["message"]["eventType"]) == ([OURS], "AUTHORIZATION_SUCCEEDED")


async def test_the_question_names_product_provider_and_group(desk: Desk) -> None:
    await desk.registered()
    page = await desk.browser().open(await desk.link(origin=None, groupName="Acme & Sons"), referer=None)
    text = re.sub(r"<[^>]+>", "", page.text)
    for said in (
        "Acme asks for access to your Sandbox CRM (OAuth) account",
        "Acme &amp; Sons",
        "started this yourself",
    ):
        assert said in text
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"


async def test_a_question_is_asked_as_often_as_it_is_opened_and_the_button_works_once(desk: Desk) -> None:
    await desk.registered()
    link = await desk.link(origin=None)
    for _ in range(3):
        assert (await desk.browser().open(link, referer=None)).status_code == 200
    browser = desk.browser()
    page = await browser.open(link, referer=None)
    assert (await browser.press(link, page)).status_code == 302
    assert (await browser.press(link, page)).status_code == 400
    assert (await browser.open(link, referer=None)).status_code == 400


async def test_the_button_must_be_pressed_on_our_page_in_the_same_browser(desk: Desk) -> None:
    await desk.registered()
    link = await desk.link(origin=None)
    browser, other = desk.browser(), desk.browser()
    page = await browser.open(link, referer=None)
    await other.open(link, referer=None)
    assert (await desk.browser().press(link, page)).status_code == 400
    assert (await other.press(link, page)).status_code == 400
    assert (await browser.press(link, page, sec_fetch_site="cross-site")).status_code == 400
    assert (await browser.client.post(link, data={"confirmation": ""})).status_code == 400
    assert (await browser.client.post(link, data={"other": "x"})).status_code == 400
    assert (await browser.client.post(link, json={"confirmation": "x"})).status_code == 415
    twice = b"confirmation=a&confirmation=b"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await browser.client.post(link, content=twice, headers=form)).status_code == 400
    assert (await browser.press(link, page, sec_fetch_site="same-origin")).status_code == 302


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_dest": "iframe"},
        {"sec_fetch_dest": "image"},
        {"sec_fetch_dest": "empty"},
        {"sec_purpose": "prefetch"},
        {"sec_purpose": "prefetch;prerender"},
        {"purpose": "prefetch"},
    ],
    ids=str,
)
async def test_a_program_uses_no_link_up(desk: Desk, headers: dict[str, str]) -> None:
    await desk.registered()
    link, browser = await desk.link(), desk.browser()
    assert (await browser.open(link, **headers)).status_code == 400
    assert (await browser.client.head(link)).status_code == 405
    assert (await browser.open(link, sec_fetch_dest="document")).status_code == 302


@pytest.mark.parametrize(
    ("public_url", "cookie"),
    [
        (OURS, r"isthmus-connect-[0-9a-f]{12}=[\w-]{43}; Max-Age=600; Path=/; HttpOnly; SameSite=Lax"),
        (
            "https://isthmus.test",
            r"__Host-isthmus-connect-[0-9a-f]{12}=[\w-]{43}; Max-Age=600; Path=/; HttpOnly; SameSite=Lax; Secure",
        ),
    ],
)
async def test_the_cookie_is_as_narrow_as_the_browser_lets_it_be(public_url: str, cookie: str) -> None:
    async with open_desk(public_url=public_url) as desk:
        await desk.house.call(
            "POST", "/provider-apps", json={"provider": PROVIDER, "clientId": "x", "clientSecret": "y"}
        )
        link = await desk.link()
        straight = await desk.browser().open(link.replace(public_url, OURS))
        assert re.fullmatch(cookie, straight.headers["set-cookie"])
        assert straight.headers["location"].count(public_url.replace("://", "%3A%2F%2F")) == 1
        assert (straight.headers["cache-control"], straight.headers["referrer-policy"]) == ("no-store", "no-referrer")
        asked = await desk.browser().open((await desk.link()).replace(public_url, OURS), referer=None)
        assert re.fullmatch(cookie, asked.headers["set-cookie"])


async def test_the_cookie_goes_with_the_flow(desk: Desk) -> None:
    await desk.registered()
    browser = desk.browser()
    back = await decided(await browser.set_out(await desk.link()))
    assert len(browser.client.cookies) == 1
    assert notice(await browser.client.get(back))
    assert len(browser.client.cookies) == 0


async def test_a_link_whose_application_is_gone_says_so(desk: Desk) -> None:
    app_id = await desk.registered()
    link = await desk.link()
    await desk.house.call("DELETE", f"/provider-apps/{app_id}")
    page = await desk.browser().open(link)
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
