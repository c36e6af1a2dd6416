"""The page for iframes in a real browser: inside the product's page it works, and nowhere else."""

from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.async_api import BrowserContext, Error, Frame, Page

from installations.installation import AccessPolicy
from tests.browser.payloads import PAYLOADS
from tests.browser.stage import CONSUMER, GROUP, Stage, photograph, product
from tests.browser.test_payloads import Watch

pytestmark = pytest.mark.asyncio(loop_scope="session")

MANIFEST = """
specVersion: 1.0.0
integrations:
  - name: crm
    provider: sandboxOAuth
    write:
      objects:
        - objectName: contacts
"""
NAMED = {
    "groupName": "group-name",
    "consumerName": "consumer-name",
    "theme": "theme",
    "lang": "",
    "dir": "",
    "more": "",
}
"""What else an address may say, and the attribute that it becomes."""
ALONE = ["isthmus-install"]
"""What stands in the page."""
FRAME_IT = """
([url, token]) => new Promise((resolve) => {
  window.heard = [];
  const frame = Object.assign(document.createElement('iframe'), { src: url, title: 'Integration' });
  frame.style.inlineSize = '600px';
  frame.style.blockSize = '600px';
  window.addEventListener('message', (event) => {
    if (event.source !== frame.contentWindow) return;
    window.heard.push({ origin: event.origin, ...event.data });
    if (event.data.type === 'isthmus:token-wanted' && token) {
      frame.contentWindow.postMessage({ type: 'isthmus:token', token }, event.origin);
    }
  });
  frame.addEventListener('load', resolve);
  document.body.append(frame);
})
"""
"""What a product's page does; without a token it keeps silent."""


async def issued(stage: Stage) -> str:
    body = {"groupRef": GROUP, "consumerRef": CONSUMER}
    answer = await stage.house.call("POST", "/session-tokens", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["token"])


def address(stage: Stage, *, token: str = "", integration: str = "crm") -> str:
    query = f"groupRef={GROUP}&groupName=Acme+Ltd&consumerRef={CONSUMER}&theme=dark&lang=en"
    return f"{stage.origin}/embed/{stage.house.project_id}/{integration}?{query}" + (f"#token={token}" if token else "")


async def complaints(page: Page) -> list[str]:
    """Collect what the browser says of policies."""
    found: list[str] = []
    page.on("console", lambda said: found.append(said.text) if "olicy" in said.text or "Trusted" in said.text else None)
    return found


async def framed(page: Page, url: str, *, token: str = "") -> Frame:
    """Put the page into the product's; its frame."""
    await page.evaluate(FRAME_IT, [url, token])
    return page.main_frame.child_frames[-1]


async def heard(page: Page, kind: str) -> Any:
    """Wait until the product's page was told of something; what it was told."""
    await page.wait_for_function("kind => window.heard.some((message) => message.type === kind)", arg=kind)
    return await page.evaluate("kind => window.heard.filter((message) => message.type === kind).at(-1)", kind)


async def opened(stage: Stage, context: BrowserContext) -> Page:
    page = await context.new_page()
    await page.goto(stage.product_url)
    return page


async def test_a_customer_connects_and_installs_inside_the_product_s_page(
    stage: Stage, context: BrowserContext
) -> None:
    site = await stage.prepare("sandboxOAuth")
    await stage.house.deploy(MANIFEST)
    page = await opened(stage, context)
    wrong = await complaints(page)
    frame = await framed(page, address(stage), token=await issued(stage))
    button = frame.get_by_role("button", name="Connect Sandbox CRM (OAuth)")
    await button.wait_for()
    # It is told with every change, from what stands there first.
    await page.wait_for_function("window.heard.some(({ type, height }) => type === 'isthmus:height' && height > 50)")
    await photograph(page, "embedded")
    async with page.expect_popup() as popup:
        await button.click()
    # Our own page inside a listed one is known: the window goes straight on, and nobody is asked twice.
    consent = await popup.value
    await site.arrive(consent)
    async with consent.expect_event("close"):
        await site.decide(consent, "allow")
    told = await heard(page, "isthmus:connected")
    ((connection),) = await stage.connections()
    assert told["detail"]["connection"]["id"] == connection["id"]
    assert told["origin"] == stage.origin
    assert (connection["group"]["groupRef"], connection["group"]["groupName"]) == (GROUP, "Acme Ltd")
    await frame.get_by_role("button", name="Install", exact=True).click()
    installation = (await heard(page, "isthmus:installed"))["detail"]["installation"]
    assert installation["group"]["groupRef"] == GROUP
    assert await frame.evaluate("document.documentElement.dataset.theme") == "dark"
    assert await context.cookies(stage.origin) == []
    assert wrong == []


