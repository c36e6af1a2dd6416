"""The door, over the whole application."""

import asyncio
from typing import Any

import httpx
import pytest

from server.clock import new_id, utc_now
from server.door.browsers import Browsers
from server.door.front import Front
from server.door.refusals import NotOffered
from server.store.contract import Taken, Unavailable
from tests.server.api.routes import OPEN, OUTSIDE, PROXIED, ROUTES, Route
from tests.server.api.test_isolation import shape
from tests.server.api.town import furnished
from tests.server.house import House

SECURITY = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}
WITH_A_KEY = (*ROUTES, *OUTSIDE)
CALLED = {
    "/v1/providers",
    "/v1/providers/{provider}",
    *(shape(route.path) for route in WITH_A_KEY if route.frontend),
}
"""What the published browser library calls: paths, whatever the method."""


def readable(path: str) -> bool:
    return shape(path) in {shape(one) for one in CALLED}


def finished(answer: httpx.Response, *, can_be_read: bool) -> None:
    """Check what every answer carries, and what none does."""
    headers = dict(answer.headers)
    assert SECURITY.items() <= headers.items(), headers
    assert headers["x-request-id"]
    assert headers.get("access-control-allow-origin") == ("*" if can_be_read else None), headers
    unwanted = {"server", "set-cookie", "access-control-allow-credentials", "cross-origin-opener-policy", "vary"}
    assert not unwanted & set(headers), headers
    if not can_be_read:
        assert not [name for name in headers if name.startswith("access-control-")]
    for name in ("cache-control", "content-type", "x-request-id", "access-control-allow-origin"):
        assert len(answer.headers.get_list(name)) <= 1, name
    if answer.status_code >= 400 and answer.headers["content-type"].startswith("application/problem"):
        problem = answer.json()
        assert (problem["status"], problem["requestId"]) == (answer.status_code, headers["x-request-id"])
        assert problem["title"]
        assert problem["detail"]


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "can_be_read"),
    [
        ("GET", "/v1/providers", {}, 200, True),
        ("GET", "/v1/providers/nobody", {}, 404, True),
        ("GET", "/api/v1/providers", {}, 200, True),
        ("GET", "/v1/providers?a=1&a=2", {}, 400, True),
        ("DELETE", "/v1/providers", {}, 405, True),
        ("GET", "/v1/projects/x", {}, 401, True),
        ("GET", "/v1/projects/x", {"content-length": "1", "transfer-encoding": "chunked"}, 400, True),
        ("POST", "/v1/projects/x/connections:generate", {"content-length": "2"}, 415, True),
        ("POST", "/v1/projects/x/connections:generate", {"content-length": "9000000"}, 413, True),
        ("GET", "/nothing/here", {}, 404, False),
        ("GET", "/v1/projects", {}, 401, False),
        ("GET", "/v1/%00", {}, 400, False),
        ("GET", "/v1/projects/x/api-keys", {}, 401, False),
        ("POST", "/v1/projects/x/integrations/i/objects/o", {"content-type": "application/json"}, 401, False),
        ("GET", "/v1/projects/x/integrations/i/objects/o", {}, 405, False),
        ("GET", "/openapi.json", {}, 200, False),
    ],
)
async def test_every_answer_can_be_found_in_the_log_and_read_where_a_page_may_call(
    api: httpx.AsyncClient, method: str, path: str, headers: dict[str, str], status: int, *, can_be_read: bool
) -> None:
    answer = await api.request(method, path, headers={"Origin": "https://app.test", **headers})
    assert answer.status_code == status, answer.text
    finished(answer, can_be_read=can_be_read)
    if status >= 400:
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("route", WITH_A_KEY, ids=lambda route: f"{route.method} {route.path}")
async def test_every_route_answers_safely_whoever_asks_and_whatever_goes_wrong(house: House, route: Route) -> None:
    names = await furnished(house)
    path = route.path.format(**names) + route.query
    origin = {"Origin": "https://evil.test"}
    for key in (house.frontend_key, "isk_wrong", "", house.key):
        answer = await house.client.request(route.method, path, headers={"X-Api-Key": key, **origin}, json=route.body)
        finished(answer, can_be_read=readable(route.path))
    broken = {"headers": {**house.headers, **origin, "content-type": "application/json"}, "content": b"{"}
    answer = await house.client.request(route.method, path, **broken)  # type: ignore[arg-type]
    finished(answer, can_be_read=readable(route.path))


