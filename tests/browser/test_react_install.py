"""The published library's own form, in a real browser: installing, changing, pausing, uninstalling, and once more.

After each act the stored config is compared with what was meant, and writes do what it says.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from msgspec.structs import replace
from playwright.async_api import BrowserContext, Page, expect

from connectors.sandbox.access import DEMO_KEY
from connectors.sandbox.connector import SandboxConnector
from connectors.sandbox.data import SANDBOX, SANDBOXES
from tests.browser.library import Product, bundle, product
from tests.browser.stage import CONSUMER, GROUP, Stage, open_stage, photograph
from tests.server.signing import register, token

__all__ = ["bundle"]

pytestmark = pytest.mark.asyncio(loop_scope="session")

MANIFEST = """
specVersion: 1.0.0
integrations:
  - name: crm
    displayName: CRM
    provider: sandbox
    read:
      objects:
        - objectName: contacts
          mapToName: person
          mapToDisplayName: Person
          destination: inbox
          schedule: "0 * * * *"
          requiredFields:
            - fieldName: email
            - fieldName: lastName
              mapToName: surname
            - mapToName: nickname
              mapToDisplayName: Nickname
              prompt: Which field holds the nickname?
          optionalFields:
            - fieldName: phone
            - fieldName: jobTitle
            - fieldName: firstName
              mapToName: first
              mapToDisplayName: Given name
            - mapToName: remark
              mapToDisplayName: Remark
              default: notes
            - mapToName: home
              mapToDisplayName: Home
        - objectName: companies
          destination: inbox
          schedule: "0 0 * * *"
          optionalFieldsAuto: all
    write:
      objects:
        - objectName: contacts
          inheritMapping: true
        - objectName: companies
        - objectName: deals
    proxy:
      enabled: true
"""
STAGES = ["lead", "prospect", "customer", "former_customer"]
SIZES = ["small", "medium", "large"]


def offered(values: list[str]) -> list[dict[str, str]]:
    return [{"mappedValue": f"our-{value}", "mappedDisplayValue": f"Our {value}"} for value in values]


STAGE = {"mapToName": "stage", "mapToDisplayName": "Stage", "prompt": "How far?", "mappedValues": offered(STAGES)}
SHIRT = {"mapToName": "shirt", "fieldName": "x_tshirtSize", "mappedValues": offered(SIZES)}
OFFERS = {"contacts": [STAGE, SHIRT]}
DENIED = "status of 422|^Error \\(422\\)|The credential was refused"
"""What it says of an account that refuses the credential."""
NOT_YET = "^(Field name is missing|fieldName is not a singleSelect)"
"""What it says of values that cannot be mapped yet: their field is not chosen, or not described."""
WATCHED = replace(
    next(provider for provider in SANDBOXES if provider.name == "sandboxOpen"),
    name="sandboxWatched",
    display_name="Watched",
    support=replace(SANDBOX.support, subscribe=True),
)
"""The catalog has nothing yet that tells of its changes."""


@pytest_asyncio.fixture(loop_scope="session")
async def stage(bundle: Path) -> AsyncIterator[Stage]:
    async with open_stage(product_folder=bundle, further=[SandboxConnector(WATCHED)]) as opened:
        yield opened


async def pick(page: Page, label: str, choice: str) -> None:
    """Choose in the box below a label, as somebody does who searches for it."""
    box = page.locator(f"xpath=//span[normalize-space()='{label}']/following::input[@role='combobox'][1]")
    await box.click()
    await box.fill(choice)
    await page.get_by_role("option", name=choice, exact=True).first.click()


async def tick(page: Page, label: str) -> None:
    await page.get_by_label(label, exact=True).click()


async def turn_to(page: Page, tab: str) -> None:
    await page.get_by_role("tab", name=tab).click()


async def all_saved(page: Page) -> None:
    """Wait until no tab says that something is not saved."""
    await expect(page.get_by_text("pending", exact=True)).to_have_count(0)


async def listed(stage: Stage) -> list[Any]:
    """List what the customer has installed."""
    found: list[Any] = (await stage.house.call("GET", f"/installations?groupRef={GROUP}")).json()
    return found


async def content_of(stage: Stage) -> Any:
    """Answer the config of the customer's only installation, as the server keeps it."""
    (found,) = await listed(stage)
    return found["config"]["content"]


