"""Every route x every credential: another project's names answer exactly as names that do not exist."""

import re
from typing import Any

import httpx
import pytest

from installations.installation import Project
from server.access.keys import new_key
from server.clock import new_id
from tests.server.api.routes import OPEN, OUTSIDE, ROUTES, Route
from tests.server.house import ON_EVERY_STORE, START, House, stored_key

VOLATILE = ("instance", "time", "requestId", "retryAfter")


def shape(path: str) -> str:
    """Forget how parameters are called, and which objects are examples."""
    path = re.sub(r"/objects/(contacts|\{\w+\})", "/objects/{}", path)
    path = re.sub(r"/providers/(sandbox|\{\w+\})", "/providers/{}", path)
    return re.sub(r"\{\w*\}", "{}", path)


async def test_every_route_is_in_the_matrix(api: httpx.AsyncClient) -> None:
    document = (await api.get("/openapi.json")).json()
    served = {(method.upper(), shape(path)) for path, methods in document["paths"].items() for method in methods}
    listed = {(route.method, shape(route.path)) for route in ROUTES}
    assert served == listed | {(method, shape(path)) for method, path in OPEN | OUTSIDE}


async def furnished(house: House) -> dict[str, str]:
    """Put one of everything into the house's project; the names by the routes' parameters."""
    await house.deploy()
    connection = await house.connect()
    installation = await house.install()
    app = await house.call(
        "POST", "/provider-apps", json={"provider": "hubspot", "clientId": "id", "clientSecret": "secret"}
    )
    key = await house.call("POST", "/api-keys", json={"label": "spare"})
    written = await house.call(
        "POST",
        "/integrations/crm/objects/contacts",
        json={"groupRef": "g1", "type": "create", "record": {"email": "a@b.co"}},
    )
    return {
        "project": house.project_id,
        "integration": installation["integrationId"],
        "revision": installation["config"]["revisionId"],
        "installation": installation["id"],
        "connection": connection["id"],
        "providerApp": app.json()["id"],
        "apiKey": key.json()["id"],
        "operation": written.json()["operationId"],
    }


async def neighbour(house: House) -> tuple[str, str]:
    """Add a second project; its id and full key."""
    key = new_key()
    project = Project(id=new_id(), name="rival", app_name="Rival", org_id=new_id(), create_time=START)
    await house.services.store.create_project(project, key=stored_key(project.id, key))
    return project.id, key


async def ask(house: House, route: Route, names: dict[str, str], key: str | None) -> httpx.Response:
    headers = {"X-Api-Key": key} if key is not None else {}
    return await house.client.request(
        route.method, (route.path + route.query).format(**names), headers=headers, json=route.body
    )


def stable(answer: httpx.Response, names: dict[str, str]) -> Any:
    body = answer.json()
    text = str({name: value for name, value in body.items() if name not in VOLATILE})
    for name, value in names.items():
        text = text.replace(value, name)
    return answer.status_code, answer.headers["content-type"], text


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
async def test_a_route_tells_a_stranger_nothing(house: House, route: Route) -> None:
    names = await furnished(house)
    rival_id, rival_key = await neighbour(house)
    nobody = {name: new_id() for name in names}

    assert (await ask(house, route, names, None)).status_code == 401
    assert (await ask(house, route, names, new_key())).status_code == 401
    assert (await ask(house, route, names, "isk_nonsense")).status_code == 401

    there, nowhere = await ask(house, route, names, rival_key), await ask(house, route, nobody, rival_key)
    assert there.status_code == 404
    assert stable(there, names) == stable(nowhere, nobody)

    if len(re.findall(r"\{\w+\}", route.path)) > 1:
        inside = {**names, "project": rival_id}, {**nobody, "project": rival_id}
        there, nowhere = [await ask(house, route, one, rival_key) for one in inside]
        assert there.status_code == 404
        assert stable(there, inside[0]) == stable(nowhere, inside[1])


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
async def test_a_key_that_ships_in_browsers_reaches_only_what_the_embedded_ui_calls(house: House, route: Route) -> None:
    names = await furnished(house)
    answer = await ask(house, route, names, house.frontend_key)
    assert (answer.status_code == 403) is not route.frontend, answer.text


async def test_a_key_that_ships_in_browsers_sees_no_stored_credentials(house: House) -> None:
    connection = await house.connect()
    path = f"/connections/{connection['id']}?includeCreds=true"
    assert (await house.call("GET", path, key=house.frontend_key)).status_code == 403
    assert (await house.call("GET", path)).status_code == 200


@ON_EVERY_STORE
async def test_lists_hold_nothing_of_the_neighbours(house: House) -> None:
    await furnished(house)
    rival_id, rival_key = await neighbour(house)
    for path in ("/integrations", "/installations", "/connections", "/provider-apps"):
        answer = await house.client.get(f"/v1/projects/{rival_id}{path}", headers={"X-Api-Key": rival_key})
        assert answer.json() == []