@pytest.mark.parametrize(("method", "path"), sorted(OPEN))
async def test_open_routes_answer_safely_too(house: House, method: str, path: str) -> None:
    answer = await house.client.request(method, path.format(provider="sandbox", uploadId="x"), headers=house.headers)
    finished(answer, can_be_read=readable(path))


PAGES = [
    ("GET", "/connect/{ticket}"),
    ("POST", "/connect/{ticket}"),
    ("GET", "/callbacks/v1/oauth/{project}/sandboxOAuth"),
    ("GET", "/callbacks/v1/oauth/{project}/sandboxOAuth?state=a&state=b"),
    ("POST", "/callbacks/v1/oauth/{project}/sandboxOAuth"),
    ("GET", "/callbacks/v1/custom-auth/default"),
    ("POST", "/callbacks/v1/custom-auth/default"),
]


@pytest.mark.parametrize(("method", "path"), PAGES)
async def test_a_page_is_in_nobody_s_frame_and_no_other_page_reads_it(house: House, method: str, path: str) -> None:
    address = path.format(ticket="x" * 43, project=house.project_id)
    for headers in ({}, {"Origin": "https://evil.test", "Access-Control-Request-Method": "GET"}):
        answer = await house.client.request(method, address, headers=headers, data={"a": "b"})
        # A form that comes from elsewhere is sent once more by a page of ours, which is no error.
        assert answer.status_code in ({200, 400} if path == PAGES[-1][1] else {400, 404, 405, 415}), answer.text
        framed = answer.headers["content-security-policy"]
        assert ("default-src 'none'" in framed, "frame-ancestors 'none'" in framed) == (True, True)
        for name in ("x-content-type-options", "referrer-policy", "cache-control"):
            assert answer.headers.get_list(name) == [SECURITY[name]]
        assert not [name for name in answer.headers if name.startswith(("access-control-", "cross-origin-opener"))]
        asked = await house.client.options(address.partition("?")[0], headers=headers)
        assert not [name for name in asked.headers if name.startswith("access-control-")]


@pytest.mark.parametrize("route", PROXIED, ids=lambda route: f"{route.method} {route.path}")
async def test_what_a_provider_says_speaks_for_nobody_here(house: House, route: Route) -> None:
    names = await furnished(house)
    headers = {name: value.format(**names) for name, value in route.headers.items()}
    for key in (house.key, house.frontend_key, ""):
        answer = await house.client.request(
            route.method, route.path, headers={**headers, "X-Api-Key": key, "Origin": "https://evil.test"}
        )
        policy = answer.headers["content-security-policy"]
        assert policy == ("sandbox" if key == house.key else SECURITY["content-security-policy"])
        assert answer.headers.get_list("x-content-type-options") == ["nosniff"]
        assert not {"set-cookie", "access-control-allow-origin"} & set(answer.headers)


RAISED = [
    # what an application raises, and what is answered
    (ValueError("secret"), 500),
    (Unavailable("secret"), 503),
    (Taken("the name is taken", existing_id="x"), 409),
    (NotOffered("not yet"), 404),
    (RecursionError("secret"), 400),
]


@pytest.mark.parametrize(("error", "status"), RAISED)
async def test_what_an_application_raises_is_answered_like_everything_else(error: Exception, status: int) -> None:
    async def broken(_: Any, __: Any, ___: Any) -> None:
        raise error

    answer = await call(broken, "GET", "/v1/called")
    assert answer.status_code == status
    assert "secret" not in answer.text
    finished(answer, can_be_read=True)


async def call(app: Any, method: str, path: str, *, public_url: str = "http://isthmus.test", **rest: Any) -> Any:
    """Call an application behind a door of its own, of which ``/v1/called`` is for pages."""
    door: Any = Front(
        app,
        browsers=Browsers(["/v1/called"], public_url=public_url),
        clock=utc_now,
        new_id=new_id,
        body_seconds=0.05,
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(door), base_url=public_url) as client:
        return await client.request(method, path, **rest)


async def reading(_: Any, receive: Any, send: Any) -> None:
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"max-age=60")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"{}"})


