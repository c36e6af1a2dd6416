"""Values in the element: defaults of every type, choices that an account gives up, samples, and fields of one name."""

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Locator, expect

from installations.schema import Choice, FieldMetadata, ObjectMetadata, ValueType
from tests.accounts import Account, serve_account
from tests.browser.element.stage import ElementStage, Shown, open_element_stage

pytestmark = pytest.mark.asyncio(loop_scope="session")

PEOPLE, VOID = "object_1", "object_2"
SELECTS = {"stage": ("new", "won"), "phase": ("open", "won"), "tags": ("vip", "eu", "partner")}
FIELDS: dict[str, ValueType] = {
    "born": "date",
    "seen": "datetime",
    "age": "int",
    "score": "float",
    "active": "boolean",
    "stage": "singleSelect",
    "phase": "singleSelect",
    "tags": "multiSelect",
}
TYPED = {"born": "2026-02-03", "seen": "2026-02-03T04:05", "age": "42", "score": "1.5"}
DEFAULTS = {
    "born": {"dateValue": "2026-02-03"},
    "seen": {"dateValue": "2026-02-03T04:05:00Z"},
    "age": {"integerValue": 42},
    "score": {"floatValue": 1.5},
    "active": {"booleanValue": False},
    "stage": {"stringValue": "won"},
    "tags": {"listValue": ["vip", "partner"]},
}
DATES = {"born": "Feb 3, 2026", "seen": "Feb 3, 2026, 4:05:00\u202fAM UTC"}
OFFERED = {
    PEOPLE: [
        {
            "mapToName": "status",
            "mapToDisplayName": "Status",
            "mappedValues": [{"mappedValue": "w", "mappedDisplayValue": "Won"}],
        }
    ]
}
SAMPLE = {"objectName": PEOPLE, "type": "update", "record": {"status": "w"}, "current": {"note_2": "of theirs"}}


def field(name: str, kind: ValueType = "string", title: str = "") -> FieldMetadata:
    offered = tuple(Choice(value=each, display_value=each.title()) for each in SELECTS.get(name, ()))
    return FieldMetadata(
        field_name=name,
        display_name=title or name.title(),
        value_type=kind,
        provider_type=kind,
        read_only=False,
        is_custom=False,
        is_required=False,
        values=offered or msgspec.UNSET,
    )


def people() -> ObjectMetadata:
    fields = [
        *(field(name, kind) for name, kind in FIELDS.items()),
        *(field(f"note_{n}", title="Note") for n in (1, 2)),
    ]
    return ObjectMetadata(name=PEOPLE, display_name="People", fields={each.field_name: each for each in fields})


@pytest_asyncio.fixture(loop_scope="session")
async def account() -> AsyncIterator[Account]:
    """An account with a field of every type, and an object that has none."""
    async with serve_account(objects=2, fields=1) as served:
        served.described[PEOPLE] = people()
        served.described[VOID] = ObjectMetadata(name=VOID, display_name="Void", fields={})
        yield served


@pytest_asyncio.fixture(loop_scope="session")
async def stage(account: Account) -> AsyncIterator[ElementStage]:
    """A product that knows people by one name of its own."""
    manifest = json.loads(account.manifest("sandbox"))
    (reads, _) = manifest["integrations"][0]["read"]["objects"]
    reads["optionalFields"] = [{"mapToName": "status", "mapToDisplayName": "Status"}]
    async with open_element_stage(account=account) as opened:
        await opened.stage.house.deploy(json.dumps(manifest))
        await opened.stage.connect(account.provider, apiKey=account.key)
        yield opened


async def opened(stage: ElementStage, context: BrowserContext, **properties: Any) -> Shown:
    form = await stage.show(context, properties=properties)
    await form.element.get_by_role("heading", name="People").wait_for()
    return form


def rule(form: Shown, name: str) -> Locator:
    return form.element.locator("li.rule", has=form.page.get_by_text(name, exact=True))


async def add_rule(form: Shown, typed: str) -> None:
    await form.button("Add a rule for another field").press("Enter")
    await form.page.keyboard.type(typed)
    await form.page.keyboard.press("Enter")