async def saved(stage: Stage, shown: Product, *, count: int) -> Any:
    await shown.press("Save")
    await shown.told("updated", count)
    await all_saved(shown.page)
    return await content_of(stage)


async def installed(stage: Stage, **content: Any) -> Any:
    """Deploy, connect and install without a browser."""
    await stage.house.deploy(MANIFEST)
    await stage.connect("sandbox", apiKey=DEMO_KEY)
    body = {"groupRef": GROUP, "config": {"content": {"read": {"objects": {"contacts": CONTACTS}}, **content}}}
    answer = await stage.house.call("POST", "/integrations/crm/installations", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def write(stage: Stage, object_name: str, record: dict[str, Any]) -> httpx.Response:
    body = {"groupRef": GROUP, "type": "create", "record": record}
    return await stage.house.call("POST", f"/integrations/crm/objects/{object_name}", json=body)


STAGES_CHOSEN = {"our-lead": "customer", "our-prospect": "lead", "our-customer": "prospect"}
CONTACTS = {
    "objectName": "contacts",
    "destination": "inbox",
    "schedule": "0 * * * *",
    "selectedFields": {"email": True, "lastName": True, "phone": True},
    "selectedFieldMappings": {"nickname": "fullName", "remark": "notes", "stage": "lifecycleStage"},
    "selectedValueMappings": {"lifecycleStage": STAGES_CHOSEN, "x_tshirtSize": {"our-small": "large"}},
    "dynamicMappingsInput": OFFERS["contacts"],
}


async def fill_in(shown: Product) -> None:
    """Choose fields, mappings and values as a customer does."""
    page = shown.page
    await pick(page, "Nickname", "Full name")
    await pick(page, "Stage", "Lifecycle stage")
    for ours, theirs in (("Our lead", "Customer"), ("Our prospect", "Lead"), ("Our customer", "Prospect")):
        await pick(page, ours, theirs)
    await pick(page, "Our small", "Large")
    await tick(page, "Phone")


async def record_of(stage: Stage, answer: httpx.Response) -> Any:
    """Read a record that was written, at the provider."""
    assert answer.status_code == 200, answer.text
    async with httpx.AsyncClient(base_url=stage.house.sandbox_url, trust_env=False) as crm:
        path = f"/v1/objects/contacts/records/{answer.json()['result']['recordId']}"
        return (await crm.get(path, headers={"X-Sandbox-Key": DEMO_KEY})).json()["fields"]


async def test_a_customer_connects_installs_and_is_written_to(stage: Stage, context: BrowserContext) -> None:
    await stage.house.deploy(MANIFEST)
    async with product(stage, context, integration="crm", fieldMapping=OFFERS, expects=[NOT_YET]) as shown:
        page = shown.page
        await page.locator("input[name=apiKey]").fill(DEMO_KEY)
        await shown.press("Next")
        await shown.shows("Map the following fields")
        await photograph(page, "react-install-empty")
        await fill_in(shown)
        await photograph(page, "react-install-filled")
        await shown.press("Install")
        await shown.told("installed")
        assert await content_of(stage) == {"provider": "sandbox", "read": {"objects": {"contacts": CONTACTS}}}
        await page.get_by_role("tab", name="Companies", selected=True).wait_for()
        await all_saved(page)

        await page.get_by_placeholder("Search fields...").fill("indus")
        await tick(page, "Industry")
        companies = (await saved(stage, shown, count=1))["read"]["objects"]["companies"]
        assert companies["selectedFields"] == {"industry": True}
        await turn_to(page, "Write")
        await tick(page, "Contacts")
        await tick(page, "Deals")
        content = await saved(stage, shown, count=2)
        assert content["write"]["objects"] == {"contacts": {"objectName": "contacts"}, "deals": {"objectName": "deals"}}
        assert content["read"]["objects"] == {"contacts": CONTACTS, "companies": companies}
        await photograph(page, "react-install-write")
    ours = {"email": "ada@globex.test", "surname": "King", "stage": "our-lead", "remark": "first", "home": "gone"}
    theirs = {"email": "ada@globex.test", "lastName": "King", "lifecycleStage": "customer", "notes": "first"}
    assert theirs.items() <= (await record_of(stage, await write(stage, "contacts", ours))).items()
    assert (await write(stage, "companies", {"name": "Globex"})).status_code == 404


async def test_a_customer_changes_and_pauses(stage: Stage, context: BrowserContext) -> None:
    await installed(stage, write={"objects": {"contacts": {}, "deals": {}}})
    async with product(stage, context, integration="crm", fieldMapping=OFFERS, expects=[NOT_YET]) as shown:
        page = shown.page
        await page.get_by_role("button", name="Stop reading from").wait_for()
        await photograph(page, "react-installed")
        await all_saved(page)
        await expect(page.get_by_role("button", name="Save", exact=True)).to_be_disabled()
        await page.get_by_label("clear selection").last.click()
        await tick(page, "Given name")
        changed = (await saved(stage, shown, count=1))["read"]["objects"]["contacts"]
        assert changed == {
            **CONTACTS,
            "selectedFields": {"email": True, "lastName": True, "phone": True, "firstName": True},
            "selectedValueMappings": {"lifecycleStage": STAGES_CHOSEN, "x_tshirtSize": {}},
        }
        # It goes on to what is not installed yet.
        await page.get_by_role("tab", name="Companies", selected=True).wait_for()
        await turn_to(page, "Person")
        await page.get_by_role("button", name="Stop reading from").click()
        await shown.press("Stop reading")
        await page.get_by_text("Reading is currently disabled").wait_for()
        assert (await content_of(stage))["read"]["objects"]["contacts"] == {**changed, "disabled": True}
        await page.get_by_role("button", name="Re-enable reading from").click()
        await page.get_by_text("Reading from Contacts is enabled.").wait_for()
        assert (await content_of(stage))["read"]["objects"]["contacts"] == {**changed, "disabled": False}
        assert (await write(stage, "deals", {"name": "Big", "stage": "new"})).status_code == 200
        await turn_to(page, "Write")
        await tick(page, "Deals")
        assert (await saved(stage, shown, count=2))["write"]["objects"] == {"contacts": {"objectName": "contacts"}}
        assert (await write(stage, "deals", {"name": "Big", "stage": "new"})).status_code == 404


async def test_a_customer_uninstalls_and_installs_again(stage: Stage, context: BrowserContext) -> None:
    installation = await installed(stage)
    async with product(stage, context, integration="crm", fieldMapping=OFFERS, expects=[NOT_YET]) as shown:
        page = shown.page
        await turn_to(page, "Manage")
        await page.locator("input[name=apiKey]").fill(DEMO_KEY)
        await photograph(page, "react-manage")
        await shown.press("Next")
        await shown.shows("Connection updated successfully")
        await shown.press("Yes, uninstall")
        assert await shown.told("uninstalled") == [installation["id"]]
        await shown.shows("Integration successfully uninstalled.")
        assert (await stage.connections(), await listed(stage)) == ([], [])
        await shown.press("Reinstall Integration")
        await page.locator("input[name=apiKey]").fill(DEMO_KEY)
        await shown.press("Next")
        await pick(page, "Nickname", "Full name")
        await shown.press("Install")
        await shown.told("installed")
        again = (await content_of(stage))["read"]["objects"]["contacts"]
        assert again["selectedFieldMappings"] == {"nickname": "fullName", "remark": "notes"}


ONLY = """
specVersion: 1.0.0
integrations:
  - name: proxied
    provider: sandboxOpen
    proxy:
      enabled: true
  - name: watched
    provider: sandboxWatched
    subscribe:
      objects:
        - objectName: contacts
          destination: inbox
          otherEvents: [merged]
"""


async def test_what_needs_no_choice_is_installed_by_itself(stage: Stage, context: BrowserContext) -> None:
    await stage.house.deploy(ONLY)
    meant: dict[str, Any] = {
        "proxied": {"provider": "sandboxOpen", "proxy": {"enabled": True}},
        "watched": {"provider": "sandboxWatched"},
    }
    for name, content in meant.items():
        async with product(stage, context, integration=name) as shown:
            await shown.press("Next")
            await shown.page.get_by_text("You have successfully installed your").wait_for()
            ((told, _),) = await shown.told("installed")
            await photograph(shown.page, f"react-{name}")
            assert [made.method for made in shown.sent] == ["POST", "POST"]
        found = {each["id"]: each["config"]["content"] for each in await listed(stage)}
        assert found[told] == content
    async with product(stage, context, integration="proxied") as shown:
        await shown.press("Uninstall")
        await shown.told("uninstalled")
        await shown.shows("Integration successfully uninstalled.")
    assert len(await listed(stage)) == 1


WRITTEN = """
specVersion: 1.0.0
integrations:
  - name: crm
    provider: sandboxOAuth
    write:
      objects:
        - objectName: contacts
"""


async def test_a_signed_token_installs_as_a_key_does(stage: Stage, context: BrowserContext) -> None:
    site = await stage.prepare("sandboxOAuth")
    await stage.house.deploy(WRITTEN)
    signed = token(await register(stage.house), groupRef=GROUP, consumerRef=CONSUMER)
    async with product(stage, context, integration="crm", token=signed) as shown:
        await site.decide(await shown.popup("Next"), "allow")
        await tick(shown.page, "Contacts")
        await photograph(shown.page, "react-install-token")
        await shown.press("Install")
        await shown.told("installed")
        content = {"objects": {"contacts": {"objectName": "contacts"}}}
        assert await content_of(stage) == {"provider": "sandboxOAuth", "read": {"objects": {}}, "write": content}
        assert {"consumerRef": CONSUMER, "groupRef": GROUP} in await shown.told("asked")
        (installation,) = await listed(stage)
        assert installation["createdBy"] == installation["config"]["createdBy"] == f"consumer:{CONSUMER}"
        await turn_to(shown.page, "Manage")
        await shown.press("Yes, uninstall")
        await shown.told("uninstalled")


async def test_a_connection_that_is_refused_is_mended_in_the_form(stage: Stage, context: BrowserContext) -> None:
    await stage.break_off((await installed(stage))["connection"]["id"])
    refused = {"kind": "status", "status": 401, "times": None}
    async with httpx.AsyncClient(base_url=stage.house.sandbox_url, trust_env=False) as crm:
        await crm.put("/_sandbox/faults", json={"faults": [refused]})
        async with product(stage, context, integration="crm", fieldMapping=OFFERS, expects=[NOT_YET, DENIED]) as shown:
            await shown.shows("The provider answered: The credential was refused.")
            await photograph(shown.page, "react-refused")
            await crm.put("/_sandbox/faults", json={"faults": []})
            await shown.page.locator("input[name=apiKey]").fill(DEMO_KEY)
            await shown.press("Next")
            await shown.shows("Last name")
            await expect(shown.page.get_by_role("combobox").first).to_have_value("Full name")
            await all_saved(shown.page)
            await photograph(shown.page, "react-mended")
    assert (await content_of(stage))["read"]["objects"]["contacts"] == CONTACTS