async def test_a_body_that_does_not_end_is_cut_off() -> None:
    async def dripping() -> Any:
        while True:
            yield b" "
            await asyncio.sleep(0.01)

    answer = await call(reading, "POST", "/v1/called", content=dripping(), headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"], answer.headers["connection"]) == (408, "too-slow", "close")
    finished(answer, can_be_read=True)


async def test_a_body_that_never_begins_is_cut_off() -> None:
    async def nothing() -> Any:
        await asyncio.Event().wait()
        yield b""

    headers = {"content-type": "application/json", "content-length": "2"}
    answer = await call(reading, "POST", "/v1/called", content=nothing(), headers=headers)
    assert answer.status_code == 408


async def test_what_follows_a_body_is_not_timed() -> None:
    async def waiting(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        gone = asyncio.create_task(receive())
        await asyncio.wait([gone], timeout=0.2)
        gone.cancel()
        await reading(scope, lambda: asyncio.sleep(0, {}), send)

    answer = await call(waiting, "POST", "/v1/called", json={})
    assert answer.status_code == 200


async def test_an_answer_says_for_itself_how_long_it_may_be_kept() -> None:
    answer = await call(reading, "GET", "/v1/called")
    assert answer.headers.get_list("cache-control") == ["max-age=60"]


@pytest.mark.parametrize(
    ("public_url", "said"), [("https://isthmus.test", "max-age=31536000"), ("http://isthmus.test", None)]
)
async def test_a_server_behind_https_says_that_it_always_is(public_url: str, said: str | None) -> None:
    for path in ("/v1/called", "/nothing"):
        answer = await call(reading, "GET", path, public_url=public_url)
        assert answer.headers.get("strict-transport-security") == said


FORGED = {
    "X-Forwarded-Host": "evil.test",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-For": "10.0.0.1",
    "Forwarded": "for=10.0.0.1;host=evil.test;proto=https",
    "X-Forwarded-Prefix": "/evil",
    "X-Original-URL": "/v1/projects",
    "X-HTTP-Method-Override": "DELETE",
}


async def test_forged_headers_change_no_url_of_ours(house: House) -> None:
    path = "/v1/generate-upload-url?md5=1B2M2Y8AsgTpgAmY7PhCfg%3D%3D"
    plain = await house.client.get(path, headers=house.headers)
    forged = await house.client.get(path, headers={**house.headers, **FORGED, "Host": "evil.test"})
    for answer in (plain, forged):
        assert answer.status_code == 200
        assert answer.json()["url"].startswith("http://isthmus.test/v1/uploads/")
        assert "evil" not in answer.text + str(answer.headers)
    assert (await house.client.get("/v1/projects", headers=FORGED)).status_code == 401


ASKED = "content-type,x-api-key,authorization,x-amp-client,x-amp-client-version"
OURS = {"idempotency-key", "x-isthmus-detail"}
PUBLISHED = {"content-type", "x-api-key", "authorization", "x-amp-client", "x-amp-client-version"}


async def preflight(api: httpx.AsyncClient, path: str, asked: str = ASKED) -> httpx.Response:
    headers = {"Origin": "https://app.test", "Access-Control-Request-Method": "PATCH"}
    return await api.options(path, headers={**headers, "Access-Control-Request-Headers": asked})


def allowed(answer: httpx.Response) -> set[str]:
    return {name.lower() for name in answer.headers["access-control-allow-headers"].split(", ")}


@pytest.mark.parametrize("path", sorted({*(route.path for route in WITH_A_KEY), *(path for _, path in OPEN)}))
async def test_a_preflight_needs_no_credential_and_succeeds_where_pages_call(api: httpx.AsyncClient, path: str) -> None:
    answer = await preflight(api, path.replace("{", "").replace("}", ""))
    if not readable(path):
        assert not [name for name in answer.headers if name.startswith("access-control-")]
        return
    finished(answer, can_be_read=True)
    assert answer.status_code == 204
    assert allowed(answer) == PUBLISHED | OURS
    assert set(answer.headers["access-control-allow-methods"].split(", ")) == {"GET", "POST", "PATCH", "DELETE"}
    assert 0 < int(answer.headers["access-control-max-age"]) <= 7200


@pytest.mark.parametrize(
    ("asked", "more"),
    [
        ("x-amp-client-commit", {"x-amp-client-commit"}),
        ("X-Amp-Client-Os, X-Amp-Client-Arch", {"x-amp-client-os", "x-amp-client-arch"}),
        ("x-evil, x-isthmus-other, *, cookie", set()),
        ("x-amp-client-a\r\nSet-Cookie: a=b", set()),
        ("x-amp-client-" + "a" * 200, set()),
        ("", set()),
    ],
)
async def test_a_preflight_lets_no_header_through_that_no_client_sends(
    api: httpx.AsyncClient, asked: str, more: set[str]
) -> None:
    assert allowed(await preflight(api, "/v1/providers", asked)) == PUBLISHED | OURS | more


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
    ({"content-type": "application/json", "content-length": "9" * 5000}, b"{}", 413),
    ({"content-type": "application/json", "content-length": "-1"}, b"{}", 400),
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
    ("GET", "/v1/providers/ghost", "path", "provider"),
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
