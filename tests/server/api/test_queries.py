"""Every route x every parameter of its query, as the OpenAPI document has them: a wrong value is explained in full."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.server.api.routes import OUTSIDE, ROUTES, Route
from tests.server.api.town import furnished
from tests.server.house import House

PATHS = json.loads((Path(__file__).parent / "openapi.json").read_text())["paths"]
TIMES = ("yesterday", "2026-11-22", "2026-11-22T07:00:00", "1763794800", "0001-01-01T00:00:00%2B14:00", "")
TIME = "must be an RFC 3339 time with its zone, such as 2026-11-22T07:00:00Z"


def parameters(method: str, path: str) -> dict[str, dict[str, Any]]:
    """Find what a route's query may hold; its path is matched by shape, as the samples name their parts freely."""
    shape = _shape(path)
    for published, operations in PATHS.items():
        if _shape(published) == shape and method.lower() in operations:
            listed = operations[method.lower()]["parameters"]
            return {one["name"]: one for one in listed if one["in"] == "query"}
    return {}


def _shape(path: str) -> tuple[str, ...]:
    segments = path.replace("/objects/contacts", "/objects/{o}").replace("/providers/sandbox", "/providers/{p}")
    return tuple("{}" + part.partition("}")[2] if part.startswith("{") else part for part in segments.split("/"))


ASKING = [(route, found) for route in (*ROUTES, *OUTSIDE) if (found := parameters(route.method, route.path))]


def wrong_values(schema: dict[str, Any]) -> dict[str, str]:
    """List values that a parameter must not have, with what must be said of each."""
    choices = [choice for choice in schema.get("enum", []) if choice]
    kinds = [schema, *schema.get("oneOf", [])]
    if choices:
        return dict.fromkeys(("brokn", "", "null", choices[0].upper()), f"must be one of: {', '.join(choices)}")
    if any(kind.get("format", schema.get("format")) == "date-time" for kind in kinds):
        return dict.fromkeys(TIMES, TIME)
    if any(kind.get("type") == "boolean" for kind in kinds):
        return dict.fromkeys(("maybe", "", "2", "yes"), "must be true or false")
    if any(kind.get("type") == "integer" for kind in kinds):
        said = f"must be a whole number from {schema['minimum']:.0f} to {schema['maximum']:.0f}"
        return dict.fromkeys(("", "x", "-1", "1.5", "0", "1001", "9" * 400), said)
    wrong = {"": "must not be empty"} if schema.get("minLength") == 1 else {}
    if longest := schema.get("maxLength"):
        wrong["a" * (longest + 1)] = f"must have at most {longest} characters"
    return wrong


def test_the_document_is_matched() -> None:
    asking = sum(
        any(one["in"] == "query" for one in operation["parameters"])
        for operations in PATHS.values()
        for operation in operations.values()
    )
    assert len(ASKING) == asking > 20


async def _ask(house: House, route: Route, names: dict[str, str], query: str) -> Any:
    body = None if route.body is None else json.dumps(route.body).replace("{project}", names["project"])
    answer = await house.client.request(
        route.method,
        f"{route.path.format(**names)}?{query}",
        content=body,
        headers={**house.headers, "content-type": "application/json"},
    )
    assert answer.status_code in {400, 422}, f"{query[:80]}: {answer.status_code} {answer.text}"
    return answer.json()


@pytest.mark.parametrize(("route", "known"), ASKING, ids=[f"{route.method} {route.path}" for route, _ in ASKING])
async def test_every_wrong_value_and_every_misspelt_name_is_told(
    house: House, route: Route, known: dict[str, dict[str, Any]]
) -> None:
    names = await furnished(house)
    required = {name for name, one in known.items() if one.get("required")}
    firsts: dict[str, str] = {}
    for name, one in known.items():
        wrong = wrong_values(one["schema"])
        firsts |= {name: next(iter(wrong))} if wrong else {}
        for value, said in wrong.items():
            problem = await _ask(house, route, names, f"{name}={value}")
            issues = {issue["name"]: issue for issue in problem["issues"]}
            assert set(issues) == {name} | required, value
            assert (issues[name]["in"], issues[name]["detail"]) == ("query", said), value
            assert f"{name}: {said}" in problem["detail"]
    together = await _ask(house, route, names, "&".join(f"{name}={value}" for name, value in firsts.items()))
    assert {issue["name"] for issue in together["issues"]} == {*firsts, *required}
    slips = await _ask(house, route, names, "&".join(f"{name}s=x" for name in known))
    told = {issue["name"]: issue.get("remedy") for issue in slips["issues"] if issue["name"] not in required}
    assert told == {f"{name}s": f"did you mean {name}?" for name in known}


async def test_names_that_resemble_nothing_are_ignored(house: House) -> None:
    for path in ("/operations?limit=5&_=1763794800", "/installations?utm_source=x", "/integrations?anything=x"):
        assert (await house.call("GET", path)).status_code == 200, path


async def test_status_is_known_for_state_and_a_plus_for_what_it_became(house: House) -> None:
    problem = (await house.call("GET", "/operations?status=failure&createdFrom=2026-11-22T07:00:00+01:00")).json()
    told = {issue["name"]: issue["remedy"] for issue in problem["issues"]}
    assert told == {"status": "did you mean state?", "createdFrom": "Write + as %2B in a URL."}


async def test_who_may_not_come_in_is_not_told_about_queries(house: House) -> None:
    answer = await house.client.get(f"/v1/projects/{house.project_id}/operations?state=brokn")
    assert answer.status_code == 401


async def test_a_page_token_of_no_page_is_named(house: House) -> None:
    names = await furnished(house)
    for path in ("/operations", f"/destinations/{names['destination']}/deliveries"):
        problem = (await house.call("GET", f"{path}?pageToken=nowhere")).json()
        assert problem["status"] == 400
        assert problem["detail"] == "pageToken: must be the nextPageToken of a page of this list"
