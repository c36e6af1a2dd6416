"""An installation whose config is changed moves to the latest revision, unless it does not fit there."""

from typing import Any

from tests.server.house import MANIFEST, House

WIDER = MANIFEST.replace("mapToName: nickname", "mapToName: pet_name")
NARROWER = MANIFEST.replace("        - objectName: companies\n", "")
BOTH: dict[str, Any] = {
    "provider": "sandbox",
    "write": {"objects": {"contacts": {"objectName": "contacts"}, "companies": {"objectName": "companies"}}},
}


async def change(house: House, made: dict[str, Any]) -> Any:
    """Change one setting of contacts; the installation as it is then."""
    mask = "config.content.write.objects.contacts"
    settings = {"objectName": "contacts", "selectedFieldSettings": {"phone": {"writeOnUpdate": "never"}}}
    content = {"provider": "sandbox", "write": {"objects": {"contacts": settings}}}
    body = {"updateMask": [mask], "installation": {"config": {"content": content}}}
    answer = await house.call("PATCH", f"/integrations/crm/installations/{made['id']}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def latest(house: House) -> str:
    """Tell the revision that was deployed last."""
    found = (await house.call("GET", "/integrations/crm")).json()
    return str(found["latestRevision"]["id"])


async def test_a_changed_config_moves_on_and_nothing_moves_before(house: House) -> None:
    await house.deploy()
    await house.connect()
    made = await house.install(content=BOTH)
    await house.deploy(WIDER)
    at_rest = (await house.call("GET", f"/integrations/crm/installations/{made['id']}")).json()
    assert at_rest["config"]["revisionId"] == made["config"]["revisionId"]
    changed = await change(house, made)
    assert changed["config"]["revisionId"] == await latest(house) != made["config"]["revisionId"]


async def test_a_config_that_does_not_fit_the_latest_stays_with_its_own(house: House) -> None:
    await house.deploy()
    await house.connect()
    made = await house.install(content=BOTH)
    await house.deploy(NARROWER)
    changed = await change(house, made)
    assert changed["config"]["id"] != made["config"]["id"]
    assert changed["config"]["revisionId"] == made["config"]["revisionId"] != await latest(house)
