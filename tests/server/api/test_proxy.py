"""Calls through the proxy, over real sockets: who may call, where calls go, and what goes through and comes back."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import msgspec
import pytest
from aiohttp import web

from server import logs
from server.rates import parse_rate
from tests.server.api.town import neighbour
from tests.server.proxied import CLIENT_SECRET, KEY, Line, Seen, install, lined_up
from tests.server.proxying.test_paths import REFUSED
from tests.server.signing import bearer, register, token

PROBLEM = "application/problem+json"
Ways = tuple[tuple[str, str, dict[str, str]], ...]


def seen(answer: httpx.Response) -> Seen:
    """Read what reached the provider out of its answer."""
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=Seen)


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Check that an answer is ours."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM), answer.text
    problem: dict[str, Any] = answer.json()
    assert problem["code"] == code, problem
    return problem


async def test_every_method_goes_through_with_its_body(line: Line) -> None:
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "REPORT", "QUERY"):
        for body in (b"", b'{"a": 1}'):
            got = seen(await line.call(method, "/things/7?x=1", content=body or None))
            assert (got.method, got.target, got.length) == (method, "/base/v2/things/7?x=1", len(body))
            assert got.header("X-Echo-Key") == KEY


async def test_a_head_is_answered_by_its_headers_alone(line: Line) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(headers={"Content-Length": "1234", "ETag": '"a"'})

    line.echo.answer = answer
    got = await line.call("HEAD", "/a")
    assert (got.status_code, got.headers["content-length"], got.headers["etag"], got.content) == (
        200,
        "1234",
        '"a"',
        b"",
    )


@pytest.mark.parametrize("method", ["TRACE", "CONNECT"])
async def test_methods_that_would_show_the_credentials_are_refused(line: Line, method: str) -> None:
    refused(await line.call(method, "/a"), 405, "method-not-allowed")
    assert line.echo.seen == []


async def test_a_call_is_known_by_its_header_its_prefix_or_its_host() -> None:
    async with lined_up(proxy_host="crm.example.test") as line:
        plain = {name: value for name, value in line.headers().items() if name != "x-amp-proxy-version"}
        ways: Ways = (
            ("/things/7", "/base/v2/things/7", line.headers()),
            ("/proxy/things/7", "/base/v2/things/7", line.headers()),
            ("/proxy/things/7", "/base/v2/things/7", plain),
            ("/proxy/proxy/7", "/base/v2/proxy/7", plain),
            ("/proxy", "/base/v2", plain),
            ("/proxy/", "/base/v2/", plain),
            ("/", "/base/v2/", line.headers()),
            ("/v1/projects", "/base/v2/v1/projects", line.headers()),
            ("/proxyish", "/base/v2/proxyish", line.headers()),
            ("/things", "/base/v2/things", {**plain, "Host": "proxy.isthmus.test"}),
            ("/proxy/things", "/base/v2/proxy/things", {**plain, "Host": "proxy.isthmus.test:8080"}),
            ("/v1/projects", "/base/v2/v1/projects", {**plain, "Host": "CRM.example.test:443"}),
        )
        for path, target, headers in ways:
            assert seen(await line.client.get(path, headers=headers)).target == target, (path, headers)
        for path, headers in (
            ("/things", plain),
            ("/proxyish/a", plain),
            ("/a", {**plain, "Host": "api.example.test"}),
        ):
            refused(await line.client.get(path, headers=headers), 404, "not-found")


EXACT = [
    "/a%2Fb/%20/%41",
    "/a//b///",
    "/a/%e2%82%ac",
    "/a?x=1&x=2&&y=%2F&z=%zz+%20",
    "/a?q='\"|{}<>[]^`",
    "/{a}|b^`",
    "/a;v=1?b;c",
    "/a?",
    "/a?b=//evil.test/../..",
]


@pytest.mark.parametrize(("integration", "added"), [("echo", ""), ("query", f"key={KEY}")])
async def test_path_and_query_go_out_byte_for_byte(line: Line, integration: str, added: str) -> None:
    for path in EXACT:
        wanted = path.removesuffix("?")
        if added:
            wanted += ("&" if "?" in wanted else "?") + added
        assert seen(await line.call("GET", path, integration=integration)).target == f"/base/v2{wanted}"


async def test_a_key_in_the_query_replaces_the_callers_of_that_name(line: Line) -> None:
    got = seen(await line.call("GET", "/a?key=mine&b=%20c&k%65y=mine", integration="query"))
    assert got.target == f"/base/v2/a?b=%20c&key={KEY}"


async def test_the_base_is_the_providers_or_its_modules(line: Line) -> None:
    targets = {name: seen(await line.call("GET", "/a", integration=name)).target for name in ("echo", "module", "root")}
    assert targets == {"echo": "/base/v2/a", "module": "/base/crm/a", "root": "/a"}
    assert seen(await line.call("GET", "", integration="root")).target == "/"


async def test_a_path_that_could_leave_the_base_is_never_sent(line: Line) -> None:
    tried = 0
    for path in REFUSED:
        if b"?" in path or b"#" in path or not path.startswith(b"/"):
            continue  # these end a path, or lengthen the prefix to another name
        try:
            answer = await line.call("GET", path)
        except httpx.LocalProtocolError:
            continue  # no client sends it
        assert answer.status_code == 400, path
        tried += 1
    assert tried >= 35
    assert line.echo.seen == []


async def test_headers_go_through_but_for_ours_and_those_of_one_hop(line: Line) -> None:
    sent = {
        "Accept": "text/csv",
        "Accept-Encoding": "br",
        "Authorization": "Basic YTpi",
        "Connection": "x-one-hop",
        "Content-Type": "text/weird; charset=x",
        "Cookie": "a=b",
        "Idempotency-Key": "i1",
        "Forwarded": "for=1.2.3.4",
        "Proxy-Authorization": "Basic YTpi",
        "User-Agent": "theirs/1",
        "X-Amp-Client": "sdk",
        "X-Echo-Key": "mine",
        "X-Forwarded-For": "1.2.3.4",
        "X-One-Hop": "1",
        "X-Other": "2",
    }
    got = seen(await line.call("POST", "/a", headers=sent, content=b"x"))
    assert {name.lower(): value for name, value in got.headers} == {
        "accept": "text/csv",
        "accept-encoding": "br",
        "content-length": "1",
        "content-type": "text/weird; charset=x",
        "host": httpx.URL(line.echo.url).netloc.decode(),
        "idempotency-key": "i1",
        "user-agent": "theirs/1",
        "x-echo-key": KEY,
        "x-other": "2",
    }


async def test_without_a_wish_of_the_caller_identity_is_asked_for(line: Line) -> None:
    request = line.client.build_request("GET", "/a", headers=line.headers())
    del request.headers["accept-encoding"]
    assert seen(await line.client.send(request)).header("accept-encoding") == "identity"


async def test_an_answer_of_any_status_comes_back_as_it_is(line: Line) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        status = int(request.path.rpartition("/")[2])
        return web.Response(status=status, body=b"" if status in (204, 304) else b"<p>hi</p>", headers={"X-A": "b"})

    line.echo.answer = answer
    for status in (200, 201, 202, 207, 300, 302, 304, 400, 401, 403, 404, 409, 418, 422, 429, 500, 503, 599):
        got = await line.call("GET", f"/{status}")
        assert (got.status_code, got.headers["x-a"]) == (status, "b")
        assert got.content == (b"" if status in (204, 304) else b"<p>hi</p>")
        assert "x-isthmus-outcome" not in got.headers


async def test_an_answer_carries_what_makes_it_harmless_and_nothing_said_of_our_origin(line: Line) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        said = {
            "Access-Control-Allow-Origin": "*",
            "Alt-Svc": "h3",
            "Cache-Control": "max-age=5",
            "Connection": "keep-alive, X-Hop",
            "Content-Security-Policy": "default-src *",
            "Keep-Alive": "timeout=5",
            "Server": "Echo",
            "Server-Timing": "db;dur=53",
            "Set-Cookie": "a=b",
            "Strict-Transport-Security": "max-age=1",
            "X-Amp-Retryable": "true",
            "X-Hop": "internal",
            "X-Isthmus-Outcome": "done",
            "X-Request-Id": "r1",
            "X-Rate": "9",
        }
        return web.Response(body=b"<script>1</script>", headers=said, content_type="text/html")

    line.echo.answer = answer
    got = await line.call("GET", "/a", headers={"Origin": "https://app.example.test"})
    headers = dict(got.headers)
    request_id = headers.pop("x-request-id")
    assert request_id != "r1"
    assert headers.pop("date")
    assert headers == {
        "cache-control": "private, max-age=5",
        "content-length": "18",
        "content-security-policy": "sandbox",
        "content-type": "text/html",
        "cross-origin-resource-policy": "same-origin",
        "referrer-policy": "no-referrer",
        "server": "Echo",
        "x-content-type-options": "nosniff",
        "x-isthmus-provider-request-id": "r1",
        "x-rate": "9",
    }


async def test_a_preflight_is_no_business_of_ours(line: Line) -> None:
    asked = {"Origin": "https://app.example.test", "Access-Control-Request-Method": "POST"}
    answer = await line.client.options("/proxy/a", headers=asked)
    refused(answer, 401, "unauthenticated")
    assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert seen(await line.call("OPTIONS", "/a", headers=asked)).method == "OPTIONS"


async def test_only_a_key_that_is_kept_on_a_server_may_call(line: Line) -> None:
    signed = token(await register(line.house))
    without = {name: value for name, value in line.headers().items() if name != "X-Api-Key"}
    for headers, status in (
        (without, 401),
        ({**without, "X-Api-Key": "isk_wrong"}, 401),
        ({**without, "X-Api-Key": line.house.frontend_key}, 403),
        ({**without, **bearer(signed)}, 403),
        ({**line.headers(), **bearer(signed)}, 401),
        ({**without, "apiKey": line.house.key}, 401),
    ):
        for path in ("/a", "/proxy/a"):
            refused(
                await line.client.get(path, headers=headers),
                status,
                "forbidden" if status == 403 else "unauthenticated",
            )
    assert line.echo.seen == []


async def test_what_is_anothers_answers_like_what_does_not_exist(line: Line) -> None:
    rival = await neighbour(line.house)
    await rival.deploy("specVersion: 1.0.0\nintegrations:\n  - {name: echo, provider: echo, proxy: {enabled: true}}\n")
    body = {"provider": "echo", "groupRef": "g1", "consumerRef": "c1", "apiKey": KEY}
    assert (await rival.call("POST", "/connections:generate", json=body)).status_code == 201
    theirs = await install(rival, "echo", provider="echo")

    async def problem(**changes: str) -> dict[str, Any]:
        named = line.headers() | {name.replace("_", "-"): value for name, value in changes.items()}
        found = refused(await line.client.get("/a", headers=named), 404, "not-found")
        for name in ("requestId", "instance", "time"):
            del found[name]
        text = json.dumps(found)
        for value in changes.values():
            text = text.replace(value, "NAME")
        parsed: dict[str, Any] = json.loads(text)
        return parsed

    unknown = "01a20188-0000-7000-8000-000000000000"
    assert await problem(x_amp_project_id=rival.project_id) == await problem(x_amp_project_id=unknown)
    assert await problem(x_amp_project_id="acme") == await problem(x_amp_project_id="nobody")
    assert await problem(x_amp_installation_id=theirs) == await problem(x_amp_installation_id=unknown)
    assert await problem(x_amp_group_ref="g2") == await problem(x_amp_group_ref="nobody")
    assert await problem(x_amp_integration_name="crm") == await problem(x_amp_integration_name="nothing")
    assert line.echo.seen == []


async def test_an_installation_by_its_id_wins_over_names(line: Line) -> None:
    headers = line.headers("root", x_amp_installation_id=line.installations["module"], x_amp_group_ref="nobody")
    assert seen(await line.client.get("/a", headers=headers)).target == "/base/crm/a"


async def test_every_header_that_is_missing_is_named(line: Line) -> None:
    answer = await line.client.get("/a", headers={"X-Api-Key": line.house.key, "x-amp-proxy-version": "7"})
    named = {(issue["in"], issue["name"]) for issue in refused(answer, 422, "invalid-input")["issues"]}
    assert named == {
        ("header", name)
        for name in ("x-amp-proxy-version", "x-amp-project-id", "x-amp-integration-name", "x-amp-group-ref")
    }


async def test_calls_go_through_only_where_manifest_and_config_let_them(line: Line) -> None:
    refused(await line.call("GET", "/a", integration="declared"), 403, "proxy-off")
    path = f"/integrations/echo/installations/{line.installations['echo']}"
    for enabled, status in ((False, 403), (True, 200)):
        change = {
            "updateMask": ["config.content.proxy.enabled"],
            "installation": {"config": {"content": {"proxy": {"enabled": enabled}}}},
        }
        assert (await line.house.call("PATCH", path, json=change)).status_code == 200
        assert (await line.call("GET", "/a")).status_code == status


async def test_a_change_of_configuration_counts_at_once(line: Line) -> None:
    assert (await line.call("GET", "/a")).status_code == 200
    answer = await line.house.call("DELETE", f"/integrations/echo/installations/{line.installations['echo']}")
    assert answer.status_code == 204
    refused(await line.call("GET", "/a"), 404, "not-found")


async def test_a_connection_is_called_no_more_often_than_the_operator_lets_it() -> None:
    async with lined_up(connection_rate=parse_rate("2/h")) as line:
        answers = [await line.call("GET", "/a") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        refused(answers[2], 429, "too-many-requests")
        throttled = await line.call("GET", "/a", headers={"X-Amp-Rate-Limiter-Mode": "throttle"})
        refused(throttled, 429, "held-back")
        assert throttled.headers["x-amp-retryable"] == "true"
        assert throttled.headers["x-amp-retry-after"].endswith(" UTC")
        assert (await line.call("GET", "/a", integration="root")).status_code == 200


Written = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Any:
    """Start logging; calling this gives the events of the proxy so far."""
    logs.start_logging()
    yield lambda: [
        event
        for line in capsys.readouterr().err.splitlines()
        if (event := json.loads(line))["event"] == "proxy.forwarded"
    ]
    logs.start_logging(level=logging.WARNING)


async def test_a_call_is_recorded_by_ids_and_counts_alone(line: Line, written: Written) -> None:
    answer = await line.call(
        "POST", "/secret/path?secret=query", content=b"secret body", headers={"X-A": "secret header"}
    )
    (event,) = written()
    assert "secret" not in json.dumps(event)
    milliseconds = event.pop("milliseconds")
    assert 0 < milliseconds < 10_000
    del event["time"], event["connection_id"]
    assert event == {
        "level": "info",
        "event": "proxy.forwarded",
        "request_id": answer.headers["x-request-id"],
        "project_id": line.house.project_id,
        "installation_id": line.installations["echo"],
        "provider": "echo",
        "method": "POST",
        "status": 200,
        "outcome": "answered",
    }


async def test_a_refused_key_marks_the_connection_and_a_good_answer_heals_it(line: Line) -> None:
    async def no(_: web.Request) -> web.StreamResponse:
        return web.Response(status=401)

    line.echo.answer = no
    assert (await line.call("GET", "/a", integration="root")).status_code == 401
    assert await _status(line, "echoRoot") == "bad_credentials"
    line.echo.answer = None
    assert (await line.call("GET", "/a", integration="root")).status_code == 200
    await _until(lambda: _status(line, "echoRoot"), "working")


@pytest.mark.parametrize("size", [10, 1_000_001])
@pytest.mark.parametrize("refusal", [429, 500, 503])
async def test_a_token_endpoint_that_is_away_does_not_break_a_customers_connection(
    line: Line, refusal: int, size: int
) -> None:
    line.echo.answer = line.echo.demand_token
    line.echo.tokens.append("revoked")
    line.echo.token_refusal = refusal
    answer = await line.call("POST", "/a", integration="token", content=b"x" * size)
    assert (answer.status_code, answer.json()) == (401, {"error": "token"})
    assert await _status(line, "echoToken") != "bad_credentials"
    told = await line.house.services.store.events(line.house.project_id)
    assert {event.type for event in told} == {"connection.created", "installation.created"}


async def _status(line: Line, provider: str) -> str:
    answers = (await line.house.call("GET", "/connections")).json()
    return next(str(one["status"]) for one in answers if one["provider"] == provider)


async def _until(ask: Callable[[], Awaitable[str]], wanted: str) -> None:
    async with asyncio.timeout(60):
        while await ask() != wanted:  # noqa: ASYNC110 -- nobody tells
            await asyncio.sleep(0)


async def test_a_token_is_renewed_after_a_401_and_the_call_sent_again(line: Line) -> None:
    line.echo.answer = line.echo.demand_token
    assert (await line.call("POST", "/a", integration="token", content=b"x" * 1000)).status_code == 200
    line.echo.tokens.append("revoked")
    answer = await line.call("POST", "/a", integration="token", content=b"y" * 1000)
    assert (answer.status_code, answer.json()["length"]) == (200, 1000)
    assert [one.length for one in line.echo.seen] == [1000, 1000, 1000]
    assert CLIENT_SECRET not in answer.text
