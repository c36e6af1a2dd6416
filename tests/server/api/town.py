"""Two projects under one roof, furnished, and every kind of credential that somebody may come with."""

import time
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import msgspec

from installations.installation import AccessPolicy, Project
from server.access.keys import new_key
from server.clock import new_id
from tests.canaries import canary
from tests.server.house import START, House, stored_key
from tests.server.signing import bearer, register, token

PAGE = "https://app.example.com"
Names = dict[str, str]
Headers = dict[str, str]


async def furnished(house: House, group_ref: str = "g1") -> Names:
    """Put one of everything into the house's project; the names by the routes' parameters."""
    await house.deploy()
    connection = await house.connect(group_ref)
    installation = await house.install(group_ref)
    app = await house.call(
        "POST", "/provider-apps", json={"provider": "hubspot", "clientId": new_id(), "clientSecret": canary()}
    )
    key = await house.call("POST", "/api-keys", json={"label": "spare"})
    body = {"groupRef": group_ref, "type": "create", "record": {"email": "a@b.co"}}
    written = await house.call("POST", "/integrations/crm/objects/contacts", json=body)
    told = await _told(house, "news")
    return {
        "project": house.project_id,
        "integration": installation["integrationId"],
        "revision": installation["config"]["revisionId"],
        "installation": installation["id"],
        "connection": connection["id"],
        "providerApp": app.json()["id"],
        "apiKey": key.json()["id"],
        "jwtKey": await register(house, name="spare", key=house.key, project=house.project_id),
        "operation": written.json()["operationId"],
        **told,
    }


async def _told(house: House, name: str) -> Names:
    """Let somebody be told of something: a destination on loopback where nobody listens, a topic, and both routes."""
    hook = {"name": name, "type": "webhook", "metadata": {"url": "http://127.0.0.1:1/hook"}}
    destination = (await house.call("POST", "/destinations", json=hook)).json()["id"]
    topic = (await house.call("POST", "/topics", json={"name": name})).json()["id"]
    route = {"eventType": "connection.updated", "topicId": topic}
    first = await house.call("POST", "/notification-event-topic-routes", json=route)
    onward = {"topicId": topic, "destinationId": destination}
    second = await house.call("POST", "/topic-destination-routes", json=onward)
    return {
        "destination": destination,
        "topic": topic,
        "eventRoute": first.json()["id"],
        "destinationRoute": second.json()["id"],
    }


async def neighbour(house: House) -> House:
    """Add a second project under the same roof."""
    project = Project(id=new_id(), name="rival", app_name="Rival", org_id=new_id(), create_time=START)
    full, frontend = new_key(), new_key()
    await house.services.store.create_project(project, key=stored_key(project.id, full))
    await house.services.store.add_api_key(project.id, stored_key(project.id, frontend, scopes=("frontend",)))
    return msgspec.structs.replace(house, project_id=project.id, key=full, frontend_key=frontend)


class Town(msgspec.Struct, kw_only=True):
    """Two projects; the first has a second group, and things that are gone."""

    house: House
    rival: House
    own: Names
    other_group: Names
    """What a group has of its own."""
    theirs: Names
    gone: Names


async def settled(house: House) -> Town:
    rival = await neighbour(house)
    own, theirs = await furnished(house), await furnished(rival)
    gone = {**own, **await _removed(house)}
    second = {"connection": (await house.connect("g2"))["id"], "installation": (await house.install("g2"))["id"]}
    return Town(house=house, rival=rival, own=own, other_group=second, theirs=theirs, gone=gone)


