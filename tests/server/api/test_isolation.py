"""Every route x every kind of credential x own, other group, other project, deleted, unknown: what is expected follows
from the table of routes. Whatever is denied is denied alike, and changes nothing.
"""  # noqa: D205

import re
from typing import Any, Literal, NamedTuple

import httpx
import pytest
from litestar.routes import HTTPRoute

from connectors.sandbox.access import DEMO_KEY
from server.app import build_routes
from server.clock import new_id
from tests.server.api.routes import EMBED, OPEN, OUTSIDE, PAGES, PROXIED, ROUTES, UI, Route
from tests.server.api.town import KINDS, Headers, Kind, Names, Town, furnished, neighbour, settled
from tests.server.house import ON_EVERY_STORE, READ_AND_WRITE, House, open_house
from tests.server.signing import bearer, register, token

VOLATILE = ("instance", "time", "requestId", "retryAfter")


def shape(path: str) -> str:
    """Forget how parameters are called, and which objects are examples."""
    path = re.sub(r"/objects/(contacts|\{\w+\})", "/objects/{}", path)
    path = re.sub(r"/providers/(sandbox|\{\w+\})", "/providers/{}", path)
    return re.sub(r"\{\w*\}", "{}", path)


async def test_every_route_is_in_the_matrix(api: httpx.AsyncClient) -> None:
    document = (await api.get("/openapi.json")).json()
    served = {(method.upper(), shape(path)) for path, methods in document["paths"].items() for method in methods}
    listed = {(route.method, shape(route.path)) for route in (*ROUTES, *OUTSIDE)}
    assert served == listed | {(method, shape(path)) for method, path in OPEN}


def test_what_is_not_described_is_a_page_for_people() -> None:
    """A route that the description leaves out would be missing from the matrix, and nobody would notice."""
    routes = build_routes().routes
    assert all(isinstance(route, HTTPRoute) for route in routes)
    hidden = {
        (method, route.path_format)
        for route in routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        for method in handler.http_methods - {"OPTIONS"}
        if not handler.include_in_schema
    }
    assert hidden == PAGES | UI | EMBED


Whose = Literal["own", "another group", "another project", "smuggled", "deleted", "unknown", "nowhere"]
"""Whose things a request names. ``smuggled`` are another project's under one's own, ``unknown`` never were, and
``nowhere`` is a project that never was."""


class Target(NamedTuple):
    """What a request names: whose thing it is, and which of the names in the route."""

    whose: Whose
    name: str = ""

    @property
    def reference(self) -> "Target":
        """What this must not be told from."""
        return Target("nowhere") if self.whose in {"another project", "nowhere"} else Target("unknown", self.name)


def aimed(town: Town, kind: Kind, route: Route) -> dict[Target, Names]:
    """Name the things of each target, as they are seen from where the credential is at home."""
    own, foreign = (town.own, town.theirs) if kind.home == "own" else (town.theirs, town.own)
    nobody = {name: new_id() for name in own}
    rows = route.names - {"project"}
    targets = {Target("own"): own, Target("another project"): foreign, Target("nowhere"): nobody}
    for name in rows:
        targets[Target("smuggled", name)] = {**own, name: foreign[name]}
        targets[Target("unknown", name)] = {**own, name: nobody[name]}
        if kind.home == "own":
            targets[Target("deleted", name)] = {**own, name: town.gone[name]}
    if kind.home == "own":
        strangers = rows & town.other_group.keys()
        targets |= {Target("another group", name): {**own, name: town.other_group[name]} for name in strangers}
        targets |= {} if strangers else {Target("another group"): own}
    return targets


Verdict = Literal["in", "unauthenticated", "forbidden", "missing", "empty"]
STATUS = {"unauthenticated": 401, "forbidden": 403, "missing": 404, "empty": 200}
FOR_OTHERS: dict[str, Verdict] = {"row": "missing", "person": "forbidden", "list": "empty", "project": "in"}
"""What a token is answered that names another group's things."""


