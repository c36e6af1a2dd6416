"""The sandbox's API for objects and records."""

import json
from typing import Any

import httpx
import pytest

from connectors.sandbox.access import DEMO_READ_KEY

CONTACTS = "/v1/objects/contacts/records"
JSON = {"Content-Type": "application/json"}


async def create(client: httpx.AsyncClient, path: str = CONTACTS, **fields: Any) -> Any:
    response = await client.post(path, json={"fields": fields})
    assert response.status_code == 201, response.text
    return response.json()


REFUSED: tuple[tuple[str, dict[str, Any], int, set[tuple[str, str]]], ...] = (
    ("a required field is missing", {}, 422, {("email", "required")}),
    ("a required field is empty", {"email": " "}, 422, {("email", "required")}),
    ("a required field is null", {"email": None}, 422, {("email", "required")}),
    (
        "everything wrong is said at once",
        {
            "id": "con_1",
            "fullName": "A",
            "score": "1",
            "rating": True,
            "subscribed": "yes",
            "birthday": "2026-02-30",
            "lastContactedAt": "2026-02-01T10:00:00",
            "lifecycleStage": "unheard",
            "interests": ["events", "unheard"],
            "firstName": "x" * 101,
            "address": {"city": 5, "planet": "Earth"},
            "companyId": "com_1",
            "nope": 1,
        },
        422,
        {
            ("id", "read_only"),
            ("fullName", "read_only"),
            ("score", "wrong_type"),
            ("rating", "wrong_type"),
            ("subscribed", "wrong_type"),
            ("birthday", "wrong_type"),
            ("lastContactedAt", "wrong_type"),
            ("lifecycleStage", "not_in_picklist"),
            ("interests", "not_in_picklist"),
            ("firstName", "too_long"),
            ("address.city", "wrong_type"),
            ("address.planet", "unknown_field"),
            ("companyId", "not_found"),
            ("nope", "unknown_field"),
            ("email", "required"),
        },
    ),
    ("a nested object is no text", {"email": "a@b.co", "address": "Graz"}, 422, {("address", "wrong_type")}),
    ("a list is no text", {"email": ["a@b.co"]}, 422, {("email", "wrong_type")}),
    ("a boolean is no number", {"email": "a@b.co", "score": True}, 422, {("score", "wrong_type")}),
    ("a number has 64 bits", {"email": "a@b.co", "score": 2**63}, 422, {("score", "out_of_range")}),
    ("NUL is no text", {"email": "a\0@b.co"}, 422, {("email", "invalid_format")}),
    ("an address has an at sign", {"email": "a.b.co"}, 422, {("email", "invalid_format")}),
    ("a long name is cut", {"email": "a@b.co", "n" * 400: 1}, 422, {("n" * 300, "unknown_field")}),
    ("duplicates alone are a conflict", {"email": "TAKEN@b.co"}, 409, {("email", "duplicate")}),
    (
        "duplicates among others are not",
        {"email": "taken@b.co", "score": "1"},
        422,
        {("email", "duplicate"), ("score", "wrong_type")},
    ),
)