async def test_a_token_in_the_fragment_is_used_and_leaves_no_trace(stage: Stage, context: BrowserContext) -> None:
    await stage.house.deploy(MANIFEST)
    token = await issued(stage)
    page = await opened(stage, context)
    sent: list[str] = []
    context.on("request", lambda request: sent.append(request.url + str(request.headers.get("referer"))))
    frame = await framed(page, address(stage, token=token))
    await frame.get_by_role("button", name="Connect Sandbox CRM (OAuth)").wait_for()
    assert await frame.evaluate("location.hash") == ""
    assert token not in await frame.evaluate("document.URL")
    assert not any(token in each for each in sent)
    assert "isthmus:token-wanted" not in await page.evaluate("window.heard.map((message) => message.type)")


async def test_a_token_that_is_refused_is_asked_for_anew(stage: Stage, context: BrowserContext) -> None:
    await stage.house.deploy(MANIFEST)
    old = await issued(stage)
    for key in (await stage.house.call("GET", "/jwt-keys")).json():
        await stage.house.call("DELETE", f"/jwt-keys/{key['id']}")
    page = await opened(stage, context)
    frame = await framed(page, address(stage, token=old), token=await issued(stage))
    await frame.get_by_role("button", name="Connect Sandbox CRM (OAuth)").wait_for()
    assert (await heard(page, "isthmus:token-wanted"))["origin"] == stage.origin
    # A page hands a new one over whenever it likes, also by the address of the frame, which does not load again for it.
    later = await issued(stage)
    await page.evaluate("url => { document.querySelector('iframe').src = url }", address(stage, token=later))
    await frame.wait_for_function(
        "token => document.querySelector('isthmus-install').token === token && !location.hash", arg=later
    )


async def test_a_strict_project_s_customer_connects_in_the_frame(stage: Stage, context: BrowserContext) -> None:
    site = await stage.prepare("sandboxOAuth")
    await stage.house.deploy(MANIFEST)
    await stage.let_in(strict_connect=True, require_jwt=True)
    stage.house.services.changes.announce()
    page = await opened(stage, context)
    frame = await framed(page, address(stage), token=await issued(stage))
    async with page.expect_popup() as popup:
        await frame.get_by_role("button", name="Connect Sandbox CRM (OAuth)").click()
    await site.decide(await popup.value, "allow")
    told = await heard(page, "isthmus:connected")
    ((connection),) = await stage.connections()
    assert told["detail"]["connection"]["id"] == connection["id"]


async def test_a_page_that_is_not_listed_frames_nothing(stage: Stage, context: BrowserContext) -> None:
    await stage.house.deploy(MANIFEST)
    token = await issued(stage)
    async with product() as stranger:
        page = await context.new_page()
        await page.goto(stranger)
        # The browser says so in its own time, which may be after the frame has loaded what it shows instead.
        async with page.expect_console_message(lambda said: "frame-ancestors" in said.text):
            await framed(page, address(stage, token=token))
        assert await page.evaluate("window.heard") == []


FROM_ASIDE = """
(target) => {
  window.heard = [];
  window.addEventListener('message', (event) => window.heard.push(event.data));
  for (const type of ['isthmus:token', 'isthmus:token-wanted']) {
    window.parent.frames[0].postMessage({ type, token: 'forged' }, '*');
  }
}
"""


