"""Drafts: what saving one would say, and what a write would become under it, before anything is saved."""

import random
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from connectors.sandbox.access import DEMO_KEY, KEY_HEADER
from tests.accounts import serve_account
from tests.server.house import MANIFEST, House, open_house
from tests.server.signing import bearer, register, token

JsonObject = dict[str, Any]
P = "config.content"
WRITE = f"{P}.write.objects.contacts"


def content(read: JsonObject | None = None, write: JsonObject | None = None) -> JsonObject:
    return {
        "provider": "sandbox",
        "read": {"objects": {"contacts": {"selectedFieldsAuto": "all", **(read or {})}}},
        "write": {"objects": {"contacts": write or {}}},
    }


async def review(house: House, draft: JsonObject, **more: Any) -> Any:
    """Have a draft reviewed, as a page would."""
    body = {"groupRef": "g1", "content": draft, **more}
    answer = await house.call("POST", "/integrations/crm:review", json=body, key=house.frontend_key)
    assert answer.status_code == 200, answer.text
    return answer.json()


def found(reviewed: Any) -> set[tuple[str, str, str]]:
    return {(issue["path"], issue["code"], issue.get("severity", "error")) for issue in reviewed["issues"]}


async def test_a_sound_draft_is_answered_filled_in(house: House) -> None:
    await house.deploy()
    await house.connect()
    reviewed = await review(house, content())
    assert reviewed["issues"] == []
    contacts = reviewed["content"]["read"]["objects"]["contacts"]
    assert (contacts["schedule"], contacts["destination"]) == ("0 * * * *", "inbox")


BROKEN = content(
    {"selectedFieldMappings": {"nickname": "nowhere"}, "schedule": "often"},
    {
        "selectedFieldSettings": {
            "createdAt": {"default": {"stringValue": "now"}},
            "x_tshirtSize": {"default": {"stringValue": "huge"}},
            "phone": {"default": {"stringValue": "1", "integerValue": 1}},
        }
    },
)
IN_THE_MANIFEST = {
    (f"{P}.read.objects.contacts.schedule", "invalid-schedule", "error"),
    (f"{WRITE}.selectedFieldSettings.phone.default", "ambiguous-default", "error"),
}
IN_THE_ACCOUNT = {
    (f"{P}.read.objects.contacts.selectedFieldMappings.nickname", "unknown-field", "error"),
    (f"{WRITE}.selectedFieldSettings.x_tshirtSize.default", "not-a-choice", "error"),
    (f"{WRITE}.selectedFieldSettings.createdAt.default", "read-only", "error"),
}


async def test_everything_is_found_at_once_and_the_account_s_part_only_where_there_is_one(house: House) -> None:
    await house.deploy()
    before = found(await review(house, BROKEN))
    await house.connect()
    after = found(await review(house, BROKEN))
    assert {path for path, _, _ in before} == {path for path, _, _ in IN_THE_MANIFEST}
    assert {(path, severity) for path, _, severity in after} >= {
        (path, severity) for path, _, severity in IN_THE_MANIFEST | IN_THE_ACCOUNT
    }


SLIPS = {**content(write={"selectedFieldSettings": {"phone": {"defualt": {"stringValue": "1"}}}}), "proxi": {}}


async def test_what_is_ignored_though_it_is_nearly_known_is_a_warning(house: House) -> None:
    await house.deploy()
    await house.connect()
    reviewed = await review(house, SLIPS)
    assert [(each["path"], each["remedy"], each["severity"]) for each in reviewed["issues"]] == [
        (f"{P}.proxi", "did you mean proxy?", "warning"),
        (f"{WRITE}.selectedFieldSettings.phone.defualt", "did you mean default?", "warning"),
    ]
    body = {"groupRef": "g1", "config": {"content": SLIPS}}
    assert (await house.call("POST", "/integrations/crm/installations", json=body)).status_code == 201


async def test_where_something_is_missing_its_misspelt_name_is_told(house: House) -> None:
    await house.deploy()
    reviewed = await review(house, content(write={"deletionSettings": {"enable": True}}))
    assert found(reviewed) == {
        (f"{WRITE}.deletionSettings.enabled", "required", "error"),
        (f"{WRITE}.deletionSettings.enable", "unknown-member", "warning"),
    }