def verdict(route: Route, kind: Kind, whose: Whose) -> Verdict:
    """Tell what a route owes a credential that names these things."""
    if kind.power == "nobody":
        return "unauthenticated"
    stands_for_nobody = kind.power == "frontend" and route.stands_for
    if kind.power == "barred" or (kind.power != "full" and not route.frontend) or stands_for_nobody:
        return "forbidden"
    if whose in {"another project", "nowhere"}:
        return "missing" if "project" in route.names else "in"
    if whose in {"smuggled", "deleted", "unknown"}:
        return "missing"
    if whose == "another group" and kind.power == "token":
        return FOR_OTHERS[route.touches]
    return "in"


def filled(value: Any, names: Names, group_ref: str) -> Any:
    """Put names into a body, and another group."""
    if isinstance(value, dict):
        return {k: group_ref if k == "groupRef" else filled(v, names, group_ref) for k, v in value.items()}
    return re.sub(r"\{(\w+)\}", lambda m: names[m[1]], value) if isinstance(value, str) else value


async def ask(house: House, route: Route, names: Names, headers: Headers, group_ref: str = "g1") -> httpx.Response:
    path = (route.path + route.query).format(**names).replace("groupRef=g1", f"groupRef={group_ref}")
    named = {name: value.format(**names) for name, value in route.headers.items()}
    body = filled(route.body, names, group_ref) if route.body else None
    return await house.client.request(route.method, path, headers={**headers, **named}, json=body)


def stable(answer: httpx.Response, names: Names) -> Any:
    text = answer.text
    if answer.headers["content-type"].endswith("json") and isinstance(body := answer.json(), dict):
        text = str({name: value for name, value in body.items() if name not in VOLATILE})
    for name, value in names.items():
        text = text.replace(value, name)
    return answer.status_code, answer.headers["content-type"], answer.headers.get("www-authenticate"), text


def contents(house: House) -> str:
    """Spell out all that the store holds."""
    return str(vars(house.services.store))


async def last_call(house: House) -> Any:
    """Answer what the provider was asked last."""
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        return (await client.get(f"{house.sandbox_url}/_sandbox/requests?limit=1")).json()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
async def test_what_is_denied_is_denied_alike_and_changes_nothing(house: House, kind: Kind) -> None:
    town = await settled(house)
    headers = await kind.make(town)
    before, called = contents(house), await last_call(house)
    for route in (*ROUTES, *OUTSIDE, *PROXIED):
        answers: dict[Target, Any] = {}
        for target, names in aimed(town, kind, route).items():
            wanted = verdict(route, kind, target.whose)
            if wanted == "in":
                continue
            answer = await ask(house, route, names, headers, "g2" if target.whose == "another group" else "g1")
            where = f"{route.method} {route.path}, {target}: {answer.text}"
            assert answer.status_code == STATUS[wanted], where
            assert contents(house) == before, where
            assert wanted != "empty" or answer.json() == [], where
            answers[target] = stable(answer, names)
        for target, told in answers.items():
            assert told == answers.get(target.reference, told), f"{route.method} {route.path}, {target}"
    assert await last_call(house) == called


INSIDERS = [kind for kind in KINDS if kind.power in {"full", "frontend", "token"} and kind.home == "own"]


@pytest.mark.parametrize("route", [*ROUTES, *OUTSIDE, *PROXIED], ids=lambda route: f"{route.method} {route.path}")
async def test_whoever_may_is_let_in(route: Route) -> None:
    for kind in INSIDERS:
        if verdict(route, kind, "own") != "in":
            continue
        async with open_house() as house:
            rival = await neighbour(house)
            names = await furnished(house)
            town = Town(house=house, rival=rival, own=names, other_group=names, theirs=names, gone=names)
            answer = await ask(house, route, names, await kind.make(town))
            assert answer.status_code not in {401, 403, 404}, (kind.name, answer.text)
            assert answer.status_code < 500, (kind.name, answer.text)


@pytest.mark.parametrize(("method", "path"), sorted(OPEN))
async def test_an_open_route_asks_for_no_credential(house: House, method: str, path: str) -> None:
    for headers in ({}, {"X-Api-Key": "isk_nonsense"}, bearer("e30.e30.e30")):
        answer = await house.client.request(method, path.format(provider="sandbox", uploadId="x"), headers=headers)
        assert answer.status_code not in {401, 403}


async def test_a_key_that_ships_in_browsers_sees_no_stored_credentials(house: House) -> None:
    connection = await house.connect()
    path = f"/connections/{connection['id']}?includeCreds=true"
    holder = bearer(token(await register(house)))
    assert (await house.call("GET", path, key=house.frontend_key)).status_code == 403
    assert (await house.client.get(f"/v1/projects/acme{path}", headers=holder)).status_code == 403
    assert (await house.call("GET", path)).status_code == 200


