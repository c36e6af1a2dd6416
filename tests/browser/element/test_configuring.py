"""Configuring in the element: fields, mappings, values, rules, and a preview that says what a write then does."""

import asyncio
import re
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Locator, Route, expect

from connectors.sandbox.access import DEMO_KEY, KEY_HEADER
from tests.browser.element.stage import ElementStage, Shown
from tests.browser.stage import GROUP

pytestmark = pytest.mark.asyncio(loop_scope="session")

MANIFEST = """
  - name: sandbox
    displayName: Customer sync
    provider: sandbox
    read:
      objects:
        - objectName: contacts
          destination: inbox
          schedule: "0 * * * *"
          requiredFields:
            - fieldName: email
              mapToName: emailAddress
              mapToDisplayName: Email address
            - mapToName: stage
              mapToDisplayName: Stage
              prompt: Which field tells how far this contact has come?
          optionalFields:
            - fieldName: phone
            - mapToName: nickname
              mapToDisplayName: Nickname
            - mapToName: source
              mapToDisplayName: Source
              default: notes
          optionalFieldsAuto: all
        - objectName: tickets
          destination: inbox
          schedule: "0 * * * *"
          optionalFieldsAuto: all
    write:
      objects:
        - objectName: contacts
          inheritMapping: true
          fieldSettings:
            source: {default: {stringValue: "Acme"}, writeOnUpdate: never}
        - objectName: companies
          fieldMappings:
            - {fieldName: domain, mapToName: website}
            - {mapToName: staff, mapToDisplayName: Number of staff}
"""
OFFERED = {
    "contacts": [
        {
            "mapToName": "stage",
            "mapToDisplayName": "Stage",
            "mappedValues": [
                {"mappedValue": "lead", "mappedDisplayValue": "Lead"},
                {"mappedValue": "trial", "mappedDisplayValue": "In trial"},
            ],
        }
    ]
}


class Form(Shown, frozen=True, kw_only=True):
    """The configuring part, with words for what a customer does."""

    async def choose(self, mapping: str, typed: str) -> None:
        """Map a name by the keyboard alone: type, and take the first field that is found."""
        box = self.element.get_by_role("combobox", name=mapping, exact=True)
        await box.focus()
        await box.press_sequentially(typed)
        await box.press("Enter")

    async def open_rule(self, name: str) -> Locator:
        """Open the row of a field; the row."""
        await self.element.get_by_role("button", name=re.compile(f"^{name}")).click()
        return self.element.locator("li.rule", has=self.page.get_by_text(name, exact=True))

    async def add_rule(self, typed: str) -> None:
        """Add a rule for a field that is found by what is typed. Its default has the focus then."""
        await self.button("Add a rule for another field").press("Enter")
        await self.page.keyboard.type(typed)
        await self.page.keyboard.press("Enter")

    async def becomes(self, name: str) -> str:
        """Tell what the preview says of a field of the provider: a value, or that it is not sent."""
        outcome = self.element.locator("[part~=outcome]", has=self.page.get_by_text(name, exact=True))
        return (await outcome.locator("[part~=outcome-value]").inner_text()).strip()

    async def expect_preview(self, **said: str) -> None:
        """Wait until the preview says this of the provider's fields, by their API names."""
        for field, words in said.items():
            outcome = self.element.locator("[part~=outcome]", has=self.page.get_by_text(field, exact=True))
            await expect(outcome.locator("[part~=outcome-value]")).to_have_text(words)


@pytest_asyncio.fixture(loop_scope="session")
async def form(place: ElementStage, context: BrowserContext) -> Form:
    """Connected, and nothing installed yet."""
    await place.deploy(MANIFEST)
    await place.stage.connect("sandbox", apiKey=DEMO_KEY)
    shown = await place.show(context, properties={"fieldMapping": OFFERED})
    await shown.element.get_by_role("heading", name="Contacts").wait_for()
    return Form(page=shown.page)


