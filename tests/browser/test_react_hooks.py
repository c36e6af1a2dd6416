"""The published library's headless hooks in a real browser: what they read, what they send, and what becomes of it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext

from connectors.sandbox.access import DEMO_KEY
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
          destination: inbox
          schedule: "0 * * * *"
          requiredFields:
            - fieldName: email
            - mapToName: nickname
              prompt: Which field holds the nickname?
          optionalFields:
            - fieldName: phone
            - mapToName: remark
              default: notes
        - objectName: companies
          destination: inbox
          schedule: "0 0 * * *"
          optionalFieldsAuto: all
    write:
      objects:
        - objectName: contacts
          inheritMapping: true
          valueDefaults:
            allowAnyFields: true
        - objectName: deals
    proxy:
      enabled: true
"""
BROKEN = r"broken on purpose|\[Error Info\]"
"""What the page throws, so that the library's error boundary has something to catch."""
NOT_YET = "^Object contacts not found"
"""What it says as long as the manifest is not there: its draft asks for the object too early."""


@pytest_asyncio.fixture(loop_scope="session")
async def stage(bundle: Path) -> AsyncIterator[Stage]:
    async with open_stage(product_folder=bundle) as opened:
        await opened.house.deploy(MANIFEST)
        await opened.connect("sandbox", apiKey=DEMO_KEY)
        yield opened


def names(fields: Any) -> list[str]:
    return [field.get("fieldName") or field["mapToName"] for field in fields]


async def test_the_manifest_is_read_with_the_account_s_own_fields(stage: Stage, context: BrowserContext) -> None:
    (connection,) = await stage.connections()
    async with product(stage, context, integration="crm", headless=True, expects=[BROKEN]) as shown:
        await shown.shows("This part is broken, and the page stands.")
        await shown.until("h.manifest.isSuccess && h.installed.isLoaded")
        assert await shown.hook("h.connection.connection.id") == connection["id"]
        assert await shown.hook("[h.context.projectIdOrName, h.props.projectIdOrName]") == [stage.house.project_id] * 2
        assert await shown.hook("[h.installation.installation ?? 'none', h.installed.isIntegrationInstalled]") == [
            "none",
            False,
        ]
        objects = await shown.hook("h.manifest.getReadObjects().map((each) => [each.objectName, each.displayName])")
        assert objects == [["contacts", "Contacts"], ["companies", "Companies"]]
        for getter, wanted in GETTERS.items():
            assert names(await shown.hook(f"h.manifest.getReadObject('contacts').{getter}")) == wanted, getter
        every = names(await shown.hook("h.manifest.getReadObject('companies').getOptionalFields()"))
        assert {"name", "domain", "industry"} <= set(every)
        assert await shown.hook("h.manifest.getWriteObject('contacts').object") == {
            "objectName": "contacts",
            "displayName": "Contacts",
            "valueDefaults": {"allowAnyFields": True},
        }
        size = await shown.hook("h.manifest.getCustomerFieldsForObject('contacts').getField('x_tshirtSize')")
        assert (size["valueType"], [each["value"] for each in size["values"]]) == (
            "singleSelect",
            ["small", "medium", "large"],
        )
        fields = await shown.hook("h.manifest.getCustomerFieldsForObject('contacts').allFields")
        assert fields["email"]["displayName"] == "Email"
        assert fields["fullName"]["readOnly"] is True
        assert await shown.hook("[h.enums.create.Never, h.enums.update.IfEmpty]") == ["never", "ifEmpty"]
        assert await shown.hook("[h.manifest.data.content.name, h.legacy.draft === h.local.draft]") == ["crm", True]


GETTERS = {
    "getRequiredFields()": ["email", "nickname"],
    "getRequiredFields('no-mappings')": ["email"],
    "getRequiredFields('mappings')": ["nickname"],
    "getRequiredMapFields()": ["nickname"],
    "getOptionalFields()": ["phone", "remark"],
    "getOptionalFields('no-mappings')": ["phone"],
    "getOptionalMapFields()": ["remark"],
}