async def test_saving_says_the_same(house: House) -> None:
    await house.deploy()
    await house.connect()
    reviewed = await review(house, BROKEN)
    body = {"groupRef": "g1", "config": {"content": BROKEN}}
    refused = await house.call("POST", "/integrations/crm/installations", json=body)
    assert refused.status_code == 422
    told = {(each["name"], each["code"], each.get("severity", "error")) for each in refused.json()["issues"]}
    assert told == found(reviewed)


async def test_a_shape_that_makes_no_config_is_listed_too(house: House) -> None:
    await house.deploy()
    reviewed = await review(house, {"provider": "sandbox", "read": {"objects": {"contacts": {"selectedFields": 1}}}})
    assert found(reviewed) == {(f"{P}.read.objects.contacts.selectedFields", "wrong-type", "error")}
    assert "content" not in reviewed


async def test_what_the_standing_config_has_already_is_a_warning(house: House) -> None:
    await house.deploy()
    await house.connect()
    gone = {"selectedFieldMappings": {"nickname": "nowhere"}}
    body = {"groupRef": "g1", "config": {"content": content(gone)}}
    made = await house.call("POST", "/integrations/crm/installations?skipSampling=true", json=body)
    assert made.status_code == 201, made.text
    path = f"{P}.read.objects.contacts.selectedFieldMappings.nickname"
    assert found(await review(house, content(gone))) == {(path, "unknown-field", "warning")}
    elsewhere = {"selectedFieldMappings": {"nickname": "nowhere else"}}
    assert found(await review(house, content(elsewhere))) == {(path, "unknown-field", "error")}


async def test_asked_to_the_account_is_looked_at_again() -> None:
    async with (
        serve_account(objects=2, fields=3) as account,
        open_house(connectors=[account.connector], provider_urls=account.urls) as house,
    ):
        await house.deploy(account.manifest())
        await house.connect(provider=account.provider, apiKey=account.key)
        draft = {"provider": "bigcrm", "read": {"objects": {"object_1": {"selectedFields": {"field_4": True}}}}}
        draft["write"] = {"objects": {}}
        assert [code for _, code, _ in found(await review(house, draft))] == ["unknown-field"]
        assert account.asked == {"object_1": 1}, "what a draft does not have on is nobody's business"
        described = account.described["object_1"]
        described.fields["field_4"] = described.fields["field_3"]
        assert [code for _, code, _ in found(await review(house, draft))] == ["unknown-field"]
        assert found(await review(house, draft, refresh=True)) == set()


async def test_a_group_s_draft_is_its_own(house: House) -> None:
    await house.deploy()
    other = await house.connect("g2")
    kid = await register(house)
    body = {"groupRef": "g1", "content": content(), "objectName": "contacts", "type": "create", "record": {}}
    path = f"/v1/projects/{house.project_id}/integrations/crm"
    for verb in (":review", ":preview"):
        named = await house.call("POST", f"/integrations/crm{verb}", json={**body, "connectionId": other["id"]})
        assert (named.status_code, named.json()["issues"][0]["name"]) == (422, "connectionId")
        unknown = await house.call("POST", f"/integrations/none{verb}", json=body)
        assert unknown.status_code == 404
        for group, status in (("g1", 200), ("g2", 403)):
            headers = bearer(token(kid, groupRef=group))
            answer = await house.client.post(f"{path}{verb}", json=body, headers=headers)
            assert answer.status_code == status, answer.text


RECORD = {"email": "a@b.co", "nickname": "Al", "size": "s", "firstName": "Ann", "extra": 1}
CHOICES: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("default", ({"stringValue": "x"}, {"stringValue": ""}, None)),
    ("writeOnCreate", ("always", "never", None)),
    ("writeOnUpdate", ("always", "never", "ifEmpty", None)),
)
NAMES = ("email", "emailAddress", "nickname", "firstName", "lastName", "phone", "$['address']['city']")
TRIALS = MANIFEST.replace(
    "        - objectName: companies", "          upsertKeys: [email]\n        - objectName: companies"
)