async def written(place: ElementStage, body: dict[str, Any]) -> dict[str, Any]:
    """Write a contact as the product does; the record as the provider has it then."""
    path = "/integrations/sandbox/objects/contacts"
    answer = await place.stage.house.call("POST", path, json={"groupRef": GROUP, **body})
    assert answer.status_code == 200, answer.text
    headers = {KEY_HEADER: DEMO_KEY}
    async with httpx.AsyncClient(trust_env=False, base_url=place.stage.house.sandbox_url, headers=headers) as client:
        found = await client.get(f"/v1/objects/contacts/records/{answer.json()['result']['recordId']}")
    assert found.is_success, found.text
    record: dict[str, Any] = found.json()
    return {"id": record["id"], **record.get("fields", record)}


async def test_a_write_does_what_the_preview_said(place: ElementStage, form: Form) -> None:
    await form.choose("Stage", "lifecycle")
    await form.button("Match equal names").click()
    await form.field("In trial").select_option("Prospect")
    await form.expect_preview(email="ada@example.com", lifecycleStage="lead", notes="Acme")

    await form.add_rule("t-shirt")
    await form.page.keyboard.type("Med")
    await form.expect_preview(x_tshirtSize="medium")
    row = await form.open_rule("Source")
    await row.get_by_label("Write only if it is empty in Sandbox CRM").check()
    await row.get_by_role("textbox").fill("Globex")
    await form.expect_preview(notes="Globex")
    await expect(form.element.locator("[part~=outcome].changed")).to_have_count(1)
    await form.photograph("form-rules")

    await form.button("Install").click()
    await form.hears("installed")
    made = await written(place, {"type": "create", "record": {"emailAddress": "ada@example.com", "stage": "lead"}})
    said = {"email": "ada@example.com", "lifecycleStage": "lead", "notes": "Globex", "x_tshirtSize": "medium"}
    assert {name: made[name] for name in said} == said

    await form.element.get_by_role("radio", name="Existing record").check(force=True)
    await form.expect_preview(notes="Not sent", lifecycleStage="lead")
    await form.field("Sandbox CRM has now").fill("")
    await form.expect_preview(notes="Globex")
    await form.photograph("form-update")
    changed = {"id": made["id"], "stage": "trial", "source": "a letter"}
    assert (await written(place, {"type": "update", "record": changed}))["notes"] == "Globex"
    cleared = {"id": made["id"], "stage": "trial"}
    assert (await written(place, {"type": "update", "record": cleared}))["lifecycleStage"] == "prospect"
    assert await form.violations() == []


async def test_what_is_chosen_is_saved(place: ElementStage, form: Form) -> None:
    """Fields by search, a mapping for writing alone, an object that is switched on, deletion; then a change of it."""
    await form.choose("Stage", "lifecycle")
    search = form.element.get_by_placeholder("Search fields")
    await search.fill("NAME last")
    await form.element.get_by_role("checkbox", name=re.compile("^Last name")).check()
    await search.fill("")
    await form.button("Chosen only").click()
    await expect(form.element.locator(".box")).to_have_count(1)
    await form.element.get_by_role("switch", name="Allow deleting").check()
    await form.element.get_by_role("tab", name="Tickets").click()
    await form.element.get_by_role("switch", name="Read from").check()
    await form.element.get_by_role("switch", name=re.compile("Read every field")).check()
    await form.element.get_by_role("tab", name="Companies").click()
    await form.choose("Number of staff", "employees")
    await form.photograph("form-companies")
    await form.button("Install").click()
    await form.hears("installed")

    (saved,) = await place.installations()
    content = saved["config"]["content"]
    contacts, tickets = content["read"]["objects"]["contacts"], content["read"]["objects"]["tickets"]
    assert contacts["selectedFields"]["lastName"] is True
    assert contacts["selectedFieldMappings"] == {"stage": "lifecycleStage", "source": "notes"}
    assert tickets["selectedFieldsAuto"] == "all"
    assert content["write"]["objects"]["contacts"]["deletionSettings"] == {"enabled": True}
    assert content["write"]["objects"]["companies"]["selectedFieldMappings"] == {"staff": "employees"}

    await form.button("Remove the choice").click()
    await form.button("Save changes").click()
    await form.hears("updated")
    (saved,) = await place.installations()
    assert "selectedFieldMappings" not in saved["config"]["content"]["write"]["objects"]["companies"]


