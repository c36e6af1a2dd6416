"""The element's life in a page: installing, saving, repairing and leaving; what the page hears; what may fail."""

from typing import Any

import pytest
from playwright.async_api import BrowserContext, Route, expect

from connectors.sandbox.access import DEMO_KEY
from installations.installation import AccessPolicy
from tests.browser.element.stage import ElementStage, Shown
from tests.browser.stage import CONSUMER, GROUP

pytestmark = pytest.mark.asyncio(loop_scope="session")

PLAIN = """
  - name: plain
    displayName: Plain sync
    provider: sandbox
    write:
      objects:
        - objectName: contacts
        - objectName: companies
"""
CONTENT: dict[str, Any] = {"provider": "sandbox", "write": {"objects": {"contacts": {"objectName": "contacts"}}}}
SET_RULE = """
(element) => element.installer.draft.writeObject('contacts').setFieldSettings(
  {fieldName: 'phone', settings: {writeOnUpdate: 'never'}})
"""
SETTINGS = {"phone": {"writeOnUpdate": "never"}}


async def refuse(route: Route) -> None:
    """Be a server that is not there."""
    await route.abort()


async def shown_plain(place: ElementStage, context: BrowserContext, **options: Any) -> Shown:
    await place.deploy(PLAIN)
    return await place.show(context, "plain", **options)


async def change(shown: Shown) -> None:
    """Change the draft as the form does."""
    await shown.element.evaluate(SET_RULE)
    await shown.shows("You have unsaved changes.")


async def test_it_installs_saves_discards_and_uninstalls(place: ElementStage, context: BrowserContext) -> None:
    shown = await shown_plain(place, context, attributes={"group-name": "Globex"})
    await shown.field("API key").fill(DEMO_KEY)
    await shown.button("Connect Sandbox CRM").click()
    await shown.shows("The Sandbox CRM account of Globex")
    await shown.button("Install").click()
    made = (await shown.hears("installed"))["installation"]
    assert [made["id"]] == [each["id"] for each in await place.installations("plain")]
    await shown.shows("Everything is saved.")
    await shown.focuses("isthmus-save")
    await expect(shown.button("Save changes")).to_have_attribute("aria-disabled", "true")
    assert await shown.element.evaluate("e => e.dirty") is False
    await change(shown)
    assert await shown.element.evaluate("e => e.dirty") is True
    await shown.photograph("element-unsaved")
    await shown.button("Discard").click()
    await shown.shows("Everything is saved.")
    await change(shown)
    await shown.button("Save changes").click()
    await shown.hears("updated")
    ((saved),) = await place.installations("plain")
    assert saved["config"]["content"]["write"]["objects"]["contacts"]["selectedFieldSettings"] == SETTINGS
    assert [each["dirty"] for each in await shown.told("dirtychange")] == [True, False, True, False]
    await uninstall(shown, made["id"])
    assert await place.installations("plain") == []
    assert await place.stage.connections() == []
    assert await shown.violations() == []


async def uninstall(shown: Shown, installation_id: str) -> None:
    """Ask, think better of it, and ask again."""
    await shown.button("Uninstall").click()
    await shown.focuses("isthmus-panel")
    await shown.shows("Nothing more is written to Sandbox CRM.")
    await shown.photograph("element-uninstall")
    await shown.button("Cancel").click()
    await shown.focuses("isthmus-uninstall")
    await shown.button("Uninstall").click()
    await shown.element.locator("[part~=confirm-button]").click()
    assert await shown.hears("uninstalled") == {"installationId": installation_id}
    await shown.field("API key").wait_for()
    await shown.focuses("isthmus-heading")
    await expect(shown.element.locator("[role=status]").first).to_contain_text("is uninstalled")


async def test_a_broken_connection_is_repaired_and_the_draft_stays(
    place: ElementStage, context: BrowserContext
) -> None:
    await place.deploy(PLAIN)
    installation = await place.install(CONTENT, integration="plain", provider="sandbox")
    await place.stage.break_off(installation["connection"]["id"])
    shown = await place.show(context, "plain")
    await shown.shows("Sandbox CRM no longer accepts the connection")
    await change(shown)
    await shown.photograph("element-broken")
    await shown.field("API key").fill(DEMO_KEY)
    await shown.element.locator("[part~=connect-button]").click()
    assert (await shown.hears("connected"))["connection"]["id"] == installation["connection"]["id"]
    await shown.shows("You have unsaved changes.")
    await expect(shown.element.get_by_text("no longer accepts")).to_have_count(0)
    await shown.button("Reconnect").click()
    await shown.focuses("isthmus-panel")
    await shown.photograph("element-reconnect")
    await shown.button("Cancel").click()
    await shown.focuses("isthmus-reconnect")
    await shown.button("Refresh fields").click()
    await expect(shown.element.locator("[role=status]").first).to_contain_text("up to date")


async def test_what_cannot_be_saved_is_told_and_tried_again(place: ElementStage, context: BrowserContext) -> None:
    await place.deploy(PLAIN)
    await place.install(CONTENT, integration="plain", provider="sandbox")
    shown = await place.show(context, "plain")
    await shown.shows("Everything is saved.")
    await change(shown)
    await shown.page.route("**/installations/*", refuse)
    await shown.button("Save changes").click()
    await shown.shows("The server cannot be reached.")
    await shown.photograph("element-not-saved")
    await shown.page.unroute("**/installations/*", refuse)
    await shown.button("Save changes").click()
    await shown.hears("updated")
    await expect(shown.element.get_by_text("Not saved")).to_have_count(0)


