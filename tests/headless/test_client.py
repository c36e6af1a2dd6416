"""What each method of the client asks, and what it makes of answers; against a server that keeps and answers."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from headless.client import ApiError, Client
from installations.errors import Issue
from tests.headless.recorder import Server, serving

Call = Callable[[Client], Awaitable[Any]]
ROOT = "/v1/projects/acme"


WRITE = {"groupRef": "g1", "type": "create", "record": {"a": 1}}
CONTENT = {"provider": "hubspot"}
CALLS: dict[str, tuple[Call, str, str, Any]] = {
    # what is called, the method, the path below the project, the body
    "deploy": (lambda c: c.deploy("a: 1"), "PUT", "/integrations:batch", {"sourceYaml": "a: 1"}),
    "deploy and pause": (
        lambda c: c.deploy("a: 1", destructive=True),
        "PUT",
        "/integrations:batch?destructive=true",
        {"sourceYaml": "a: 1"},
    ),
    "connect": (
        lambda c: c.connect("hubspot", group_ref="g1", consumer_ref="c1", api_key="k", metadata={"workspace": "acme"}),
        "POST",
        "/connections:generate",
        {
            "provider": "hubspot",
            "groupRef": "g1",
            "consumerRef": "c1",
            "apiKey": "k",
            "providerMetadata": {"workspace": {"value": "acme", "source": "input"}},
        },
    ),
    "provider apps": (lambda c: c.provider_apps(), "GET", "/provider-apps", None),
    "add a provider app": (
        lambda c: c.add_provider_app("hubspot", client_id="i", client_secret="s"),
        "POST",
        "/provider-apps",
        {"provider": "hubspot", "clientId": "i", "clientSecret": "s"},
    ),
    "install": (
        lambda c: c.install("my crm", group_ref="g1", content=CONTENT, connection_id="x"),
        "POST",
        "/integrations/my%20crm/installations",
        {"groupRef": "g1", "config": {"content": CONTENT}, "connectionId": "x"},
    ),
    "update": (
        lambda c: c.update("crm", "i/1", mask=("config.content.write.objects",), content=CONTENT),
        "PATCH",
        "/integrations/crm/installations/i%2F1",
        {"updateMask": ["config.content.write.objects"], "installation": {"config": {"content": CONTENT}}},
    ),
    "write": (
        lambda c: c.write("crm", "cms/v3/x", WRITE, idempotency_key="k1"),
        "POST",
        "/integrations/crm/objects/cms%2Fv3%2Fx",
        WRITE,
    ),
    "explain": (
        lambda c: c.explain("crm", "contact", WRITE),
        "POST",
        "/integrations/crm/objects/contact:explain",
        WRITE,
    ),
    "explain an operation": (lambda c: c.explain_operation("o1"), "GET", "/operations/o1:explain", None),
    "write asynchronously": (
        lambda c: c.write("crm", "contact", WRITE, mode="asynchronous"),
        "POST",
        "/integrations/crm/objects/contact",
        {**WRITE, "mode": "asynchronous"},
    ),
    "operation": (lambda c: c.operation("o1"), "GET", "/operations/o1?state=true", None),
    "operations": (lambda c: c.operations(), "GET", "/operations", None),
    "some operations": (
        lambda c: c.operations(group_ref="g 1", replayed=False, created_from="2026-01-01T00:00:00+01:00", page_size=9),
        "GET",
        "/operations?groupRef=g+1&replayed=false&createdFrom=2026-01-01T00%3A00%3A00%2B01%3A00&pageSize=9",
        None,
    ),
    "more operations": (lambda c: c.operations(page_token="t"), "GET", "/operations?pageToken=t", None),
    "resolve": (
        lambda c: c.resolve("o/1", "happened", record_id="7"),
        "POST",
        "/operations/o%2F1:resolve",
        {"outcome": "happened", "recordId": "7"},
    ),
    "discard": (
        lambda c: c.resolve("o1", "discard"),
        "POST",
        "/operations/o1:resolve",
        {"outcome": "discard"},
    ),
    "cancel": (lambda c: c.cancel("o1"), "POST", "/operations/o1:cancel", None),
    "retry": (lambda c: c.retry("o1"), "POST", "/operations/o1:retry", None),
    "replay": (
        lambda c: c.replay(error_class="invalid", replayed=False, dry_run=True),
        "POST",
        "/operations:replay",
        {"filter": {"errorClass": "invalid", "replayed": False}, "dryRun": True},
    ),
}


@pytest.mark.parametrize(("call", "method", "path", "body"), CALLS.values(), ids=CALLS)
async def test_a_call_is_one_request(server: Server, call: Call, method: str, path: str, body: Any) -> None:
    async with Client(server.url, api_key="secret", project="acme") as client:
        assert await call(client) == {}
    ((asked_method, asked_path, asked_body, headers),) = server.asked
    assert (asked_method, asked_path, asked_body) == (method, ROOT + path, body)
    assert headers["x-api-key"] == "secret"
    assert headers.get("content-type") == (None if body is None else "application/json")
    assert headers.get("idempotency-key") == ("k1" if "cms" in path else None)


ENDS = [
    (b'{"status": "success", "state": "success"}', "success"),
    (b'{"status": "failure", "state": "failure"}', "failure"),
    (b'{"status": "in_progress", "state": "unknown"}', "unknown"),
]


@pytest.mark.parametrize(("end", "state"), ENDS, ids=[state for _, state in ENDS])
async def test_an_operation_is_waited_for_until_waiting_tells_no_more(server: Server, end: bytes, state: str) -> None:
    looked_up = b'{"status": "in_progress", "state": "unknown", "lookUpTime": "2026-01-01T00:00:00Z"}'
    server.next = [b'{"status": "in_progress", "state": "queued"}', looked_up, end]
    async with Client(server.url, api_key="k", project="acme") as client:
        assert (await client.wait("o1"))["state"] == state
    assert len(server.asked) == 3


async def test_who_does_not_wait_longer_is_told_how_far_it_came(server: Server) -> None:
    server.body = b'{"status": "in_progress", "state": "parked"}'
    async with Client(server.url, api_key="k", project="acme") as client:
        with pytest.raises(TimeoutError, match="o1 is parked after 0 seconds"):
            await client.wait("o1", within_seconds=0)
    assert len(server.asked) == 1


async def test_a_link_is_answered_as_text(server: Server) -> None:
    server.body, server.kind = b"http://isthmus.test/connect/x", "text/plain"
    async with Client(server.url, api_key="k", project="acme") as client:
        link = await client.connect_link("hubspot", group_ref="g1", consumer_ref="c1", provider_app_id="a1")
    assert link == "http://isthmus.test/connect/x"
    customer = {"provider": "hubspot", "groupRef": "g1", "consumerRef": "c1"}
    ((method, path, body, _),) = server.asked
    assert (method, path) == ("POST", "/v1/oauth-connect")
    assert body == {"projectIdOrName": "acme", "providerAppId": "a1", **customer}


async def test_a_project_s_name_is_a_part_of_the_path_and_no_more(server: Server) -> None:
    async with Client(server.url, api_key="k", project="a/../b") as client:
        await client.operation("o")
    assert server.asked[0][1] == "/v1/projects/a%2F..%2Fb/operations/o?state=true"


REFUSALS = [
    # status, media type, body, what the error says
    (404, "application/problem+json", b'{"status": 404, "detail": "no such thing"}', "404: no such thing"),
    (422, "application/problem+json", b'{"title": "t"}', "422: Unprocessable Entity"),
    (422, "application/json", b'{"operationId": "o", "errors": [{"message": "a"}, {"message": "b"}]}', "422: a; b"),
    (400, "text/plain", b"record: is missing", "400: record: is missing"),
    (400, "text/plain", b"[1]", "400: [1]"),
    (502, "text/html", b"<h1>\xff</h1>", "502: <h1>"),
    (503, "application/json", b"", "503: "),
    (422, "application/json", b'{"errors": null, "detail": "d"}', "422: d"),
    (422, "application/json", b'{"errors": ["x", {"message": 1}], "detail": "d"}', "422: d"),
    (422, "application/json", b'{"detail": "\xff"}', "422: {"),
]


@pytest.mark.parametrize(("status", "kind", "body", "said"), REFUSALS)
async def test_a_refusal_is_one_error_with_its_words(
    server: Server, status: int, kind: str, body: bytes, said: str
) -> None:
    server.status, server.kind, server.body = status, kind, body
    async with Client(server.url, api_key="k", project="acme") as client:
        with pytest.raises(ApiError) as caught:
            await client.write("crm", "contact", WRITE)
    assert (caught.value.status, str(caught.value).startswith(said)) == (status, True), str(caught.value)
    assert len(server.asked) == 1, "nothing is retried"


async def test_a_server_that_is_not_there_is_told_as_such() -> None:
    async with serving() as server:
        url = server.url
    async with Client(url, api_key="k", project="acme") as client:
        with pytest.raises(httpx.TransportError):
            await client.operation("o")


PROBLEM = b"""{"status": 422, "detail": "d", "issues": [
    {"name": "edits[0].objectName", "detail": "is unknown", "code": "not-in-manifest", "remedy": "ask", "in": "body"},
    {"name": "a", "detail": "may be wrong", "severity": "warning", "value": 1}, "odd", {"name": 1}
]}"""


async def test_issues_are_read_and_what_is_none_is_left_out(server: Server) -> None:
    server.status, server.kind, server.body = 422, "application/problem+json", PROBLEM
    async with Client(server.url, api_key="k", project="acme") as client:
        with pytest.raises(ApiError) as caught:
            await client.provider_apps()
    assert caught.value.issues == (
        Issue(path="edits[0].objectName", message="is unknown", code="not-in-manifest", remedy="ask"),
        Issue(path="a", message="may be wrong", code="", severity="warning", value=1),
    )
    assert ApiError(500, "x", problem={"issues": {"name": "a"}}).issues == ()


async def test_lists_are_asked_for_by_group(server: Server) -> None:
    server.body = b"[]"
    async with Client(server.url, api_key="k", project="acme") as client:
        assert await client.installations() == []
        assert await client.installations(group_ref="g 1") == []
        assert await client.connections(provider="hubspot", consumer_ref="c1") == []
    assert [path.removeprefix(ROOT) for _, path, _, _ in server.asked] == [
        "/installations",
        "/installations?groupRef=g+1",
        "/connections?provider=hubspot&consumerRef=c1",
    ]


async def test_a_session_token_is_one_request(server: Server) -> None:
    server.body = b'{"token": "t", "expireTime": "2026-01-01T00:00:00Z"}'
    async with Client(server.url, api_key="k", project="acme") as client:
        assert await client.session_token(group_ref="g1", consumer_ref="c1", expires_in_seconds=60) == "t"
    asked = {"groupRef": "g1", "consumerRef": "c1", "expiresInSeconds": 60}
    assert server.asked[0][:3] == ("POST", ROOT + "/session-tokens", asked)


async def test_an_answer_of_another_shape_is_told_as_such(server: Server) -> None:
    server.body = b'[{"id": 7}]'
    async with Client(server.url, api_key="k", project="acme") as client:
        with pytest.raises(ApiError, match="the answer cannot be read"):
            await client.installations()