async def test_a_search_outlives_what_is_announced(form: Form) -> None:
    """What a picker finds is announced, and so is what a preview changes: neither makes another form of it."""
    search = form.element.get_by_placeholder("Search fields")
    await search.fill("NAME last")
    announced = form.element.locator("[role=status]").first
    await form.element.get_by_role("combobox", name="Nickname").press_sequentially("title")
    await expect(announced).to_contain_text("found")
    await form.element.evaluate("e => e.updateComplete")
    await expect(search).to_have_value("NAME last")
    await expect(form.element.locator(".box")).to_have_count(1)


async def test_an_issue_stands_by_its_field(form: Form) -> None:
    """The bar leads there, from another object too; once it is solved, nothing is left of it."""
    tab = form.element.get_by_role("tab", name="Contacts")
    await expect(tab).to_contain_text("1 problem")
    await form.element.get_by_role("tab", name="Companies").click()
    await form.button("1 problem").click()
    box = form.element.get_by_role("combobox", name="Stage", exact=True)
    await expect(box).to_be_focused()
    await expect(box).to_have_attribute("aria-invalid", "true")
    described = await box.evaluate(
        "e => e.getAttribute('aria-describedby').split(' ').map((id) => e.getRootNode().getElementById(id).textContent)"
    )
    assert any("Is required: choose a field for it." in text for text in described)
    await form.photograph("form-issue")
    await form.choose("Stage", "lifecycle")
    await expect(box).to_have_attribute("aria-invalid", "false")
    await expect(tab).not_to_contain_text("problem")


async def test_what_is_mended_is_installed_before_it_is_reviewed(form: Form) -> None:
    """A review that takes its time says nothing of the draft as it is: whoever installs asks the server."""
    await form.button("1 problem").wait_for()
    held = asyncio.Event()

    async def hold(route: Route) -> None:
        await held.wait()
        await route.continue_()

    await form.page.route("**/*:review", hold)
    await form.choose("Stage", "lifecycle")
    await form.button("Install").press("Enter")
    await form.hears("installed")
    held.set()
    await form.page.unroute_all(behavior="wait")


async def test_the_bar_leads_to_the_first_hint_once_nothing_is_wrong(form: Form) -> None:
    objects = form.element.locator("isthmus-part-objects option")
    await expect(objects).to_have_text(["Contacts · 1 problem", "Tickets · Off", "Companies · 1 hint"])
    await form.choose("Stage", "lifecycle")
    await form.button("1 hint").press("Enter")
    await form.element.get_by_role("heading", name="Companies").wait_for()
    row = form.element.locator("[part~=rule]", has=form.page.get_by_role("button", name=re.compile("^Name")))
    await expect(row.get_by_role("textbox")).to_be_focused()
    assert await form.told("installed") == []


async def test_a_field_is_picked_by_the_keyboard_alone(form: Form) -> None:
    keys, box = form.page.keyboard, form.element.get_by_role("combobox", name="Nickname")
    await box.focus()
    await expect(box).to_have_attribute("aria-expanded", "false")
    await keys.press("ArrowDown")
    await expect(box).to_have_attribute("aria-expanded", "true")
    options = form.element.get_by_role("listbox", name="Nickname").get_by_role("option")
    await keys.type("name")
    await expect(options).to_have_count(3)
    await expect(options.first).to_have_attribute("aria-selected", "true")
    await expect(options.nth(1)).to_contain_text("read-only")
    await keys.press("ArrowUp")
    await expect(options.nth(2)).to_have_attribute("aria-selected", "true")
    await keys.press("Escape")
    await expect(box).to_have_value("")
    await keys.press("ArrowDown")
    await keys.type("first")
    await keys.press("Enter")
    await expect(box).to_have_value("First name")
    await expect(box).to_be_focused()
    await expect(box).to_have_accessible_description(re.compile("firstName"))
    await box.fill("")
    await keys.press("Enter")
    await expect(box).to_have_value("")