@pytest.mark.parametrize(("fields", "status", "errors"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
async def test_values_are_checked(
    client: httpx.AsyncClient, fields: dict[str, Any], status: int, errors: set[tuple[str, str]]
) -> None:
    await create(client, email="taken@b.co")
    response = await client.post(CONTACTS, json={"fields": fields})
    assert response.status_code == status
    assert {(error["field"], error["code"]) for error in response.json()["errors"]} == errors
    assert len((await client.get(CONTACTS)).json()["records"]) == 1


async def test_every_type_is_kept_as_it_came(client: httpx.AsyncClient) -> None:
    company = await create(client, "/v1/objects/companies/records", name="Acme")
    values = {
        "email": "a@b.co",
        "score": -(2**63),
        "rating": 4,
        "subscribed": False,
        "birthday": "1990-02-28",
        "lastContactedAt": "2026-02-01T10:00:00+02:00",
        "lifecycleStage": "former_customer",
        "interests": [],
        "address": {"city": "Graz"},
        "companyId": company["id"],
        "notes": "",
    }
    made = await create(client, **values)
    kept = (await client.get(f"{CONTACTS}/{made['id']}")).json()["fields"]
    assert {name: kept[name] for name in values} == values


async def test_an_update_merges_nested_objects_and_null_clears(client: httpx.AsyncClient) -> None:
    made = await create(client, email="a@b.co", score=1, address={"city": "Graz", "street": "Am Eck 1"})
    patch = {"score": None, "address": {"city": "Linz", "street": None}}
    updated = (await client.patch(f"{CONTACTS}/{made['id']}", json={"fields": patch})).json()["fields"]
    assert "score" not in updated
    assert updated["address"] == {"city": "Linz"}
    assert updated["createdAt"] == made["fields"]["createdAt"]


async def test_a_unique_value_is_free_again_after_change_or_delete(client: httpx.AsyncClient) -> None:
    made = await create(client, email="a@b.co")
    await client.patch(f"{CONTACTS}/{made['id']}", json={"fields": {"email": "c@b.co"}})
    other = await create(client, email="a@b.co")
    await client.delete(f"{CONTACTS}/{other['id']}")
    await create(client, email="a@b.co")
    same = await client.patch(f"{CONTACTS}/{made['id']}", json={"fields": {"email": "c@b.co"}})
    assert same.status_code == 200


async def test_a_list_is_paged_to_its_end(client: httpx.AsyncClient) -> None:
    made = [(await create(client, email=f"u{number}@b.co"))["id"] for number in range(5)]
    found: list[str] = []
    query: dict[str, Any] = {"limit": 2, "fields": "email"}
    while True:
        page = (await client.get(CONTACTS, params=query)).json()
        found += [record["id"] for record in page["records"]]
        assert all(set(record["fields"]) == {"email"} for record in page["records"])
        if page["nextCursor"] is None:
            break
        query["cursor"] = page["nextCursor"]
    assert found == made


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("filter[score]=1", 2),
        ("filter[score]=1&filter[subscribed]=true", 1),
        ("filter[email]=U0@b.co", 1),
        ("filter[email]=u0@b.co&filter[score]=2", 0),
        ("filter[address.city]=Graz", 1),
        ("filter[score]=many", 0),
    ],
)
async def test_a_list_is_filtered_by_equality(client: httpx.AsyncClient, query: str, count: int) -> None:
    await create(client, email="u0@b.co", score=1, subscribed=True, address={"city": "Graz"})
    await create(client, email="u1@b.co", score=1)
    await create(client, email="u2@b.co", score=2)
    assert len((await client.get(f"{CONTACTS}?{query}")).json()["records"]) == count


async def test_records_are_associated_and_seen_from_both_ends(client: httpx.AsyncClient) -> None:
    company = await create(client, "/v1/objects/companies/records", name="Acme")
    link = {"to": {"id": company["id"]}, "type": "works_at"}
    response = await client.post(CONTACTS, json={"fields": {"email": "a@b.co"}, "associations": [link]})
    contact = response.json()
    assert contact["associations"] == [{"to": {"id": company["id"], "object": "companies"}, "type": "works_at"}]
    company_path = f"/v1/objects/companies/records/{company['id']}"
    seen = (await client.get(f"{company_path}/associations")).json()["associations"]
    assert seen == [{"to": {"id": contact["id"], "object": "contacts"}, "type": "works_at"}]
    again = await client.post(f"{CONTACTS}/{contact['id']}/associations", json={"associations": [link]})
    assert len(again.json()["associations"]) == 1
    path = f"{company_path}/associations/contacts/{contact['id']}"
    assert [(await client.delete(path)).status_code for _ in range(2)] == [204, 404]
    assert (await client.get(f"{CONTACTS}/{contact['id']}")).json()["associations"] == []


async def test_a_link_to_nothing_is_refused_and_a_delete_takes_links_along(client: httpx.AsyncClient) -> None:
    lost = {"fields": {"email": "a@b.co"}, "associations": [{"to": {"id": "com_9"}}]}
    response = await client.post(CONTACTS, json=lost)
    assert response.json()["errors"][0]["field"] == "associations[0]"
    company = await create(client, "/v1/objects/companies/records", name="Acme")
    contact = await create(client, email="a@b.co")
    await client.post(
        f"{CONTACTS}/{contact['id']}/associations", json={"associations": [{"to": {"id": company["id"]}}]}
    )
    await client.delete(f"/v1/objects/companies/records/{company['id']}")
    assert (await client.get(f"{CONTACTS}/{contact['id']}")).json()["associations"] == []


