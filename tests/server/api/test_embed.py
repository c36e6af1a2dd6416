"""The page for iframes: who may frame it, what stands in it, and what it tells nobody."""

import re
from datetime import UTC, datetime

import httpx
import pytest

from installations.installation import AccessPolicy
from server.api.embed import build_headers, build_page
from tests.server.api.test_session_tokens import issued
from tests.server.house import House
from tests.server.signing import bearer

PRODUCT = "https://app.example.test"
FRAMED = {"sec-fetch-dest": "iframe"}


async def let_in(house: House, *origins: str) -> None:
    policy = AccessPolicy(allowed_origins=origins)
    await house.services.store.update_project(house.project_id, access_policy=policy, now=datetime.now(UTC))
    house.services.changes.announce()


async def framed(house: House, path: str = "/embed/acme/crm", **headers: str) -> httpx.Response:
    return await house.client.get(path, headers={**FRAMED, **headers})


def directives(answer: httpx.Response) -> dict[str, str]:
    parts = answer.headers["content-security-policy"].split("; ")
    return {name: value for name, _, value in (part.partition(" ") for part in parts)}


async def test_listed_pages_may_frame_it_and_nothing_else_is_open(house: House) -> None:
    await let_in(house, PRODUCT, "http://localhost:3000")
    answer = await framed(house)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = directives(answer)
    assert policy.pop("frame-ancestors") == f"{PRODUCT} http://localhost:3000"
    assert re.fullmatch(r"'sha256-[\w+/]{43}='", policy.pop("style-src"))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "lit-html",
    }
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cross-origin-embedder-policy"] == "require-corp"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["cache-control"] == "no-store"
    assert "x-frame-options" not in answer.headers
    assert "set-cookie" not in answer.headers
    assert "access-control-allow-origin" not in answer.headers


async def test_nobody_is_told_what_there_is(house: House) -> None:
    """A project that lists no page, one that is not there, and any integration: one and the same answer."""
    paths = ("/embed/acme/crm", "/embed/nobody/crm", "/embed/nobody/nothing", f"/embed/{house.project_id}/nothing")
    answers = [await framed(house, path) for path in paths]
    assert {answer.status_code for answer in answers} == {200}
    assert {directives(answer)["frame-ancestors"] for answer in answers} == {"'none'"}
    assert len({answer.text for answer in answers}) == 1
    await house.deploy()
    await let_in(house, PRODUCT)
    known, unknown = await framed(house, "/embed/acme/crm"), await framed(house, "/embed/acme/nothing")
    assert known.text == unknown.text
    assert known.headers["content-security-policy"] == unknown.headers["content-security-policy"]


HOSTILE = [
    *("/embed/%3Cscript%3Ealert(1)%3C%2Fscript%3E/crm", "/embed/acme/%22%3E%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E"),
    *("/embed/acme;frame-ancestors%20*/crm", "/embed/acme/crm;%20script-src%20*", "/embed/acme%2Fx/crm%2Fy"),
    "/embed/acme/crm?groupRef=%3Cscript%3Ealert(1)%3C/script%3E&theme=%22onload=alert(1)&lang=%27%3Cb%3E",
]


@pytest.mark.parametrize("path", HOSTILE)
async def test_nothing_of_the_address_stands_in_the_page_or_its_headers(house: House, path: str) -> None:
    await let_in(house, PRODUCT)
    plain, answer = await framed(house), await framed(house, path)
    assert answer.status_code == 200
    assert "alert" not in answer.text + str(answer.headers)
    assert answer.text == plain.text or directives(answer)["frame-ancestors"] == "'none'"


@pytest.mark.parametrize("path", ["/embed/acme%0d%0aX-Evil:%201/crm", "/embed/acme/crm%0d%0aSet-Cookie:%20a=b"])
async def test_a_line_break_in_the_address_is_refused(house: House, path: str) -> None:
    answer = await framed(house, path)
    assert answer.status_code == 400
    assert "x-evil" not in answer.headers
    assert "set-cookie" not in answer.headers


BAD_ORIGINS = [
    *("https://evil.test; script-src *", "https://evil.test, default-src *", "*", "https://*.evil.test", "'self'"),
    *("https://evil.test\r\nSet-Cookie: a=b", 'https://evil.test"><script>', "https://evil.test/path", "data:", ""),
]


@pytest.mark.parametrize("origin", BAD_ORIGINS)
async def test_an_origin_that_is_none_reaches_neither_header_nor_page(house: House, origin: str) -> None:
    """The API refuses it; one that got into the database all the same does no harm."""
    change = {"updateMask": ["accessPolicy"], "project": {"accessPolicy": {"allowedOrigins": [origin]}}}
    assert (await house.call("PATCH", "", json=change)).status_code in {400, 422}
    assert build_headers([origin]) == build_headers([])
    assert build_page([origin]) == build_page([])
    assert f"frame-ancestors {PRODUCT}" in build_headers([origin, PRODUCT])["content-security-policy"]


@pytest.mark.parametrize("place", ["document", "empty", "script", "object", "embed"])
async def test_it_is_no_page_of_its_own(house: House, place: str) -> None:
    await let_in(house, PRODUCT)
    answer = await framed(house, **{"sec-fetch-dest": place})
    assert answer.status_code == 400
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "<script" not in answer.text


GET = "/v1/projects/acme/installations?groupRef=g1"
OURS = "http://isthmus.test"
LET_IN = [
    # what the request says of its page; with a token, and with a frontend key
    ({"origin": PRODUCT}, True, True),
    ({"origin": OURS}, True, False),
    ({"sec-fetch-site": "same-origin"}, True, False),
    ({"sec-fetch-site": "same-origin", "origin": OURS}, True, False),
    ({"sec-fetch-site": "same-origin", "origin": "https://evil.test"}, False, False),
    ({"sec-fetch-site": "same-site"}, False, False),
    ({"sec-fetch-site": "none"}, False, False),
    ({"sec-fetch-site": "cross-site"}, False, False),
    ({"origin": "https://evil.test"}, False, False),
    ({"origin": "null"}, False, False),
    ({"origin": f"{OURS}.evil.test"}, False, False),
    ({"origin": "https://isthmus.test"}, False, False),
    ({}, False, False),
]


@pytest.mark.parametrize(("said", "token_in", "key_in"), LET_IN)
async def test_our_own_page_is_let_in_with_a_token_alone(
    house: House, said: dict[str, str], *, token_in: bool, key_in: bool
) -> None:
    await let_in(house, PRODUCT)
    token = (await issued(house))["token"]
    with_token = await house.client.get(GET, headers={**bearer(token), **said})
    with_key = await house.client.get(GET, headers={"X-Api-Key": house.frontend_key, **said})
    assert (with_token.status_code == 200, with_key.status_code == 200) == (token_in, key_in)
    assert {with_token.status_code, with_key.status_code} <= {200, 403}