@ON_EVERY_STORE
async def test_lists_hold_nothing_of_the_neighbours(house: House) -> None:
    await furnished(house)
    rival = await neighbour(house)
    for path in ("/integrations", "/installations", "/connections", "/provider-apps", "/jwt-keys"):
        assert (await rival.call("GET", path)).json() == []


@ON_EVERY_STORE
async def test_a_token_sees_its_own_group_and_no_other_in_every_list(house: House) -> None:
    await furnished(house)
    await house.connect("g2")
    await house.install("g2")
    headers = bearer(token(await register(house)))
    for path in ("/installations", "/integrations/crm/installations", "/connections"):
        url = f"/v1/projects/acme{path}"
        for query, groups in (("", ["g1"]), ("?groupRef=g1", ["g1"]), ("?groupRef=g2", []), ("?groupRef=", [])):
            answer = await house.client.get(url + query, headers=headers)
            assert [one["group"]["groupRef"] for one in answer.json()] == groups, path + query
        everybody = (await house.call("GET", path)).json()
        assert {one["group"]["groupRef"] for one in everybody} == {"g1", "g2"}


async def test_a_frontend_key_lists_one_groups_things_and_never_everybodys(house: House) -> None:
    await furnished(house)
    await house.connect("g2")
    await house.install("g2")
    for path in ("/installations", "/integrations/crm/installations", "/connections"):
        for query in ("", "?provider=sandbox", "?consumerRef=c1"):
            assert (await house.call("GET", path + query, key=house.frontend_key)).status_code == 403
        for group in ("g1", "g2"):
            listed = (await house.call("GET", f"{path}?groupRef={group}", key=house.frontend_key)).json()
            assert [one["group"]["groupRef"] for one in listed] == [group]
        assert (await house.call("GET", f"{path}?groupRef=", key=house.frontend_key)).json() == []


@ON_EVERY_STORE
async def test_another_groups_things_are_missed_word_for_word(house: House) -> None:
    await furnished(house)
    theirs = {"connection": (await house.connect("g2"))["id"], "installation": (await house.install("g2"))["id"]}
    nobody = {name: new_id() for name in theirs}
    headers = bearer(token(await register(house)))
    paths = ("/connections/{connection}", "/integrations/crm/installations/{installation}")
    for path in paths:
        there, nowhere = [
            stable(await house.client.get(f"/v1/projects/acme{path.format(**names)}", headers=headers), names)
            for names in (theirs, nobody)
        ]
        assert there == nowhere
        assert there[0] == 404


async def test_a_connection_of_another_group_cannot_be_used_nor_told_from_none(house: House) -> None:
    names = await furnished(house)
    theirs, nobodys = (await house.connect("g2"))["id"], new_id()
    headers = bearer(token(await register(house)))
    base = "/v1/projects/acme/integrations/crm/installations"
    answers = []
    for connection_id in (theirs, nobodys):
        swap = {"updateMask": ["connectionId"], "installation": {"connectionId": connection_id}}
        new = {"groupRef": "g1", "connectionId": connection_id, "config": {"content": READ_AND_WRITE}}
        swapped = await house.client.patch(f"{base}/{names['installation']}", headers=headers, json=swap)
        made = await house.client.post(base, headers=headers, json=new)
        assert (swapped.status_code, made.status_code) == (422, 422)
        answers.append([stable(one, {"connection": connection_id}) for one in (swapped, made)])
    assert answers[0] == answers[1]


@pytest.mark.parametrize("other", [{"groupRef": "g2"}, {"consumerRef": "c2"}])
async def test_a_token_connects_nobody_but_its_person(house: House, other: dict[str, str]) -> None:
    headers = bearer(token(await register(house)))
    body = {"provider": "sandbox", "groupRef": "g1", "consumerRef": "c1", "apiKey": DEMO_KEY}
    url = "/v1/projects/acme/connections:generate"
    assert (await house.client.post(url, headers=headers, json={**body, **other})).status_code == 403
    assert (await house.call("GET", "/connections")).json() == []
    assert (await house.client.post(url, headers=headers, json=body)).status_code == 201
