"""The door, over the whole application."""

from typing import Any

import httpx
import pytest

from tests.server.house import House

CORS = {
    "access-control-allow-origin": "*",
    "x-content-type-options": "nosniff",
}


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/v1/providers", {}, 200),
        ("GET", "/nothing/here", {}, 404),
        ("GET", "/v1/projects", {}, 401),
        ("DELETE", "/v1/providers", {}, 405),
        ("GET", "/v1/%00", {}, 400),
        ("POST", "/v1/projects/x/integrations/i/objects/o", {"content-type": "application/json"}, 401),
        ("GET", "/v1/projects/x/integrations/i/objects/o", {}, 405),
    ],
)
async def test_every_answer_can_be_read_by_a_browser_and_found_in_the_log(
    api: httpx.AsyncClient, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    answer = await api.request(method, path, headers=headers)
    assert answer.status_code == status
    assert CORS.items() <= dict(answer.headers).items()
    assert answer.headers["x-request-id"]
    if status >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert (problem["status"], problem["requestId"]) == (status, answer.headers["x-request-id"])
        assert problem["title"]
        assert problem["detail"]


async def test_a_preflight_needs_no_credential(api: httpx.AsyncClient) -> None:
    asked = "content-type,x-api-key,authorization,x-amp-client,x-amp-client-version"
    headers = {"Origin": "https://app.test", "Access-Control-Request-Method": "PATCH"}
    answer = await api.options("/v1/projects/p", headers={**headers, "Access-Control-Request-Headers": asked})
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-headers"] == asked
    assert {"GET", "POST", "PATCH", "DELETE"} <= set(answer.headers["access-control-allow-methods"].split(", "))
    assert int(answer.headers["access-control-max-age"]) > 0


@pytest.mark.parametrize("accept", ["text/html", "application/problem+json;q=1, text/plain;q=0", "nonsense", ""])
async def test_accept_never_leads_to_406(api: httpx.AsyncClient, accept: str) -> None:
    assert (await api.get("/v1/providers", headers={"Accept": accept})).status_code == 200


WRONG = [
    # what was sent, and the status
    ({"content-type": "text/plain"}, b"{}", 415),
    ({"content-type": "application/json; charset=latin-1"}, b"{}", 415),
    ({"content-type": "application/x-www-form-urlencoded"}, b"a=1", 415),
    ({}, b"{}", 415),
    ({"content-type": "application/json", "content-encoding": "gzip"}, b"{}", 415),
    ({"content-type": "application/json", "content-length": "2", "transfer-encoding": "chunked"}, b"{}", 400),
    ({"content-type": "application/json", "content-length": "nine"}, b"{}", 400),
    ({"content-type": "application/json"}, b" " * 1_000_001, 413),
]


@pytest.mark.parametrize(("headers", "body", "status"), WRONG)
async def test_a_body_must_be_plain_json_of_bounded_size(
    house: House, headers: dict[str, str], body: bytes, status: int
) -> None:
    answer = await house.call("POST", "/api-keys", content=body, headers=headers)
    assert answer.status_code == status, answer.text


async def test_a_body_of_unknown_length_is_counted(house: House) -> None:
    async def endless() -> Any:
        for _ in range(2000):
            yield b" " * 1000

    answer = await house.call("POST", "/api-keys", content=endless(), headers={"content-type": "application/json"})
    assert answer.status_code == 413


@pytest.mark.parametrize("query", ["groupRef=a&groupRef=b", "groupRef=%00", "groupRef=%ff"])
async def test_a_query_must_mean_one_thing(house: House, query: str) -> None:
    assert (await house.call("GET", f"/installations?{query}")).status_code == 400


@pytest.mark.parametrize("prefix", ["/api", "/read", "/write", "/search"])
async def test_one_origin_serves_the_published_services_by_prefix(house: House, prefix: str) -> None:
    answer = await house.client.get(f"{prefix}/v1/projects", headers=house.headers)
    assert [project["id"] for project in answer.json()] == [house.project_id]


NO_WRITES = [
    # prefix, host, body and whether it is said that this is not offered
    ("/read", "", {"groupRef": "g1", "mode": "async"}, True),
    ("/read", "", {"groupRef": "g1", "type": "create", "record": {}}, True),
    ("/search", "", {"groupRef": "g1", "type": "create", "record": {}}, True),
    ("", "read.example.test", {"groupRef": "g1", "type": "create", "record": {}}, True),
    ("", "search.example.test", {"groupRef": "g1", "mode": "async"}, True),
    ("", "", {"groupRef": "g1", "mode": "async"}, True),
    ("", "", {"groupRef": "g1", "mode": "async", "sinceTimestamp": "2026-01-01T00:00:00Z"}, True),
    ("", "", {"groupRef": "g1", "record": {}}, False),
    ("/write", "", {"groupRef": "g1", "mode": "async", "type": "create", "record": {}}, False),
]


@pytest.mark.parametrize(("prefix", "host", "body", "not_offered"), NO_WRITES)
async def test_a_read_is_not_taken_for_a_write(
    house: House, prefix: str, host: str, body: dict[str, Any], *, not_offered: bool
) -> None:
    path = f"{prefix}/v1/projects/{house.project_id}/integrations/crm/objects/contacts"
    headers = {**house.headers, "host": host} if host else house.headers
    answer = await house.client.post(path, headers=headers, json=body)
    if not_offered:
        assert (answer.status_code, answer.json()["code"]) == (404, "not-offered")
        assert "not offered" in answer.json()["detail"]
    else:
        assert (answer.status_code, answer.headers["content-type"]) == (400, "text/plain; charset=utf-8")


PLACES = [
    # method, path, and where the issue lies
    ("GET", "/v1/generate-upload-url?md5=x", "query", "md5"),
    ("GET", "{p}/api-keys?active=maybe", "query", "active"),
    ("GET", "{p}?includeEntitlements=perhaps", "query", "includeEntitlements"),
    ("GET", "{p}/integrations/crm/objects/contacts/metadata", "query", "groupRef"),
    ("GET", "{p}/integrations/crm/objects/contacts/metadata?groupRef=g1&excludeReadOnly=x", "query", "excludeReadOnly"),
    ("GET", "{p}/integrations/crm/installations/i/operations?pageSize=0", "query", "pageSize"),
    ("GET", "{p}/integrations/crm/installations/i/operations?pageSize=many", "query", "pageSize"),
    ("GET", "{p}/operations/o?state=x", "query", "state"),
    ("GET", "{p}/connections/c?refresh=always", "query", "refresh"),
    ("POST", "{p}/integrations/ghost/objects/contacts", "path", "integrationId"),
    ("POST", "{p}/integrations/crm/objects/ghosts", "path", "objectName"),
    ("POST", "{p}/integrations/crm/objects/ghosts:explain", "path", "objectName"),
    ("POST", "{p}/integrations/crm/objects/contacts:explain", "body", "type"),
    ("POST", "{p}/api-keys", "body", "label"),
]


@pytest.mark.parametrize(("method", "path", "where", "name"), PLACES)
async def test_an_issue_says_where_it_lies(house: House, method: str, path: str, where: str, name: str) -> None:
    await house.deploy()
    await house.connect()
    await house.install()
    kind = "create" if where == "path" else "nonsense"
    body = {"groupRef": "g1", "type": kind, "record": {}} if method == "POST" else None
    address = path.format(p=f"/v1/projects/{house.project_id}")
    answer = await house.client.request(method, address, headers=house.headers, json=body)
    problem = answer.json()
    assert 400 <= answer.status_code < 500
    assert [(issue["in"], issue["name"]) for issue in problem["issues"]] == [(where, name)], problem
    assert name in problem["causes"][0]
    assert name in problem["detail"] or problem["issues"][0]["detail"] in problem["detail"]
