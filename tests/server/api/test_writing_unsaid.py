"""A config that says nothing about writing leaves every object on; to change one leaves the others as they are."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.server.house import House, open_house

SETTINGS = {"selectedFieldSettings": {"notes": {"writeOnUpdate": "never"}}}


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with open_house() as opened:
        await opened.deploy()
        await opened.connect()
        yield opened


async def installed(house: House) -> str:
    made = await house.install(content={"provider": "sandbox", "proxy": {"enabled": True}})
    assert "write" not in made["config"]["content"]
    return f"/integrations/crm/installations/{made['id']}"


async def test_a_mask_of_one_object_leaves_the_others_on(house: House) -> None:
    path = await installed(house)
    draft: dict[str, Any] = {"write": {"objects": {"contacts": {"objectName": "contacts", **SETTINGS}}}}
    body = {"updateMask": ["config.content.write.objects.contacts"], "installation": {"config": {"content": draft}}}
    answer = await house.call("PATCH", path, json=body)
    assert answer.json()["config"]["content"]["write"]["objects"] == {
        "contacts": {"objectName": "contacts", **SETTINGS},
        "companies": {"objectName": "companies"},
    }
    assert (await house.write("companies", {"type": "create", "record": {"name": "Acme"}})).status_code == 200


async def test_a_patch_of_one_object_finds_it(house: House) -> None:
    await installed(house)
    change = {"op": "add", "path": "/selectedFieldSettings", "value": SETTINGS["selectedFieldSettings"]}
    body = {"groupRef": "g1", "action": "write", "changes": [change]}
    answer = await house.call("PATCH", "/integrations/crm/objects/contacts/config-content", json=body)
    assert set(answer.json()["config"]["content"]["write"]["objects"]) == {"contacts", "companies"}


async def test_a_change_of_something_else_leaves_it_unsaid(house: House) -> None:
    path = await installed(house)
    body = {"updateMask": ["config.createdBy"], "installation": {"config": {"createdBy": "builder:1"}}}
    answer = await house.call("PATCH", path, json=body)
    assert "write" not in answer.json()["config"]["content"]