async def _removed(house: House) -> Names:
    """Make what can be removed, and remove it."""
    connection, installation = await house.connect("g3"), await house.install("g3")
    app = {"provider": "salesforce", "clientId": new_id(), "clientSecret": canary()}
    made = {
        "apiKey": (await house.call("POST", "/api-keys", json={"label": "gone"})).json()["id"],
        "jwtKey": await register(house, name="spare"),
        "providerApp": (await house.call("POST", "/provider-apps", json=app)).json()["id"],
        "installation": installation["id"],
    }
    paths = ("/api-keys/", "/jwt-keys/", "/provider-apps/", "/integrations/crm/installations/")
    for path, name in zip(paths, made.values(), strict=True):
        assert (await house.call("DELETE", path + name)).status_code == 204
    told = await _told(house, "gone")
    for name, path in (("destination", "/destinations/"), ("topic", "/topics/")):
        assert (await house.call("DELETE", path + told[name])).status_code == 204
    return {
        **made,
        **told,
        "connection": connection["id"],
        "integration": new_id(),
        "revision": new_id(),
        "operation": new_id(),
    }


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of credential."""

    name: str
    power: Literal["nobody", "barred", "full", "frontend", "token"]
    make: Callable[[Town], Awaitable[Headers]]
    """Makes one in a settled town, and answers the headers that show it."""
    home: Literal["own", "theirs"] = "own"


async def _nothing(_: Town) -> Headers:
    return {}


def _key(text: str) -> Headers:
    return {"X-Api-Key": text}


async def _unusable_key(town: Town, *, delete: bool) -> Headers:
    made = (await town.house.call("POST", "/api-keys", json={"label": "x"})).json()
    change = {"updateMask": ["active"], "apiKey": {"active": False}}
    assert (await town.house.call("GET", "", key=made["key"])).status_code == 200
    if delete:
        await town.house.call("DELETE", f"/api-keys/{made['id']}")
    else:
        await town.house.call("PATCH", f"/api-keys/{made['id']}", json=change)
    return _key(made["key"])


async def _token(town: Town, **claims: Any) -> Headers:
    return bearer(token(await register(town.house), **claims))


async def _token_of_unusable_key(town: Town, *, delete: bool) -> Headers:
    kid = await register(town.house)
    headers = bearer(token(kid))
    assert (await town.house.client.get(f"/v1/projects/{town.house.project_id}", headers=headers)).status_code == 200
    change = {"updateMask": ["active"], "jwtKey": {"active": False}}
    if delete:
        await town.house.call("DELETE", f"/jwt-keys/{kid}")
    else:
        await town.house.call("PATCH", f"/jwt-keys/{kid}", json=change)
    return headers


async def _expired(town: Town) -> Headers:
    now = int(time.time())
    return await _token(town, iat=now - 700, exp=now - 100)


async def _rival_token(town: Town) -> Headers:
    kid = await register(town.rival, name="rival", key=town.rival.key, project=town.rival.project_id)
    return bearer(token(kid, by="rival"))


async def _policed(town: Town, policy: AccessPolicy, headers: Headers) -> Headers:
    """Put a policy on both projects."""
    for house in (town.house, town.rival):
        await house.services.store.update_project(house.project_id, now=START, access_policy=policy)
    house.services.changes.announce()
    return headers


JWT_ONLY, PAGES_ONLY = AccessPolicy(require_jwt=True), AccessPolicy(allowed_origins=(PAGE,))


async def _constant(headers: Headers) -> Headers:
    return headers


async def _both(town: Town) -> Headers:
    return {**_key(town.house.frontend_key), **await _token(town)}


async def _homeless(town: Town) -> Headers:
    return await _policed(town, PAGES_ONLY, await _token(town))


KINDS = (
    Kind(name="no credential", power="nobody", make=_nothing),
    Kind(name="garbage", power="nobody", make=lambda _: _constant(_key("isk_nonsense"))),
    Kind(name="an unknown key", power="nobody", make=lambda _: _constant(_key(new_key()))),
    Kind(name="a key that was switched off", power="nobody", make=lambda town: _unusable_key(town, delete=False)),
    Kind(name="a key that was deleted", power="nobody", make=lambda town: _unusable_key(town, delete=True)),
    Kind(name="garbage for a token", power="nobody", make=lambda _: _constant(bearer("e30.e30.e30"))),
    Kind(name="an expired token", power="nobody", make=_expired),
    Kind(
        name="a token of a key that was switched off",
        power="nobody",
        make=lambda town: _token_of_unusable_key(town, delete=False),
    ),
    Kind(
        name="a token of a key that was deleted",
        power="nobody",
        make=lambda town: _token_of_unusable_key(town, delete=True),
    ),
    Kind(name="an API key for a token", power="nobody", make=lambda town: _constant(bearer(town.house.key))),
    Kind(name="a password", power="nobody", make=lambda town: _constant({"Authorization": f"Basic {town.house.key}"})),
    Kind(name="a key and a token", power="nobody", make=_both),
    Kind(name="a full key", power="full", make=lambda town: _constant(_key(town.house.key))),
    Kind(name="a frontend key", power="frontend", make=lambda town: _constant(_key(town.house.frontend_key))),
    Kind(
        name="a frontend key where tokens are required",
        power="barred",
        make=lambda town: _policed(town, JWT_ONLY, _key(town.house.frontend_key)),
    ),
    Kind(
        name="a frontend key on a page that is not listed",
        power="barred",
        make=lambda town: _policed(town, PAGES_ONLY, _key(town.house.frontend_key) | {"Origin": f"{PAGE}.evil.test"}),
    ),
    Kind(name="a token", power="token", make=_token),
    Kind(name="a token of no page where pages are listed", power="barred", make=_homeless),
    Kind(
        name="the neighbour's full key",
        power="full",
        home="theirs",
        make=lambda town: _constant(_key(town.rival.key)),
    ),
    Kind(
        name="the neighbour's frontend key",
        power="frontend",
        home="theirs",
        make=lambda town: _constant(_key(town.rival.frontend_key)),
    ),
    Kind(name="the neighbour's token", power="token", home="theirs", make=_rival_token),
)