def some_settings(rnd: random.Random) -> Iterator[tuple[str, JsonObject]]:
    for name in rnd.sample(NAMES, rnd.randint(0, 4)):
        made = {member: rnd.choice(values) for member, values in CHOICES}
        yield name, {member: value for member, value in made.items() if value is not None}


def some_config(rnd: random.Random) -> JsonObject:
    mappings = {"nickname": rnd.choice(["lastName", "notes", "$['address']['city']"])} if rnd.random() < 0.7 else {}
    write: JsonObject = {
        "selectedFieldSettings": dict(some_settings(rnd)),
        # Members of ours that are left out would stay as they are when it is saved.
        "selectedValueMappings": rnd.choice([{"x_tshirtSize": {"s": "small", "m": "medium"}}, {}]),
        "selectedFieldMappings": rnd.choice([{"size": "x_tshirtSize"}, {}]),
        "removeUnmappedFields": rnd.random() < 0.3,
    }
    if rnd.random() < 0.5:
        write["deletionSettings"] = {"enabled": rnd.random() < 0.5}
    return content({"selectedFieldMappings": mappings}, write)


def some_trial(rnd: random.Random, record_id: str) -> JsonObject:
    kind = rnd.choice(["create", "update", "upsert", "delete"])
    record: JsonObject = {name: value for name, value in RECORD.items() if rnd.random() < 0.6}
    if kind in {"update", "delete"} and rnd.random() < 0.9:
        record["id"] = record_id
    if kind == "upsert":
        record["email"] = rnd.choice(["there@b.co", "nobody@b.co"])
    return {"type": kind, "record": record, **({"matchKey": "email"} if kind == "upsert" else {})}


@pytest.mark.parametrize("seed", range(4))
async def test_a_preview_tells_exactly_what_explaining_tells_once_the_draft_is_saved(house: House, seed: int) -> None:
    rnd = random.Random(seed)  # noqa: S311 -- the same drafts each time
    await house.deploy(TRIALS)
    await house.connect()
    installation = await house.install()
    made = await house.write("contacts", {"type": "create", "record": {"emailAddress": "there@b.co", "phone": "1"}})
    record_id = made.json()["result"]["recordId"]
    told: set[int] = set()
    for _ in range(25):
        draft, trial = some_config(rnd), some_trial(rnd, record_id)
        body = {"groupRef": "g1", "content": draft, "objectName": rnd.choice(["contacts", "person"]), **trial}
        current = await held(
            house, record_id, there=trial["record"].get("email") == "there@b.co" or "id" in trial["record"]
        )
        preview = await house.call("POST", "/integrations/crm:preview", json={**body, "current": current})
        change = {
            "updateMask": ["config.content.read.objects.contacts", "config.content.write.objects.contacts"],
            "installation": {"config": {"content": draft}},
        }
        path = f"/integrations/crm/installations/{installation['id']}?skipSampling=true"
        saved = await house.call("PATCH", path, json=change)
        if saved.status_code != 200:
            assert saved.status_code == 422
            continue
        told.add(preview.status_code)
        path = f"/integrations/crm/objects/{body['objectName']}:explain"
        explained = await house.call("POST", path, json={"groupRef": "g1", **trial})
        assert preview.status_code == explained.status_code, (preview.text, explained.text)
        if explained.status_code == 200:
            assert preview.json() == explained.json()
        else:
            assert preview.json()["issues"] == explained.json()["issues"]
    assert 200 in told


async def held(house: House, record_id: str, *, there: bool) -> JsonObject | None:
    """Read what the sandbox has."""
    if not there:
        return None
    url = f"{house.sandbox_url}/v1/objects/contacts/records/{record_id}"
    async with httpx.AsyncClient(timeout=60) as client:
        answer = await client.get(url, headers={KEY_HEADER: DEMO_KEY})
    found: JsonObject = answer.json()
    return {**found.get("fields", found), "id": record_id}


async def preview(house: House, **more: Any) -> Any:
    body = {"groupRef": "g1", "content": content(), "objectName": "contacts", "type": "update", **more}
    answer = await house.call("POST", "/integrations/crm:preview", json=body, key=house.frontend_key)
    return answer.status_code, answer.json()


