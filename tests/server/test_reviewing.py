"""Saving against the customer's account: what it cannot do is refused, and whoever cannot ask it saves all the same."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
import pytest

from connectors.rest import RestConnector, RestObject
from server.reviewing import judge
from tests.accounts import Account, serve_account
from tests.journeys.customers import Json
from tests.journeys.providers import NAMES, account_at
from tests.server.house import House, open_house

P = "config.content"
NICK = f"{P}.read.objects.object_1.selectedFieldMappings.nick"
FIELD_3 = f"{P}.write.objects.object_1.selectedFieldSettings.field_3.default"


class Place(msgspec.Struct, kw_only=True):
    """A customer who is connected, and nothing installed yet."""

    house: House
    account: Account
    connection: Json

    async def install(self, content: Json, query: str = "") -> httpx.Response:
        body = {"groupRef": "g1", "config": {"content": content}}
        return await self.house.call("POST", f"/integrations/crm/installations{query}", json=body)

    async def patch(self, installation: Json, object_config: Json, query: str = "") -> httpx.Response:
        """Replace what is read of one object."""
        body = {
            "updateMask": [f"{P}.read.objects.object_1"],
            "installation": {"config": {"content": content(object_config)}},
        }
        path = f"/integrations/crm/installations/{installation['id']}{query}"
        return await self.house.call("PATCH", path, json=body)


@asynccontextmanager
async def opened(**size: Any) -> AsyncIterator[Place]:
    async with (
        serve_account(**{"objects": 2, "fields": 4, **size}) as account,
        open_house(connectors=[account.connector], provider_urls=account.urls) as house,
    ):
        manifest = account.manifest().replace(
            '"optionalFieldsAuto": "all"', '"optionalFieldsAuto": "all", "optionalFields": [{"mapToName": "nick"}]'
        )
        await house.deploy(manifest)
        connection = await house.connect(provider=account.provider, apiKey=account.key)
        yield Place(house=house, account=account, connection=connection)


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    async with opened() as made:
        yield made


def content(read: Json | None = None, settings: Json | None = None) -> Json:
    return {
        "provider": "bigcrm",
        "read": {"objects": {"object_1": {"selectedFieldsAuto": "all", **(read or {})}}},
        "write": {"objects": {"object_1": {"selectedFieldSettings": {**REQUIRED, **(settings or {})}}}},
    }


REQUIRED = {"field_1": {"default": {"stringValue": "x"}}}
LOST = {"selectedFieldMappings": {"nick": "nowhere"}}
NO_CHOICE = {"field_3": {"default": {"stringValue": "none of them"}}}


def told(answer: httpx.Response) -> set[tuple[str, str]]:
    assert answer.status_code == 422, answer.text
    return {(each["name"], each.get("severity", "error")) for each in answer.json()["issues"]}


async def test_what_the_account_cannot_do_is_refused_together_with_what_the_manifest_forbids(place: Place) -> None:
    broken = content({**LOST, "schedule": "often"}, NO_CHOICE)
    schedule = f"{P}.read.objects.object_1.schedule"
    assert told(await place.install(broken)) == {(NICK, "error"), (FIELD_3, "error"), (schedule, "error")}
    listed = await place.house.call("GET", "/installations?groupRef=g1")
    assert listed.json() == []


async def test_the_account_is_asked_once_for_what_is_saved_often(place: Place) -> None:
    made = await place.install(content())
    assert made.status_code == 201, made.text
    for _ in range(3):
        assert (await place.patch(made.json(), {})).status_code == 200
    assert place.account.asked == {"object_1": 1}


async def test_a_caller_may_leave_the_account_out_of_it(place: Place) -> None:
    made = await place.install(content(LOST, NO_CHOICE), "?skipSampling=true")
    assert made.status_code == 201, made.text
    elsewhere = {"selectedFieldMappings": {"nick": "nowhere else"}}
    assert (await place.patch(made.json(), elsewhere, "?skipSampling=true")).status_code == 200
    assert place.account.asked == {}
    often = {"schedule": "often"}
    assert (await place.patch(made.json(), often, "?skipSampling=true")).status_code == 422


async def test_a_change_answers_for_what_it_makes_and_not_for_what_was_there(place: Place) -> None:
    made = (await place.install(content(LOST, NO_CHOICE), "?skipSampling=true")).json()
    kept = {**LOST, "selectedFields": {"field_2": True}}
    assert (await place.patch(made, kept)).status_code == 200
    worse = {"selectedFieldMappings": {"nick": "nowhere else"}}
    assert told(await place.patch(made, worse)) == {(NICK, "error"), (FIELD_3, "warning")}
    mended = {"selectedFieldMappings": {"nick": "field_2"}}
    assert (await place.patch(made, mended)).status_code == 200
    assert told(await place.patch(made, LOST)) == {(NICK, "error"), (FIELD_3, "warning")}


async def test_what_was_there_may_move_up_in_its_list(place: Place) -> None:
    good, bad = [{"fieldName": name, "operator": "eq", "value": "x"} for name in ("field_1", "nowhere")]
    made = (await place.install(content({"fieldFilters": [good, bad]}), "?skipSampling=true")).json()
    assert (await place.patch(made, {"fieldFilters": [bad]})).status_code == 200
    worse = {"fieldFilters": [bad, {**bad, "fieldName": "nowhere else"}]}
    filters = f"{P}.read.objects.object_1.fieldFilters"
    assert told(await place.patch(made, worse)) == {
        (f"{filters}[0].fieldName", "warning"),
        (f"{filters}[1].fieldName", "error"),
    }


async def test_one_object_s_config_is_patched_under_the_same_rule(place: Place) -> None:
    await place.install(content({}, NO_CHOICE), "?skipSampling=true")

    async def patch(field: str, default: Json) -> httpx.Response:
        change = {"op": "add", "path": f"/selectedFieldSettings/{field}", "value": {"default": default}}
        body = {"groupRef": "g1", "action": "write", "changes": [change]}
        return await place.house.call("PATCH", "/integrations/crm/objects/object_1/config-content", json=body)

    assert (await patch("field_1", {"stringValue": "x"})).status_code == 200
    wrong = f"{P}.write.objects.object_1.selectedFieldSettings.field_2.default"
    assert told(await patch("field_2", {"stringValue": "no number"})) == {(wrong, "error"), (FIELD_3, "warning")}


async def test_on_another_account_nothing_is_old(place: Place) -> None:
    made = (await place.install(content(LOST), "?skipSampling=true")).json()
    other = await place.house.connect(provider=place.account.provider, apiKey=place.account.key)
    body = {"updateMask": ["connectionId"], "installation": {"connectionId": other["id"]}}
    path = f"/integrations/crm/installations/{made['id']}"
    assert told(await place.house.call("PATCH", path, json=body)) == {(NICK, "error")}


async def test_what_is_installed_already_is_answered_whatever_became_of_the_account(place: Place) -> None:
    made = (await place.install(content(LOST), "?skipSampling=true")).json()
    again = await place.install(content(LOST))
    assert (again.status_code, again.json()["id"]) == (201, made["id"])


@pytest.mark.parametrize("status", [401, 403, 429, 500])
async def test_an_account_that_cannot_be_asked_keeps_nobody_from_saving(place: Place, status: int) -> None:
    place.account.status[""] = status
    made = await place.install(content(LOST, NO_CHOICE))
    assert made.status_code == 201, made.text


async def test_a_provider_that_is_away_is_a_warning_of_a_draft_and_keeps_nobody_from_saving() -> None:
    async with serve_account(objects=1, fields=2) as account:
        connector, urls, manifest = account.connector, account.urls, account.manifest()
    async with open_house(connectors=[connector], provider_urls=urls) as house:
        await house.deploy(manifest)
        connection = await house.connect(provider="bigcrm", apiKey="any")
        assert connection["status"] == "created"
        body = {"groupRef": "g1", "content": content(LOST)}
        reviewed = (await house.call("POST", "/integrations/crm:review", json=body)).json()
        assert {issue["severity"] for issue in reviewed["issues"]} == {"warning"}
        assert "not-described" in {issue["code"] for issue in reviewed["issues"]}
        await house.install(content=content(LOST))


async def test_an_account_that_is_slow_keeps_nobody_waiting_for_long(place: Place) -> None:
    services, store = place.house.services, place.house.services.store
    integration = await store.integration(place.house.project_id, "crm")
    connection = await store.connection(place.house.project_id, place.connection["id"])
    place.account.gate.clear()
    judged = await judge(
        services, (integration.latest_revision,), content(LOST), connection=connection, within_seconds=0.01
    )
    place.account.gate.set()
    assert {issue.severity for issue in judged.issues} == {"warning"}
    judged = await judge(services, (integration.latest_revision,), content(LOST), connection=connection)
    assert (NICK, "error") in {(issue.path, issue.severity) for issue in judged.issues}


async def test_a_provider_that_cannot_describe_keeps_nobody_from_saving() -> None:
    async with serve_account(objects=1, fields=2) as account:
        mute = RestConnector(
            provider=account.connector.provider, objects={"object_1": RestObject(path="records")}, probe_path="me"
        )
        async with open_house(connectors=[mute], provider_urls=account.urls) as house:
            await house.deploy(account.manifest())
            await house.connect(provider=account.provider, apiKey=account.key)
            body = {"groupRef": "g1", "config": {"content": content(LOST)}}
            made = await house.call("POST", "/integrations/crm/installations", json=body)
            assert made.status_code == 201, made.text


@pytest.mark.parametrize("name", NAMES)
async def test_picklists_and_fields_of_every_provider_are_minded(name: str) -> None:
    async with account_at(name) as account:
        await account.move_in()
        settings = {
            "no_such_field": {"default": {"stringValue": "x"}},
            account.at.choice: {"default": {"stringValue": "no such choice"}},
        }
        body = {
            "groupRef": "g1",
            "content": {
                "provider": account.customer.provider,
                "write": {"objects": {account.at.object_name: {"selectedFieldSettings": settings}}},
            },
        }
        answer = await account.customer.house.call("POST", "/integrations/crm:review", json=body)
        codes = {issue["code"] for issue in answer.json()["issues"]}
        assert "unknown-field" in codes
        assert codes & {"not-a-choice", "other-choice"}