DRAWN = """
const read = h.local.readObject('contacts'), write = h.local.writeObject('contacts');
h.local.readObject('companies').setEnableRead();
h.local.readObject('companies').setSelectedField({fieldName: 'name', selected: true});
read.setEnableRead();
read.setSelectedField({fieldName: 'phone', selected: true});
read.setSelectedField({fieldName: 'jobTitle', selected: true});
read.setSelectedField({fieldName: 'jobTitle', selected: false});
read.setFieldMapping({fieldName: 'fullName', mapToName: 'nickname'});
read.setFieldMapping({fieldName: 'birthday', mapToName: 'born'});
read.deleteFieldMapping('born');
write.setEnableWrite();
const reader = {default: {stringValue: 'Reader'}, writeOnUpdate: 'ifEmpty'};
write.setSelectedFieldSettings({fieldName: 'jobTitle', settings: reader});
write.setDefaultValues({fieldName: 'score', value: {integerValue: 0}});
write.setWriteOnCreateSetting({fieldName: 'phone', value: 'never'});
write.setWriteOnUpdateSetting({fieldName: 'subscribed', value: 'never'});
write.setDefaultValues({fieldName: 'subscribed', value: {booleanValue: false}});
h.local.writeObject('deals').setEnableWrite();
h.local.writeObject('deals').setEnableDeletion();
h.local.proxy().setEnableProxy();
"""
TAKEN_BACK = """
h.local.setDraft((draft) => draft);
h.local.removeObject('deals');
h.local.proxy().setDisableProxy();
"""
CHANGED = """
h.local.readObject('companies').setDisableRead();
const write = h.local.writeObject('contacts');
write.setSelectedFieldSettings({fieldName: 'jobTitle', settings: undefined});
write.setWriteOnUpdateSetting({fieldName: 'phone', value: 'never'});
write.setEnableDeletion();
write.setDisableDeletion();
h.local.writeObject('deals').setDisableWrite();
"""
CONTACTS = "h.local.writeObject('contacts')"
READ = {
    "objectName": "contacts",
    "destination": "inbox",
    "schedule": "0 * * * *",
    "disabled": False,
    "selectedFields": {"email": True, "phone": True},
    "selectedFieldMappings": {"nickname": "fullName", "remark": "notes"},
}
COMPANIES = {
    "objectName": "companies",
    "destination": "inbox",
    "schedule": "0 0 * * *",
    "selectedFields": {"name": True},
    "selectedFieldMappings": {},
}
SETTINGS: dict[str, Any] = {
    "score": {"default": {"integerValue": 0}},
    "phone": {"writeOnCreate": "never"},
    "subscribed": {"default": {"booleanValue": False}, "writeOnUpdate": "never"},
}
TITLE = {"jobTitle": {"default": {"stringValue": "Reader"}, "writeOnUpdate": "ifEmpty"}}
WRITE = {"objectName": "contacts", "selectedFieldSettings": {**SETTINGS, **TITLE}}
DEALS = {"objectName": "deals", "deletionSettings": {"enabled": True}}


async def draw(shown: Product, script: str, until: str) -> None:
    """Change the draft, and wait until the hooks have it."""
    await shown.page.evaluate(f"() => {{ const h = window.hooks; {script} }}")
    await shown.until(until)


ACTS = {"create": "createInstallation", "update": "updateInstallation", "remove": "deleteInstallation"}


async def save(shown: Product, hook: str) -> Any:
    """Create, update or delete with the draft; the installation, or an error."""
    return await shown.page.evaluate(
        f"() => done((calls) => hooks.{hook}.{ACTS[hook]}({{config: hooks.local.get(), ...calls}}))"
    )


async def content_of(stage: Stage) -> Any:
    (found,) = (await stage.house.call("GET", f"/installations?groupRef={GROUP}")).json()
    return found["config"]["content"]


async def written(stage: Stage, **body: Any) -> Any:
    """Write a contact, and read it at the provider."""
    answer = await stage.house.call("POST", "/integrations/crm/objects/contacts", json={"groupRef": GROUP, **body})
    assert answer.status_code == 200, answer.text
    async with httpx.AsyncClient(base_url=stage.house.sandbox_url, trust_env=False) as crm:
        path = f"/v1/objects/contacts/records/{answer.json()['result']['recordId']}"
        return (await crm.get(path, headers={"X-Sandbox-Key": DEMO_KEY})).json()