IF_EMPTY = content(write={"selectedFieldSettings": {"phone": {"writeOnUpdate": "ifEmpty"}}})


@pytest.mark.parametrize(
    ("known", "fate"),
    [
        ({}, "pending"),
        ({"current": None}, "sent"),
        ({"current": {"phone": ""}}, "sent"),
        ({"current": {"phone": "2"}}, "dropped"),
    ],
)
async def test_what_depends_on_the_provider_is_told_by_what_the_page_says_it_has(
    house: House, known: JsonObject, fate: str
) -> None:
    await house.deploy()
    status, told = await preview(house, content=IF_EMPTY, record={"id": "1", "phone": "1"}, **known)
    assert status == 200, told
    assert [each["fate"] for each in told["records"][0]["fields"]] == [fate]


async def test_a_match_whose_id_nobody_says_has_none(house: House) -> None:
    await house.deploy(TRIALS)
    trial = {"type": "upsert", "matchKey": "email", "record": {"email": "a@b.co", "phone": "1"}, "content": IF_EMPTY}
    for current, record_id in (({"phone": "2"}, None), ({"phone": "2", "id": 7}, "7"), (None, None)):
        status, told = await preview(house, **trial, current=current)
        assert (status, told["change"]["records"][0].get("id")) == (200, record_id), told


@pytest.mark.parametrize(
    ("more", "status", "name"),
    [
        ({"objectName": "ghosts"}, 404, "objectName"),
        ({"objectName": "companies"}, 404, "objectName"),
        ({"record": {}}, 422, "record.id"),
        ({"matchKey": "email", "record": {"id": "1"}}, 422, "matchKey"),
        ({"type": "delete", "record": {"id": "1"}}, 422, "type"),
        ({"type": "merge"}, 400, "type"),
        ({"record": []}, 400, "record"),
        ({"current": 1}, 400, "current"),
        ({"content": 1}, 400, "content"),
        ({"content": {"read": 1}}, 422, f"{P}.read"),
        ({"connectionId": "none"}, 422, "connectionId"),
    ],
)
async def test_what_cannot_be_previewed_says_why(house: House, more: JsonObject, status: int, name: str) -> None:
    await house.deploy()
    got, problem = await preview(house, **{"record": {"id": "1"}, **more})
    assert (got, [each["name"] for each in problem["issues"]][:1]) == (status, [name]), problem


async def test_a_preview_calls_nobody_and_leaves_nothing() -> None:
    async with (
        serve_account(objects=2, fields=3) as account,
        open_house(connectors=[account.connector], provider_urls=account.urls) as house,
    ):
        await house.deploy(account.manifest())
        connection = await house.connect(provider=account.provider, apiKey=account.key)
        draft = {"provider": account.provider, "write": {"objects": {"object_1": {}}}}
        trial = {"objectName": "object_1", "type": "create", "record": {"field_1": "a"}}
        status, told = await preview(house, content=draft, connectionId=connection["id"], **trial)
        assert (status, told["change"]["records"][0]["fields"]) == (200, {"field_1": "a"})
        assert (account.asked, account.records) == ({}, [])
        listed = await house.call("GET", "/installations?groupRef=g1")
        assert listed.json() == []


async def test_a_draft_has_a_size(house: House) -> None:
    await house.deploy()
    body = {"groupRef": "g1", "content": content(write={"selectedFieldSettings": {"x" * 300_000: {}}})}
    assert (await house.call("POST", "/integrations/crm:review", json=body)).status_code == 413


async def test_a_draft_full_of_one_mistake_is_answered_in_part_errors_first(house: House) -> None:
    await house.deploy()
    await house.connect()
    settings = {f"nothing_{number}": {"writeOnUpdate": "never"} for number in range(2000)}
    reviewed = await review(house, content(write={"selectedFieldSettings": settings}))
    assert (len(reviewed["issues"]), reviewed["issues"][-1]["code"]) == (501, "more-issues")
    assert {issue.get("severity", "error") for issue in reviewed["issues"][:-1]} == {"error"}
