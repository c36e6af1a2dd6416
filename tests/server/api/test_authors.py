"""Who is written down as the author of an installation, and of each of its configs."""

from typing import Any

import pytest

from tests.server.house import READ_AND_WRITE, House
from tests.server.signing import bearer, register, token

INSTALLATIONS = "/integrations/crm/installations"
WITHOUT_WRITES: dict[str, Any] = {
    "updateMask": ["config.content.write.objects"],
    "installation": {"config": {"content": {"write": {"objects": {}}}}},
}


async def credentials(house: House) -> dict[str, dict[str, str]]:
    return {
        "full": {"X-Api-Key": house.key},
        "frontend": {"X-Api-Key": house.frontend_key},
        "token": bearer(token(await register(house), consumerRef="c2")),
    }


async def send(house: House, method: str, path: str, *, by: str, body: dict[str, Any]) -> Any:
    headers = (await credentials(house))[by]
    answer = await house.client.request(method, f"/v1/projects/{house.project_id}{path}", headers=headers, json=body)
    assert answer.status_code in {200, 201}, answer.text
    return answer.json()


@pytest.mark.parametrize(
    ("by", "author"),
    [("full", "api:create-installation"), ("frontend", "consumer:c1"), ("token", "consumer:c2")],
)
async def test_an_installation_names_the_person_whom_the_credential_stands_for(
    house: House, by: str, author: str
) -> None:
    """A frontend key stands for nobody, so there it is the person who connected: c1."""
    await house.deploy()
    await house.connect()
    body = {"groupRef": "g1", "config": {"content": READ_AND_WRITE}}
    made = await send(house, "POST", INSTALLATIONS, by=by, body=body)
    assert (made["createdBy"], made["config"]["createdBy"]) == (author, author)


@pytest.mark.parametrize("by", ["full", "frontend", "token"])
async def test_who_says_otherwise_is_written_down_so(house: House, by: str) -> None:
    await house.deploy()
    await house.connect()
    body = {"groupRef": "g1", "config": {"content": READ_AND_WRITE, "createdBy": "builder:7"}}
    made = await send(house, "POST", INSTALLATIONS, by=by, body=body)
    assert (made["createdBy"], made["config"]["createdBy"]) == ("builder:7", "builder:7")


@pytest.mark.parametrize(
    ("by", "author"), [("full", "api:update-installation"), ("frontend", "consumer:c1"), ("token", "consumer:c2")]
)
async def test_a_change_names_who_made_it_and_the_installation_who_began(house: House, by: str, author: str) -> None:
    await house.deploy()
    await house.connect()
    made = await house.install()
    changed = await send(house, "PATCH", f"{INSTALLATIONS}/{made['id']}", by=by, body=WITHOUT_WRITES)
    assert changed["config"]["id"] != made["config"]["id"]
    assert changed["config"]["createdBy"] == author
    assert changed["createdBy"] == "api:create-installation"