async def test_a_draft_is_created_changed_and_deleted(stage: Stage, context: BrowserContext) -> None:
    signed = token(await register(stage.house), groupRef=GROUP, consumerRef=CONSUMER)
    known: dict[str, Any] = {"integration": "crm", "headless": True, "token": signed, "expects": [BROKEN, NOT_YET]}
    async with product(stage, context, **known) as shown:
        await shown.until("h.manifest.isSuccess && h.installed.isLoaded")
        assert "not created yet" in (await save(shown, "update"))["error"]
        assert "not found" in (await save(shown, "remove"))["error"]
        await draw(shown, DRAWN, "h.local.proxy().getProxyEnabled()")
        await photograph(shown.page, "react-headless-draft")
        read = "h.local.readObject('contacts')"
        assert await shown.hook(f"[{read}.getSelectedField('phone'), {read}.getSelectedField('jobTitle')]") == [
            True,
            False,
        ]
        assert await shown.hook(f"{read}.getFieldMapping('nickname')") == "fullName"
        installation = await save(shown, "create")
        assert await content_of(stage) == {
            "provider": "sandbox",
            "read": {"objects": {"contacts": READ, "companies": {**COMPANIES, "disabled": False}}},
            "write": {"objects": {"contacts": WRITE, "deals": DEALS}},
            "proxy": {"enabled": True},
        }
        assert installation["createdBy"] == f"consumer:{CONSUMER}"
        await shown.until("h.installed.isIntegrationInstalled && h.installation.installation")
        assert "already created" in (await save(shown, "create"))["error"]
        assert await shown.hook(f"{CONTACTS}.getSelectedFieldSettings('jobTitle').default.stringValue") == "Reader"
        assert await shown.hook(
            f"[{CONTACTS}.getDefaultValues('score').integerValue, {CONTACTS}.getWriteOnCreateSetting('phone'),"
            f" {CONTACTS}.getWriteOnUpdateSetting('subscribed'), {CONTACTS}.getWriteObject().objectName]"
        ) == [0, "never", "never", "contacts"]
        record = {"email": "ada@globex.test", "phone": "1", "remark": "hello"}
        made = await written(stage, type="create", record=record)
        assert (
            made["fields"].items() >= {"score": 0, "subscribed": False, "jobTitle": "Reader", "notes": "hello"}.items()
        )
        assert "phone" not in made["fields"]

        await draw(shown, TAKEN_BACK, f"{CONTACTS}.object && !h.local.proxy().getProxyEnabled()")
        assert await shown.hook("h.local.get()") == await shown.hook("h.local.draft")
        await draw(shown, "h.local.reset();", "h.local.proxy().getProxyEnabled()")
        await draw(shown, CHANGED, f"{CONTACTS}.getWriteOnUpdateSetting('phone') === 'never'")
        await save(shown, "update")
        assert shown.sent[-1].body["updateMask"] == [
            "config.content.write.objects",
            "config.content.read.objects.companies",
            "config.content.read.objects.contacts",
        ]
        content = await content_of(stage)
        assert content["read"]["objects"] == {"contacts": READ, "companies": {**COMPANIES, "disabled": True}}
        phone = {"phone": {"writeOnCreate": "never", "writeOnUpdate": "never"}}
        kept = {"objectName": "contacts", "selectedFieldSettings": {**SETTINGS, **phone}}
        assert content["write"]["objects"] == {"contacts": {**kept, "deletionSettings": {"enabled": False}}}
        await save(shown, "remove")
        await shown.until("!h.installed.isIntegrationInstalled && !h.connection.connection")
        assert await stage.connections() == []


OURS: dict[str, Any] = {
    "objectName": "contacts",
    "inheritMapping": True,
    "selectedFieldMappings": {"grade": "rating"},
    "selectedValueMappings": {"lifecycleStage": {"won": "customer"}},
    "removeUnmappedFields": True,
    "selectedFieldSettings": {
        "rating": {"default": {"floatValue": 4.5}},
        "birthday": {"default": {"dateValue": "2000-01-31"}, "writeOnCreate": "always"},
        "interests": {"default": {"listValue": ["events"]}},
        "jobTitle": {"default": {"stringValue": "Reader"}},
    },
}


async def test_what_it_does_not_know_survives_it(stage: Stage, context: BrowserContext) -> None:
    filters = [{"fieldName": "phone", "operator": "eq", "value": "1"}]
    read = {"contacts": {"selectedFieldMappings": {"nickname": "fullName"}, "fieldFilters": filters}}
    content = {"read": {"objects": read}, "write": {"objects": {"contacts": OURS}}}
    body = {"groupRef": GROUP, "config": {"content": content}}
    answer = await stage.house.call("POST", "/integrations/crm/installations", json=body)
    assert answer.status_code == 201, answer.text
    before = answer.json()["config"]["content"]
    async with product(stage, context, integration="crm", headless=True, expects=[BROKEN, NOT_YET]) as shown:
        await shown.until("h.manifest.isSuccess && h.local.draft.provider")
        touched = "h.local.writeObject('contacts').setWriteOnUpdateSetting({fieldName: 'rating', value: 'never'})"
        await draw(shown, touched, f"{CONTACTS}.getWriteOnUpdateSetting('rating') === 'never'")
        await save(shown, "update")
        after = await content_of(stage)
        settings = {
            **OURS["selectedFieldSettings"],
            "rating": {"default": {"floatValue": 4.5}, "writeOnUpdate": "never"},
        }
        assert after["write"]["objects"]["contacts"] == {**OURS, "selectedFieldSettings": settings}
        assert after["read"] == before["read"]


async def test_what_is_refused_says_why(stage: Stage, context: BrowserContext) -> None:
    refused = r"status of 422|Error creating installation|Error \(422\)|\[Error Message\]|\[Remedy\]"
    async with product(stage, context, integration="crm", headless=True, expects=[BROKEN, NOT_YET, refused]) as shown:
        await shown.until("h.manifest.isSuccess && h.installed.isLoaded")
        wrong = "h.local.readObject('contacts').setFieldMapping({fieldName: 'fulName', mapToName: 'nickname'})"
        await draw(shown, wrong, "h.local.readObject('contacts').object")
        await save(shown, "create")
        await shown.until("h.create.errorMsg")
        said = await shown.hook("h.create.errorMsg")
        assert "fulName" in said
        assert await shown.hook("h.installed.isIntegrationInstalled") is False
