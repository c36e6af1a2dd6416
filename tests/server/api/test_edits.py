"""Editing an installation over HTTP: all or nothing, also when others edit it at the same time."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.server.house import MANIFEST, ON_EVERY_STORE, READ_AND_WRITE, House
from tests.server.signing import bearer, register, token

INSTALLATIONS = "/integrations/crm/installations"
SOURCE = {"edit": "setFieldSettings", "objectName": "contacts", "fieldName": "jobTitle", "settings": None}
SETTINGS = {"default": {"stringValue": "myApp"}, "writeOnUpdate": "never"}


async def installed(house: House, content: dict[str, Any] | None = None) -> Any:
    await house.deploy()
    await house.connect()
    return await house.install(content=content)


async def edit(house: House, installation: Any, *edits: dict[str, Any], **rest: Any) -> httpx.Response:
    path = f"{INSTALLATIONS}/{installation['id']}:edit"
    return await house.call("POST", path, json={"edits": edits, **rest})


async def stored(house: House, installation: Any) -> Any:
    return (await house.call("GET", f"{INSTALLATIONS}/{installation['id']}")).json()


async def test_edits_change_the_config_and_nothing_else(house: House) -> None:
    before = await installed(house)
    answer = await edit(
        house,
        before,
        {**SOURCE, "settings": SETTINGS},
        {"edit": "mapField", "objectName": "contacts", "mapToName": "nickname", "fieldName": "firstName"},
        {"edit": "enableWrite", "objectName": "companies"},
    )
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert said["changed"] == [
        "config.content.read.objects.contacts.selectedFieldMappings",
        "config.content.write.objects.contacts.selectedFieldSettings",
        "config.content.write.objects.companies",
    ]
    after = said["installation"]
    assert after == await stored(house, before)
    assert after["config"]["id"] != before["config"]["id"]
    assert after["config"]["content"] == {
        **before["config"]["content"],
        "read": {
            "objects": {
                "contacts": {
                    **before["config"]["content"]["read"]["objects"]["contacts"],
                    "selectedFieldMappings": {"nickname": "firstName"},
                }
            }
        },
        "write": {
            "objects": {
                "contacts": {"objectName": "contacts", "selectedFieldSettings": {"jobTitle": SETTINGS}},
                "companies": {"objectName": "companies"},
            }
        },
    }


async def test_a_dry_run_answers_the_same_and_saves_nothing(house: House) -> None:
    before = await installed(house)
    one = {**SOURCE, "settings": SETTINGS}
    would = await edit(house, before, one, dryRun=True)
    assert would.status_code == 200, would.text
    assert await stored(house, before) == before
    did = await edit(house, before, one)
    for said in (would.json(), did.json()):
        said["installation"].pop("updateTime", None)
        said["installation"]["config"] = {**said["installation"]["config"], "id": "", "createTime": ""}
        assert said["issues"] == would.json()["issues"]
    assert would.json()["changed"] == did.json()["changed"]


async def test_many_edits_make_no_config_without_end(house: House) -> None:
    installation = await installed(house)
    statuses, said = [], ""
    for turn in range(5):
        edits = [
            {"edit": "mapField", "objectName": "contacts", "mapToName": f"{turn}_{n}_{'x' * 230}", "fieldName": "email"}
            for n in range(850)
        ]
        answer = await edit(house, installation, *edits)
        statuses.append(answer.status_code)
        said = answer.text
    assert statuses == [200, 200, 200, 200, 422]
    assert "too-large" in said
    before = await stored(house, installation)
    answer = await edit(house, installation, {"edit": "removeObject", "objectName": "contacts"})
    assert (answer.status_code, (await stored(house, installation)) != before) == (200, True)


WITHOUT_EFFECT: list[list[dict[str, Any]]] = [
    [{"edit": "enableWrite", "objectName": "contacts"}],
    [{**SOURCE, "settings": SETTINGS}, {**SOURCE, "settings": None}],
    [{"edit": "disableDeletion", "objectName": "contacts"}],
    [{"edit": "disableRead", "objectName": "contacts"}, {"edit": "enableRead", "objectName": "contacts"}],
]


@pytest.mark.parametrize("edits", WITHOUT_EFFECT, ids=[row[0]["edit"] for row in WITHOUT_EFFECT])
async def test_edits_without_effect_save_nothing_and_tell_nobody(house: House, edits: list[dict[str, Any]]) -> None:
    before = await installed(house)
    store, project_id = house.services.store, house.project_id
    told = await store.events(project_id)
    for dry_run in (True, False):
        answer = await edit(house, before, *edits, dryRun=dry_run, createdBy="somebody")
        assert (answer.status_code, answer.json()["changed"]) == (200, []), answer.text
        assert answer.json()["installation"] == before == await stored(house, before)
    assert await store.events(project_id) == told


async def test_all_edits_that_cannot_be_are_told_and_none_is_made(house: House) -> None:
    before = await installed(house)
    answer = await edit(
        house,
        before,
        {"edit": "enableWrite", "objectName": "deals"},
        {**SOURCE, "settings": SETTINGS},
        {"edit": "enableRead", "objectName": "companies"},
    )
    assert answer.status_code == 422, answer.text
    issues = answer.json()["issues"]
    assert [(issue["name"], issue["code"]) for issue in issues] == [
        ("edits[0].objectName", "not-in-manifest"),
        ("edits[2].objectName", "not-in-manifest"),
    ]
    assert await stored(house, before) == before


async def test_a_config_that_cannot_be_is_told_with_its_own_paths(house: House) -> None:
    before = await installed(house)
    answer = await edit(
        house,
        before,
        {**SOURCE, "settings": {"default": {}}},
        {"edit": "mapValues", "objectName": "contacts", "fieldName": "notes", "values": {"a": "x", "b": "x"}},
    )
    assert answer.status_code == 422, answer.text
    contacts = "config.content.{}.objects.contacts.{}"
    errors = [issue for issue in answer.json()["issues"] if issue.get("severity") != "warning"]
    assert {(issue["name"], issue["code"]) for issue in errors} == {
        (contacts.format("read", "selectedValueMappings.notes.b"), "not-one-to-one"),
        (contacts.format("write", "selectedFieldSettings.jobTitle.default"), "one-of"),
    }
    assert await stored(house, before) == before


MALFORMED: list[tuple[str, Any, str]] = [
    ("no edits", {}, "edits"),
    ("an empty list", {"edits": []}, "edits"),
    ("a misspelt edit", {"edits": [{"edit": "enableReads", "objectName": "contacts"}]}, "edits[0].edit"),
    ("a misspelt member", {"edits": [{"edit": "enableRead", "object": "contacts"}]}, "edits[0].object"),
    ("a misspelt dryRun", {"edits": [SOURCE], "dryrun": True}, "dryrun"),
    (
        "a misspelt rule",
        {"edits": [{**SOURCE, "settings": {"writeOnUpdates": "never"}}]},
        "edits[0].settings.writeOnUpdates",
    ),
    ("a number for an id", {"edits": [SOURCE], "ifConfig": 7}, "ifConfig"),
    ("too many", {"edits": [SOURCE] * 1001}, "edits"),
]


@pytest.mark.parametrize(("case", "body", "path"), MALFORMED, ids=[case for case, *_ in MALFORMED])
async def test_what_is_no_edit_is_refused(house: House, case: str, body: Any, path: str) -> None:
    before = await installed(house)
    answer = await house.call("POST", f"{INSTALLATIONS}/{before['id']}:edit", json=body)
    assert answer.status_code == 400, case
    assert path in {issue["name"] for issue in answer.json()["issues"]}
    assert await stored(house, before) == before


async def test_what_the_account_has_is_held_against_the_edits(house: House) -> None:
    before = await installed(house)
    wrong = await edit(house, before, {**SOURCE, "fieldName": "jobTitel", "settings": SETTINGS})
    assert wrong.status_code == 422
    ((name, code),) = [(issue["name"], issue["code"]) for issue in wrong.json()["issues"]]
    assert (name, code) == (
        "config.content.write.objects.contacts.selectedFieldSettings.jobTitel",
        "unknown-field",
    )
    assert await stored(house, before) == before
    doubtful = await edit(house, before, {"edit": "enableWrite", "objectName": "companies"}, dryRun=True)
    assert doubtful.status_code == 200
    ((path, severity),) = [(issue["path"], issue["severity"]) for issue in doubtful.json()["issues"]]
    assert (path, severity) == ("config.content.write.objects.companies.selectedFieldSettings.name", "warning")


async def test_edits_meant_for_one_config_are_refused_once_it_is_another(house: House) -> None:
    before = await installed(house)
    one, other = {"edit": "disableRead", "objectName": "contacts"}, {"edit": "disableWrite", "objectName": "contacts"}
    first = await edit(house, before, one, ifConfig=before["config"]["id"])
    assert first.status_code == 200, first.text
    second = await edit(house, before, other, ifConfig=before["config"]["id"])
    assert (second.status_code, second.json()["code"]) == (409, "config-changed")
    assert first.json()["installation"]["config"]["id"] in second.json()["detail"]
    assert await stored(house, before) == first.json()["installation"]
    third = await edit(house, before, other, ifConfig=first.json()["installation"]["config"]["id"])
    assert third.status_code == 200, third.text


@ON_EVERY_STORE
async def test_edits_at_the_same_time_are_all_made(house: House) -> None:
    before = await installed(house)
    names = ["firstName", "lastName", "phone", "notes"]
    answers = await asyncio.gather(
        *(edit(house, before, {**SOURCE, "fieldName": name, "settings": SETTINGS}) for name in names)
    )
    assert {answer.status_code for answer in answers} == {200}, [answer.text for answer in answers]
    settings = (await stored(house, before))["config"]["content"]["write"]["objects"]["contacts"][
        "selectedFieldSettings"
    ]
    assert settings == dict.fromkeys(names, SETTINGS)


async def test_however_many_edit_at_the_same_time_nobody_is_sent_away(house: House) -> None:
    before = await installed(house)
    edits = [
        {"edit": "mapField", "objectName": "contacts", "mapToName": f"own{n}", "fieldName": "phone"} for n in range(30)
    ]
    answers = await asyncio.gather(*(edit(house, before, each) for each in edits))
    assert {answer.status_code for answer in answers} == {200}
    mappings = (await stored(house, before))["config"]["content"]["read"]["objects"]["contacts"][
        "selectedFieldMappings"
    ]
    assert set(mappings) == {each["mapToName"] for each in edits}


async def test_of_edits_for_one_config_at_the_same_time_one_is_made(house: House) -> None:
    before = await installed(house)
    answers = await asyncio.gather(
        *(
            edit(
                house,
                before,
                {**SOURCE, "fieldName": name, "settings": SETTINGS},
                ifConfig=before["config"]["id"],
            )
            for name in ("firstName", "lastName", "phone", "notes")
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]


async def test_where_nothing_was_said_about_writing_the_others_stay_on(house: House) -> None:
    before = await installed(house, {"provider": "sandbox"})
    assert "write" not in before["config"]["content"]
    answer = await edit(house, before, {**SOURCE, "settings": SETTINGS})
    assert answer.status_code == 200, answer.text
    assert set(answer.json()["installation"]["config"]["content"]["write"]["objects"]) == {"contacts", "companies"}
    assert answer.json()["changed"] == ["config.content.write.objects"]


async def test_a_customer_edits_under_the_latest_manifest(house: House) -> None:
    before = await installed(house)
    await house.deploy(MANIFEST.replace("- objectName: companies", "- objectName: deals"))
    answer = await edit(house, before, {"edit": "enableWrite", "objectName": "deals"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["installation"]["config"]["revisionId"] != before["config"]["revisionId"]


async def test_what_only_the_own_manifest_has_can_be_edited_still(house: House) -> None:
    both = {**READ_AND_WRITE, "write": {"objects": {name: {"objectName": name} for name in ("contacts", "companies")}}}
    before = await installed(house, both)
    await house.deploy(MANIFEST.replace("- objectName: companies", "- objectName: deals"))
    kept = await edit(house, before, {**SOURCE, "objectName": "companies", "fieldName": "domain", "settings": SETTINGS})
    assert kept.status_code == 200, kept.text
    assert kept.json()["installation"]["config"]["revisionId"] == before["config"]["revisionId"]
    gone = await edit(house, before, {"edit": "removeObject", "objectName": "companies"})
    assert gone.status_code == 200, gone.text
    assert gone.json()["installation"]["config"]["revisionId"] != before["config"]["revisionId"]


@pytest.mark.parametrize(
    ("by", "author"), [("full", "api:update-installation"), ("frontend", "consumer:c1"), ("token", "consumer:c2")]
)
async def test_an_edit_names_who_made_it(house: House, by: str, author: str) -> None:
    before = await installed(house)
    credentials = {
        "full": {"X-Api-Key": house.key},
        "frontend": {"X-Api-Key": house.frontend_key},
        "token": bearer(token(await register(house), consumerRef="c2")),
    }
    path = f"/v1/projects/{house.project_id}{INSTALLATIONS}/{before['id']}:edit"
    answer = await house.client.post(path, headers=credentials[by], json={"edits": [{**SOURCE, "settings": SETTINGS}]})
    assert answer.status_code == 200, answer.text
    assert answer.json()["installation"]["config"]["createdBy"] == author


async def test_a_token_of_another_group_finds_nothing(house: House) -> None:
    before = await installed(house)
    other = bearer(token(await register(house), groupRef="g2", consumerRef="c2"))
    path = f"/v1/projects/{house.project_id}{INSTALLATIONS}/{before['id']}:edit"
    answer = await house.client.post(path, headers=other, json={"edits": [{**SOURCE, "settings": SETTINGS}]})
    assert answer.status_code == 404
    assert await stored(house, before) == before