async def test_a_default_of_every_type_is_saved_and_shown_again(
    account: Account, stage: ElementStage, context: BrowserContext
) -> None:
    form = await opened(stage, context)
    for name in DEFAULTS:
        await add_rule(form, name)
    for name, text in TYPED.items():
        await rule(form, name).locator("input:not([type=radio])").fill(text)
    for name, choice in (("active", "No"), ("stage", "Won")):
        await rule(form, name).locator("select").select_option(choice)
    for tag in ("Vip", "Partner"):
        await rule(form, "tags").get_by_role("checkbox", name=tag).check()
    for name, told in DATES.items():
        outcome = form.element.locator("[part~=outcome]", has=form.page.get_by_text(name, exact=True))
        await expect(outcome.locator("[part~=outcome-value]")).to_have_text(told)
        await expect(outcome).to_contain_text(TYPED[name])
        await expect(rule(form, name)).to_contain_text(f"Default: {told}")
    await form.button("Install").click()
    await form.hears("installed")
    (made,) = await stage.installations()
    settings = made["config"]["content"]["write"]["objects"][PEOPLE]["selectedFieldSettings"]
    assert {name: each["default"] for name, each in settings.items()} == DEFAULTS

    before = account.described[PEOPLE]
    tags = msgspec.structs.replace(before.fields["tags"], values=(Choice(value="vip", display_value="Vip"),))
    account.described[PEOPLE] = msgspec.structs.replace(before, fields={**before.fields, "tags": tags})
    again = await opened(stage, context)
    await again.button("Refresh fields").click()
    for name, text in TYPED.items():
        await again.element.get_by_role("button", name=re.compile(f"^{name}", re.IGNORECASE)).click()
        await expect(rule(again, name).locator("input:not([type=radio])")).to_have_value(text)
    await again.element.get_by_role("button", name=re.compile("^Tags")).click()
    await again.shows("'partner' is none of the choices of 'Tags'.")
    await again.photograph("form-defaults")
    assert await again.told("dirtychange") == []
    await rule(again, "tags").get_by_role("checkbox", name="partner").click()
    await again.button("Save changes").click()
    await again.hears("updated")
    (made,) = await stage.installations()
    settings = made["config"]["content"]["write"]["objects"][PEOPLE]["selectedFieldSettings"]
    assert settings["tags"] == {"default": {"listValue": ["vip"]}}


async def test_another_field_has_other_values(stage: ElementStage, context: BrowserContext) -> None:
    """Fields of one name are told apart by what the account calls them, and a page's own sample is previewed."""
    form = await opened(stage, context, samples=[SAMPLE], fieldMapping=OFFERED)
    # What the page offers is no choice yet, so it keeps nobody from installing.
    await expect(form.button("Install")).to_be_enabled()
    await form.shows("Ready to install.")
    await form.element.get_by_role("switch", name="Read from").check()
    box = form.element.get_by_role("combobox", name="Status", exact=True)
    await box.fill("phase")
    await box.press("Enter")
    await form.button("Match equal names").click()
    await expect(form.element.locator("[part~=outcome-value]").first).to_have_text("won")
    await box.fill("note")
    await expect(form.element.locator("[role=option]")).to_have_count(2)
    await form.element.locator("[role=option]", has_text="note_2").click()
    await expect(form.button("Match equal names")).to_have_count(0)
    await expect(form.element.get_by_role("radio", name="Existing record")).to_be_checked()
    await form.element.get_by_role("button", name=re.compile("^Status")).click()
    await form.field("Write only if it is empty in Big CRM").check()
    await form.shows("There is a value already.")
    await form.button("Install").click()
    await form.hears("installed")
    (made,) = await stage.installations()
    assert made["config"]["content"]["read"]["objects"][PEOPLE]["selectedFieldMappings"] == {"status": "note_2"}
    assert "selectedValueMappings" not in made["config"]["content"]["read"]["objects"][PEOPLE]


async def test_refused_credentials_are_noticed_by_asking_the_account(
    account: Account, stage: ElementStage, context: BrowserContext
) -> None:
    """Nothing is said of fields that nobody knows; the connection is mended, and what was begun is still there."""
    form = await opened(stage, context)
    await form.element.get_by_role("tab", name="Void").click()
    await expect(form.button("Add a rule for another field")).to_have_count(0)
    await form.button("Install").click()
    await form.hears("installed")
    await form.element.get_by_role("tab", name="People").click()
    await form.element.get_by_role("switch", name="Read from").check()
    box = form.element.get_by_role("combobox", name="Status", exact=True)
    await box.fill("phase")
    await box.press("Enter")
    account.key = "another key"
    await form.button("Refresh fields").click()
    await form.shows("Big CRM no longer accepts the connection")
    assert await form.element.get_by_text("Your account has no such field").count() == 0
    await form.field("API key").fill(account.key)
    await form.button("Reconnect").first.click()
    await expect(form.element.get_by_text("no longer accepts")).to_have_count(0)
    await expect(box).to_have_value("Phase")
    await form.button("Uninstall").click()
    await expect(form.element.locator("[part~=confirm-button]")).to_be_in_viewport(ratio=1)
