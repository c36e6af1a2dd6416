"""The headless module in a page that draws its own form: consent in windows, and what other tabs do meanwhile."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Page

from installations.installation import AccessPolicy
from tests.browser.sites import Site
from tests.browser.stage import CONSUMER, GROUP, Stage, product

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
START = """async ({script, ...options}) => {
  const { createInstaller } = await import(script);
  window.installer = createInstaller({ ...options, ...(options.token ? { token: async () => options.token } : {}) });
  window.phases = [];
  installer.subscribe(({ phase }) => phases.at(-1) === phase || phases.push(phase));
  document.getElementById('first').onclick = () => {
    window.connecting = installer.connect().then(() => 'done', ({ code, message }) => `${code}: ${message}`);
  };
  await installer.load();
}"""
RETURN = """() => {
  const now = Date.now();
  Date.now = () => now + 10_000;
  window.dispatchEvent(new Event('focus'));
}"""
"""What a browser does when a customer comes back after ten seconds."""


async def opened(stage: Stage, context: BrowserContext, **options: Any) -> Page:
    """Open the product's page with an installer in it."""
    await stage.house.deploy(MANIFEST)
    page = await context.new_page()
    await page.goto(stage.product_url)
    known = {"script": f"{stage.origin}/ui/headless.js", "project": "acme", "integration": "crm"}
    person = {"groupRef": GROUP, "consumerRef": CONSUMER, "apiKey": stage.house.frontend_key}
    await page.evaluate(START, {**known, **person, **options})
    return page


async def clicked(page: Page) -> Page:
    """Connect; the window that opens."""
    async with page.expect_popup() as popup:
        await page.click("#first")
    return await popup.value


async def phase(page: Page, expected: str) -> None:
    await page.wait_for_function("name => installer.state.phase === name && installer.state.busy === ''", arg=expected)


async def ended(page: Page) -> str:
    told: str = await page.evaluate("connecting")
    return told


async def connected(page: Page, site: Site) -> None:
    await site.decide(await clicked(page), "allow")
    assert await ended(page) == "done"


async def test_a_broken_connection_is_seen_on_return_and_mended_and_the_draft_stays(
    stage: Stage, context: BrowserContext
) -> None:
    site = await stage.prepare("sandboxOAuth")
    page = await opened(stage, context)
    await connected(page, site)
    await phase(page, "configure")
    installed = await page.evaluate("installer.install()")
    await page.evaluate("installer.draft.writeObject('contacts').setEnableDeletion()")
    # A review asks the provider, and what that answers would mend the connection.
    await page.wait_for_function("!installer.state.reviewing")
    await stage.break_off(installed["connection"]["id"])
    await page.evaluate(RETURN)
    await phase(page, "broken")
    await connected(page, site)
    assert await page.evaluate("phases") == ["loading", "connect", "configure", "installed", "broken", "installed"]
    ((connection),) = await stage.connections()
    assert (connection["id"], connection["status"]) == (installed["connection"]["id"], "working")
    assert await page.evaluate("installer.draft.edits") == [{"edit": "enableDeletion", "objectName": "contacts"}]
    updated = await page.evaluate("installer.update()")
    assert updated["config"]["content"]["write"]["objects"]["contacts"]["deletionSettings"] == {"enabled": True}
    assert updated["config"]["createdBy"] == f"consumer:{CONSUMER}"


async def test_only_the_server_s_own_word_counts(stage: Stage, context: BrowserContext) -> None:
    site = await stage.prepare("sandboxOAuth")
    page = await opened(stage, context)
    popup = await clicked(page)
    await site.arrive(popup)
    await page.evaluate("window.postMessage({ eventType: 'AUTHORIZATION_SUCCEEDED', data: {} }, '*')")
    await page.evaluate("new Promise(requestAnimationFrame)")
    assert await page.evaluate("installer.state.busy") == "connecting"
    async with popup.expect_event("close"):
        await site.decide(popup, "deny")
    assert await ended(page) == "denied: Access to Sandbox CRM (OAuth) was not given."
    await phase(page, "connect")
    assert await stage.connections() == []


async def test_windows_that_come_to_nothing_are_told(stage: Stage, context: BrowserContext) -> None:
    site = await stage.prepare("sandboxOAuth")
    page = await opened(stage, context)
    popup = await clicked(page)
    await site.arrive(popup)
    await popup.close()
    assert (await ended(page)).startswith("popup-closed: ")

    async with page.expect_popup() as opening:
        await page.evaluate("() => { window.giving = new AbortController(); }")
        await page.evaluate("() => { window.left = installer.connect({}, giving.signal); }")
    given_up = await opening.value
    await site.arrive(given_up)
    async with given_up.expect_event("close"):
        await page.evaluate("giving.abort()")
    await page.evaluate("left")
    assert await page.evaluate("[installer.state.busy, installer.state.error]") == ["", None]

    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.method))
    await page.evaluate("window.open = () => null")
    await page.click("#first")
    assert (await ended(page)).startswith("popup-blocked: ")
    assert asked == []


async def test_what_another_tab_installs_is_there_on_return(stage: Stage, context: BrowserContext) -> None:
    site = await stage.prepare("sandboxOAuth")
    page = await opened(stage, context)
    await connected(page, site)
    other = await opened(stage, context)
    await page.evaluate("installer.install()")
    settings = "{ fieldName: 'phone', settings: { writeOnUpdate: 'never' } }"
    await other.evaluate(f"installer.draft.writeObject('contacts').setFieldSettings({settings})")
    await other.evaluate(RETURN)
    await phase(other, "installed")
    assert await other.evaluate("[installer.state.dirty, installer.draft.edits.length]") == [True, 1]
    await page.evaluate("installer.uninstall()")
    await phase(page, "connect")


async def test_the_form_that_is_printed_installs(stage: Stage, context: BrowserContext, tmp_path: Path) -> None:
    said = (Path(__file__).parents[2] / "docs" / "embedding.md").read_text("utf-8")
    (printed,) = re.findall(r"^```html own\n(.*?)^```$", said, re.MULTILINE | re.DOTALL)
    await stage.house.deploy(MANIFEST)
    site = await stage.prepare("sandboxOAuth")
    person = {"groupRef": "globex", "consumerRef": "hank"}
    token = (await stage.house.call("POST", "/session-tokens", json=person)).json()["token"]
    (tmp_path / "index.html").write_text(printed.replace("http://127.0.0.1:8080", stage.origin))
    (tmp_path / "token").write_text(token)
    async with product(tmp_path) as url:
        pages = AccessPolicy(allowed_origins=(url.rpartition("/")[0],))
        await stage.house.services.store.update_project(stage.house.project_id, access_policy=pages, now=stage.clock())
        stage.house.services.changes.announce()
        page = await context.new_page()
        await page.goto(url)
        await page.get_by_text("connect", exact=True).wait_for()
        async with page.expect_popup() as popup:
            await page.click("#connect")
        await site.decide(await popup.value, "allow")
        await page.get_by_text(re.compile("^configure")).wait_for()
        await page.click("#save")
        await page.get_by_text(re.compile("^installed")).wait_for()
    (installed,) = (await stage.house.call("GET", "/installations?groupRef=globex")).json()
    settings = installed["config"]["content"]["write"]["objects"]["contacts"]["selectedFieldSettings"]
    assert settings == {"phone": {"default": {"stringValue": "n/a"}, "writeOnUpdate": "ifEmpty"}}