async def test_a_custom_field_is_added_and_held_to_its_type(client: httpx.AsyncClient) -> None:
    field = {"name": "x_tier", "label": "Tier", "type": "select", "values": [{"value": "a", "label": "A"}]}
    assert (await client.post("/v1/objects/contacts/fields", json=field)).status_code == 201
    schema = (await client.get("/v1/objects/contacts/schema")).json()
    assert {"name": "x_tier", "custom": True}.items() <= schema["fields"][-1].items()
    assert (await client.post(CONTACTS, json={"fields": {"email": "a@b.co", "x_tier": "b"}})).status_code == 422
    await create(client, email="a@b.co", x_tier="a")


@pytest.mark.parametrize(
    ("field", "status", "code"),
    [
        ({"name": "tier", "label": "T", "type": "string"}, 422, "invalid_format"),
        ({"name": "x_tshirtSize", "label": "T", "type": "string"}, 409, "duplicate"),
        ({"name": "x_tier", "label": "T", "type": "select"}, 422, "required"),
        ({"name": "x_tier", "label": "T", "type": "object"}, 422, "not_in_picklist"),
        ({"name": "x_tier", "label": "T", "type": "colour"}, 400, None),
    ],
)
async def test_a_bad_custom_field_is_refused(
    client: httpx.AsyncClient, field: dict[str, Any], status: int, code: str | None
) -> None:
    response = await client.post("/v1/objects/contacts/fields", json=field)
    assert response.status_code == status
    assert next((error["code"] for error in response.json()["errors"]), None) == code


async def test_objects_are_listed_standard_and_custom(client: httpx.AsyncClient) -> None:
    listed = {each["name"]: each["custom"] for each in (await client.get("/v1/objects")).json()["objects"]}
    assert listed == {"contacts": False, "companies": False, "deals": False, "tickets": False, "x_subscriptions": True}


async def batch(client: httpx.AsyncClient, action: str, *records: dict[str, Any], **members: Any) -> httpx.Response:
    return await client.post(f"{CONTACTS}:batch", json={"action": action, "records": records} | members)


async def test_a_batch_answers_by_index_and_keeps_what_worked(client: httpx.AsyncClient) -> None:
    answer = await batch(
        client, "create", {"fields": {"email": "a@b.co"}}, {"fields": {}}, {"fields": {"email": "A@b.co"}}
    )
    results = answer.json()["results"]
    assert [(each["index"], each["success"], each["status"]) for each in results] == [
        (0, True, 201),
        (1, False, 422),
        (2, False, 409),
    ]
    first = results[0]["id"]
    patch = {"id": first, "fields": {"score": 2}}
    answer = await batch(client, "update", patch, {"id": "con_0", "fields": {}})
    assert [each["status"] for each in answer.json()["results"]] == [200, 404]
    answer = await batch(client, "read", {"id": first}, fields=["score"])
    assert answer.json()["results"][0]["record"]["fields"] == {"score": 2}
    answer = await batch(client, "delete", {"id": first}, {"id": first})
    assert [each["status"] for each in answer.json()["results"]] == [204, 404]


async def test_all_or_none_takes_everything_back(client: httpx.AsyncClient) -> None:
    kept = await create(client, email="kept@b.co", score=1)
    answer = await batch(
        client,
        "upsert",
        {"fields": {"email": "new@b.co"}},
        {"fields": {"email": "kept@b.co", "score": 9}},
        {"fields": {"email": "bad@b.co", "score": "x"}},
        matchField="email",
        allOrNone=True,
    )
    assert answer.status_code == 422
    assert [each["code"] for each in answer.json()["results"]] == ["not_applied", "not_applied", "validation_failed"]
    records = (await client.get(CONTACTS)).json()["records"]
    assert [(each["id"], each["fields"]["score"]) for each in records] == [(kept["id"], 1)]
    assert (await client.get("/_sandbox/ledger")).json()["total"] == 1
    await create(client, email="new@b.co")


@pytest.mark.parametrize("count", [0, 101])
async def test_a_batch_has_one_to_a_hundred_records(client: httpx.AsyncClient, count: int) -> None:
    assert (await batch(client, "delete", *[{"id": "con_1"}] * count)).status_code == 400