async def test_another_frame_of_the_page_is_neither_heard_nor_told(stage: Stage, context: BrowserContext) -> None:
    await stage.house.deploy(MANIFEST)
    async with product() as aside:
        page = await opened(stage, context)
        frame = await framed(page, address(stage))
        await heard(page, "isthmus:token-wanted")
        await page.evaluate(
            "url => new Promise((done) => document.body.append("
            "Object.assign(document.createElement('iframe'), { src: url, onload: done })))",
            aside.replace("127.0.0.1", "localhost"),
        )
        intruder = page.main_frame.child_frames[-1]
        await intruder.evaluate(FROM_ASIDE)
        # What follows is heard after it: messages to one window keep their order.
        await page.evaluate(
            "token => frames[0].postMessage({ type: 'isthmus:token', token }, '*')", await issued(stage)
        )
        await frame.get_by_role("button", name="Connect Sandbox CRM (OAuth)").wait_for()
        assert await frame.evaluate("document.querySelector('isthmus-install').token") != "forged"
        assert await intruder.evaluate("window.heard") == []


async def test_a_page_that_lets_in_only_what_agrees_has_it_and_is_told_of_a_wrong_address(
    stage: Stage, context: BrowserContext
) -> None:
    policies = {"Cross-Origin-Embedder-Policy": "require-corp", "Cross-Origin-Opener-Policy": "same-origin"}
    async with product(headers=policies) as url:
        listed = AccessPolicy(allowed_origins=(url.rpartition("/")[0],))
        await stage.house.services.store.update_project(stage.house.project_id, access_policy=listed, now=stage.clock())
        page = await context.new_page()
        await page.goto(url)
        assert await page.evaluate("crossOriginIsolated")
        assert await page.evaluate("async (url) => Object.keys(await import(url))", f"{stage.origin}/ui/headless.js")
        frame = await framed(page, address(stage, integration="%"), token=await issued(stage))
        await frame.get_by_text("This integration could not be loaded").wait_for()


async def test_in_a_window_of_its_own_it_does_nothing(stage: Stage, context: BrowserContext) -> None:
    await stage.house.deploy(MANIFEST)
    page = await opened(stage, context)
    async with page.expect_popup() as popup:
        await page.evaluate("url => window.open(url)", address(stage, token=await issued(stage)))
    alone = await popup.value
    await alone.get_by_text("stands inside a page of the product").wait_for()
    await alone.wait_for_load_state()
    assert await alone.locator("isthmus-install").count() == 0


async def test_a_script_of_somebody_else_does_not_run_in_it(stage: Stage, context: BrowserContext) -> None:
    page = await opened(stage, context)
    frame = await framed(page, address(stage), token=await issued(stage))
    await frame.locator("isthmus-install").wait_for(state="attached")
    with pytest.raises(Error, match=r"[Tt]rusted"):
        await frame.evaluate("document.body.innerHTML = '<img src=x onerror=alert(1)>'")
    with pytest.raises(Error, match="Failed to fetch"):
        await frame.evaluate("url => fetch(url)", stage.product_url)


async def test_what_its_address_says_is_text(stage: Stage, context: BrowserContext) -> None:
    watch = Watch(context)
    await stage.house.deploy(MANIFEST)
    page = await opened(stage, context)
    wrong = await complaints(page)
    token = await issued(stage)
    for first in range(0, len(PAYLOADS), len(NAMED)):
        said = dict(zip(NAMED, PAYLOADS[first : first + len(NAMED)], strict=False))
        query = urlencode({"groupRef": GROUP, "consumerRef": CONSUMER, **said})
        frame = await framed(page, f"{stage.origin}/embed/{stage.house.project_id}/crm?{query}#token={token}")
        element = frame.locator("isthmus-install")
        await element.locator("[part~=connect-button]").wait_for()
        for name, payload in said.items():
            if attribute := NAMED[name]:
                assert await element.get_attribute(attribute) == payload
        assert await frame.evaluate("[...document.body.querySelectorAll('*')].map((each) => each.localName)") == ALONE
    assert watch.saw_nothing
    assert wrong == []