async def test_a_page_that_is_not_listed_is_told_so(place: ElementStage, context: BrowserContext) -> None:
    house = place.stage.house
    elsewhere = AccessPolicy(allowed_origins=("https://elsewhere.example",))
    await house.services.store.update_project(house.project_id, access_policy=elsewhere, now=place.stage.clock())
    for credential in ({}, {"token": "", "api-key": house.frontend_key}):
        shown = await place.show(context, attributes=credential)
        await shown.shows("This integration could not be loaded")
        error = await shown.hears("error")
        assert (error["code"], "only pages of the origins listed" in error["message"]) == ("forbidden", True)
        await shown.page.close()


async def test_what_cannot_be_loaded_is_told_and_tried_again(place: ElementStage, context: BrowserContext) -> None:
    shown = await place.show(context, "sandbox", attributes={"integration": "nothing"})
    await shown.shows("This integration could not be loaded")
    await shown.photograph("element-failed")
    assert await shown.hears("error") == {"code": "missing", "message": "no integration 'nothing'", "status": 404}
    await shown.page.route("**/v1/**", refuse)
    await shown.element.evaluate("e => e.setAttribute('integration', 'sandbox')")
    await shown.shows("The server cannot be reached.")
    await shown.page.unroute("**/v1/**", refuse)
    await shown.button("Try again").click()
    await shown.field("API key").wait_for()


async def test_tokens_are_asked_for_when_they_are_needed(place: ElementStage, context: BrowserContext) -> None:
    asked: list[str] = []
    dead = place.token(exp=1, iat=0)

    def fresh(refused: str) -> str:
        asked.append(refused)
        return place.token() if refused else dead

    await context.expose_function("freshToken", fresh)
    shown = await place.show(context, "sandbox", asks=True)
    await shown.field("API key").wait_for()
    assert asked == ["", dead]
    assert await shown.told("tokenexpired") == []


async def test_a_page_without_a_function_hears_that_a_token_is_over(
    place: ElementStage, context: BrowserContext
) -> None:
    shown = await place.show(context, "sandbox", attributes={"token": place.token(exp=1, iat=0)})
    await shown.hears("tokenexpired")
    await shown.shows("Your session has ended.")
    await shown.element.evaluate("(e, token) => { e.token = token }", place.token())
    await shown.field("API key").fill("half typed")
    await shown.element.evaluate("(e, token) => { e.token = token }", place.token(sub="another"))
    await shown.element.evaluate("e => e.updateComplete")
    assert await shown.field("API key").input_value() == "half typed"


async def test_another_customer_s_attributes_make_another_installer_and_a_move_does_not(
    place: ElementStage, context: BrowserContext
) -> None:
    shown = await place.show(context, "sandbox", attributes={"token": "", "api-key": place.stage.house.frontend_key})
    await shown.field("API key").fill("half typed")
    await shown.page.evaluate("() => document.body.append(document.querySelector('isthmus-install'))")
    assert await shown.field("API key").input_value() == "half typed"
    before = await shown.element.evaluate_handle("e => e.installer")
    await shown.element.evaluate("e => { e.groupRef = 'another'; e.fieldMapping = {contacts: []} }")
    await shown.element.evaluate("e => e.updateComplete")
    assert await shown.element.evaluate("(e, before) => e.installer === before", before) is False
    await expect(shown.field("API key")).to_have_value("")
    again = await shown.element.evaluate_handle("e => e.installer")
    await shown.element.evaluate("e => { e.fieldMapping = {contacts: []} }")
    await shown.element.evaluate("e => e.updateComplete")
    assert await shown.element.evaluate("(e, again) => e.installer === again", again) is True
    await shown.element.evaluate("e => { e.remove(); e.consumerRef = '' ; document.body.append(e) }")
    await shown.shows("This element needs the attributes consumer-ref.")
    assert (GROUP, CONSUMER) != ("another", "")


async def test_a_full_key_in_the_page_is_told_of_in_the_console(place: ElementStage, context: BrowserContext) -> None:
    shown = await place.show(context, "sandbox")
    async with shown.page.expect_console_message(lambda said: "scope full" in said.text):
        await shown.element.evaluate("(e, key) => { e.token = undefined; e.apiKey = key }", place.stage.house.key)
    await shown.field("API key").wait_for()


async def test_it_speaks_the_page_s_language_and_its_own_words(place: ElementStage, context: BrowserContext) -> None:
    shown = await place.show(context, "sandbox", attributes={"lang": "de-AT"})
    await shown.field("API-Schlüssel").wait_for()
    await shown.photograph("element-german")
    await shown.field("API-Schlüssel").fill("wrong")
    await shown.button("Sandbox CRM verbinden").click()
    await shown.shows("Diese Zugangsdaten wurden abgelehnt.")
    await shown.element.evaluate("e => { e.strings = {'shell.apiKey': 'Ihr Code', 'shell.notConnected': '<b>x</b>'} }")
    await shown.field("Ihr Code").wait_for()
    await shown.shows("<b>x</b>")
    await shown.element.evaluate("e => { e.lang = 'ar'; e.strings = undefined }")
    await shown.field("API key").wait_for()
    root = shown.element.locator("[part=root]")
    await expect(root).to_have_attribute("dir", "ltr")
    await shown.page.evaluate("() => { document.documentElement.dir = 'rtl' }")
    await shown.element.evaluate("e => { e.removeAttribute('lang') }")
    await expect(root).to_have_css("direction", "rtl")
