"""Every route with a body x everything that a body should not be: a clear 4xx, never a 500."""

import json

import pytest

from tests.server.api.routes import OUTSIDE, ROUTES, P, Route
from tests.server.api.town import furnished
from tests.server.house import House

DEEP = 20_000
BODIES: dict[str, bytes] = {
    "nothing": b"",
    "no object": b"[]",
    "null": b"null",
    "text": b'"text"',
    "half an object": b'{"a": ',
    "deep arrays": b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "invalid UTF-8": b'{"label": "\xff"}',
    "a lone surrogate": b'{"label": "\\ud800", "groupRef": "\\ud800"}',
    "not a number": b'{"label": NaN}',
    "an infinite number": b'{"label": 1e999}',
    "four hundred digits": b'{"label": ' + b"9" * 400 + b"}",
    "five thousand digits": b'{"label": ' + b"9" * 5000 + b"}",
    "too many bytes": b'{"label": "' + b"a" * 10_000_000 + b'"}',
}
VALUES = {
    "NUL": b'"a\\u0000b"',
    "a number": b"1",
    "null": b"null",
    "a list": b"[]",
    "an object": b"{}",
    "a deep object": b'{"a":' * 100 + b"1" + b"}" * 100,
    "a large integer": b"9" * 400,
    "empty text": b'""',
    "long text": b'"' + b"a" * 100_000 + b'"',
}
WITH_BODY = [
    *(route for route in (*ROUTES, *OUTSIDE) if route.body is not None),
    # Its body may be left out, so the list of routes has none.
    Route(method="PATCH", path=P + "/connections/{connection}:oauth-update", body={"flow": "strict", "returnUrl": "x"}),
]
MAY_BE_EMPTY = (":oauth-update",)


@pytest.mark.parametrize("route", WITH_BODY, ids=lambda route: f"{route.method} {route.path}")
async def test_no_body_breaks_the_server(house: House, route: Route) -> None:
    names = await furnished(house)
    for name, body in {**BODIES, **_variations(route)}.items():
        answer = await house.client.request(
            route.method,
            route.path.format(**names),
            content=body.replace(b"{project}", names["project"].encode()),
            headers={**house.headers, "content-type": "application/json"},
        )
        assert answer.status_code < 500, f"{name}: {answer.text}"
        if name in BODIES and not (body == b"" and route.path.endswith(MAY_BE_EMPTY)):
            assert answer.status_code >= 400, f"{name}: {answer.text}"
            assert answer.text


def _variations(route: Route) -> dict[str, bytes]:
    """Put each bad value in the place of each member, and each member twice."""
    found = {}
    for member in route.body:
        rest = {name: value for name, value in route.body.items() if name != member}
        head = json.dumps(rest).encode()[:-1] + (b", " if rest else b"")
        for name, value in VALUES.items():
            found[f"{member} is {name}"] = head + json.dumps(member).encode() + b": " + value + b"}"
        own = json.dumps(member).encode() + b": " + json.dumps(route.body[member]).encode()
        found[f"{member} twice"] = head + own + b", " + own + b"}"
    return found


@pytest.mark.parametrize("route", WITH_BODY, ids=lambda route: f"{route.method} {route.path}")
async def test_a_misspelt_member_is_refused_with_the_right_spelling(house: House, route: Route) -> None:
    names = await furnished(house)
    for member, value in route.body.items():
        rest = {name: each for name, each in route.body.items() if name != member}
        answer = await house.client.request(
            route.method,
            route.path.format(**names),
            content=json.dumps({**rest, member + member[-1]: value}).replace("{project}", names["project"]),
            headers={**house.headers, "content-type": "application/json"},
        )
        assert answer.status_code == 400, f"{member}: {answer.status_code} {answer.text}"
        assert f"did you mean {member}?" in answer.text, answer.text


@pytest.mark.parametrize("route", WITH_BODY, ids=lambda route: f"{route.method} {route.path}")
async def test_a_member_given_twice_is_refused(house: House, route: Route) -> None:
    names = await furnished(house)
    for name, body in _variations(route).items():
        if name.endswith(" twice"):
            answer = await house.client.request(
                route.method,
                route.path.format(**names),
                content=body.replace(b"{project}", names["project"].encode()),
                headers={**house.headers, "content-type": "application/json"},
            )
            assert answer.status_code == 400, f"{name}: {answer.text}"