BODIES = (
    b"",
    b"{",
    b"[1]",
    b"\x00",
    b'"\xff"',
    b"[" * 100_000,
    b'{"fields":' + b'{"a":' * 2000 + b"1" + b"}" * 2001,
    b'{"fields":{"email":"\\ud800"}}',
    b'{"fields":{"score":' + b"9" * 5000 + b"}}",
    b'{"fields":{"rating":NaN}}',
    b'{"fields":{"rating":1e400}}',
    b'{"fields":[]}',
    b'{"associations":[{"to":5}]}',
)


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
@pytest.mark.parametrize("path", [CONTACTS, f"{CONTACTS}:batch", f"{CONTACTS}:upsert", "/v1/objects/contacts/fields"])
async def test_a_bad_body_is_a_bad_request(client: httpx.AsyncClient, path: str, body: bytes) -> None:
    response = await client.post(path, content=body, headers=JSON)
    assert (response.status_code, response.json()["code"]) == (400, "bad_request")


async def test_a_huge_body_or_another_type_is_refused(client: httpx.AsyncClient) -> None:
    response = await client.post(CONTACTS, content=b"x" * 7_000_000, headers=JSON)
    assert (response.status_code, response.json()["code"]) == (413, "body_too_large")
    for headers in ({"Content-Type": "text/plain"}, JSON | {"Content-Encoding": "gzip"}):
        response = await client.post(CONTACTS, content=b"{}", headers=headers)
        assert response.status_code == 415


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/nope", 404),
        ("/%ff%00", 404),
        (f"{CONTACTS}/%00", 404),
        (f"{CONTACTS}/%ff", 404),
        ("/v1/objects/%ff/records", 404),
        ("/v1/objects/a%2Fb/schema", 404),
        (f"{CONTACTS}?limit=0", 400),
        (f"{CONTACTS}?limit=201", 400),
        (f"{CONTACTS}?limit=%C2%B2", 400),
        (f"{CONTACTS}?limit=" + "9" * 5000, 400),
        (f"{CONTACTS}?cursor=%ff", 400),
        (f"{CONTACTS}?cursor=AAAA", 400),
        (f"{CONTACTS}?filter[nope]=1", 400),
        (f"{CONTACTS}?filter[address]=1", 400),
        (f"{CONTACTS}?filter[]=1", 400),
    ],
)
async def test_a_bad_address_is_refused(client: httpx.AsyncClient, path: str, status: int) -> None:
    response = await client.get(path)
    assert response.status_code == status
    assert set(response.json()) == {"code", "message", "errors"}


async def test_a_key_is_needed_and_a_reader_may_not_write(client: httpx.AsyncClient) -> None:
    refused = await client.get("/v1/me", headers={"X-Sandbox-Key": "wrong"})
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, 'Bearer realm="sandbox"')
    reader = {"X-Sandbox-Key": DEMO_READ_KEY}
    assert (await client.get(CONTACTS, headers=reader)).status_code == 200
    for method, path in (("POST", CONTACTS), ("PATCH", f"{CONTACTS}/c"), ("DELETE", f"{CONTACTS}/c")):
        response = await client.request(method, path, content=json.dumps({}), headers=reader | JSON)
        assert (response.status_code, response.json()["code"]) == (403, "forbidden")


async def test_workspaces_do_not_see_each_other(client: httpx.AsyncClient) -> None:
    made = await create(client, email="a@b.co")
    opened = (await client.post("/_sandbox/workspaces", json={"name": "acme"})).json()
    other = {"X-Sandbox-Key": opened["key"]}
    assert (await client.get("/v1/me", headers=other)).json()["workspace"] == "acme"
    assert (await client.get(f"{CONTACTS}/{made['id']}", headers=other)).status_code == 404
    assert (await client.get(CONTACTS, headers=other)).json()["records"] == []
    same = await client.post(CONTACTS, json={"fields": {"email": "a@b.co"}}, headers=other)
    assert same.status_code == 201
    await client.post(
        "/v1/objects/contacts/fields", json={"name": "x_own", "label": "O", "type": "string"}, headers=other
    )
    names = [field["name"] for field in (await client.get("/v1/objects/contacts/schema")).json()["fields"]]
    assert "x_own" not in names
