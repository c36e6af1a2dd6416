"""The published shapes and statuses of projects, keys, provider apps, deployments, connections and installations."""

import base64
import hashlib
import io
import zipfile
from typing import Any

import httpx
import pytest

from connectors.sandbox.access import DEMO_KEY
from server.clock import new_id
from tests.canaries import WORD, canary
from tests.conftest import Published
from tests.server.house import MANIFEST, ON_EVERY_STORE, READ_AND_WRITE, House

INSTALLATIONS = "/integrations/crm/installations"


def fits(published: Published, schema: str, value: Any) -> None:
    assert published.errors("api.bundled", schema, value) == []


@ON_EVERY_STORE
async def test_projects(house: House, published: Published) -> None:
    (listed,) = (await house.client.get("/v1/projects", headers=house.headers)).json()
    shown = (await house.call("GET", "?includeEntitlements=true")).json()
    change = {"updateMask": ["name", "appName"], "project": {"name": "New-Name", "appName": "New", "ignored": 1}}
    changed = (await house.call("PATCH", "", json=change)).json()
    for project in (listed, shown, changed):
        fits(published, "Project", project)
    assert shown["entitlements"]["brandingRemoval"]["value"] is True
    assert (changed["name"], changed["appName"]) == ("new-name", "New")
    assert (await house.client.get("/v1/projects/new-name", headers=house.headers)).status_code == 200
    assert (await house.client.get("/v1/projects/acme", headers=house.headers)).status_code == 404


MASKS = [
    ({"updateMask": ["orgId"], "project": {"orgId": "x"}}, "cannot be updated"),
    ({"updateMask": ["appName"], "project": {}}, "has no value"),
    ({"updateMask": [], "project": {"appName": "x"}}, "updateMask"),
    ({"updateMask": ["appName"]}, "required"),
    ({"updateMask": ["name"], "project": {"name": "no spaces"}}, "project.name"),
]


@pytest.mark.parametrize(("body", "said"), MASKS)
async def test_a_bad_mask_is_400_and_says_why(house: House, body: dict[str, Any], said: str) -> None:
    answer = await house.call("PATCH", "", json=body)
    assert (answer.status_code, said in answer.text) == (400, True), answer.text


@ON_EVERY_STORE
async def test_a_key_is_shown_once_and_ends_when_it_is_switched_off(house: House, published: Published) -> None:
    made = (await house.call("POST", "/api-keys", json={"label": "ci"})).json()
    fits(published, "ApiKey", made)
    assert (await house.call("GET", "/api-keys", key=made["key"])).status_code == 200
    shown = (await house.call("GET", f"/api-keys/{made['key']}")).json()
    fits(published, "ApiKey", shown)
    assert made["key"] not in (await house.call("GET", "/api-keys")).text
    off = {"updateMask": ["active"], "apiKey": {"active": False}}
    assert (await house.call("PATCH", f"/api-keys/{shown['id']}", json=off)).json()["active"] is False
    assert (await house.call("GET", "/api-keys", key=made["key"])).status_code == 401
    assert (await house.call("DELETE", f"/api-keys/{made['key']}")).status_code == 204
    assert (await house.call("GET", f"/api-keys/{made['id']}")).status_code == 404


@ON_EVERY_STORE
async def test_provider_apps_never_show_their_secret(house: House, published: Published) -> None:
    body = {"provider": "hubspot", "clientId": "id", "clientSecret": canary(), "scopes": ["a"]}
    made = await house.call("POST", "/provider-apps", json=body)
    assert made.status_code == 200
    path = f"/provider-apps/{made.json()['id']}"
    change = {"updateMask": ["clientSecret", "scopes"], "providerApp": {"clientSecret": canary(), "scopes": ["b"]}}
    changed = await house.call("PATCH", path, json=change)
    listed = await house.call("GET", "/provider-apps")
    for app in (made.json(), changed.json(), *listed.json()):
        fits(published, "ProviderApp", app)
    assert WORD not in made.text + changed.text + listed.text
    assert changed.json()["scopes"] == ["b"]
    assert (await house.call("POST", "/provider-apps", json=body)).status_code == 409
    assert (await house.call("DELETE", path)).status_code == 204


async def test_the_catalog_is_a_bare_object_for_everybody(api: httpx.AsyncClient, published: Published) -> None:
    catalog = (await api.get("/v1/providers")).json()
    assert {"sandbox", "hubspot", "salesforce"} <= set(catalog)
    for provider in catalog.values():
        fits(published, "ProviderInfo", provider)
        assert provider["providerOpts"] == {}
    assert (await api.get("/v1/providers/hubspot")).json() == catalog["hubspot"]


@ON_EVERY_STORE
async def test_a_deployment_keeps_what_did_not_change(house: House, published: Published) -> None:
    (first,) = await house.deploy()
    (second,) = await house.deploy()
    (third,) = await house.deploy(MANIFEST.replace("objectName: companies", "objectName: deals"))
    for integration in (first, third):
        fits(published, "Integration", integration)
    assert first["latestRevision"]["id"] == second["latestRevision"]["id"] != third["latestRevision"]["id"]
    for name in ("crm", first["id"]):
        assert (await house.call("GET", f"/integrations/{name}")).json() == third
    assert (await house.call("DELETE", "/integrations/crm")).status_code == 204
    assert (await house.call("GET", "/integrations")).json() == []


async def test_a_read_on_demand_has_the_members_that_strict_clients_require(house: House, published: Published) -> None:
    on_demand = MANIFEST.replace("          destination: inbox\n", "").replace('          schedule: "0 * * * *"\n', "")
    (deployed,) = await house.deploy(on_demand)
    (listed,) = (await house.call("GET", "/integrations")).json()
    shown = (await house.call("GET", "/integrations/crm")).json()
    (again,) = await house.deploy(on_demand)
    assert deployed == listed == shown == again
    fits(published, "Integration", shown)
    (contacts,) = shown["latestRevision"]["content"]["read"]["objects"]
    assert (contacts["destination"], contacts["schedule"]) == ("", "")


async def test_what_is_wrong_with_a_manifest_is_told_with_lines(house: House) -> None:
    broken = MANIFEST.replace("provider: sandbox", "provider: nobody").replace('"0 * * * *"', '"often"')
    answer = await house.call("PUT", "/integrations:batch", json={"sourceYaml": broken})
    assert answer.status_code == 422
    assert {(issue["name"], issue["line"]) for issue in answer.json()["issues"]} >= {
        ("integrations[0].provider", 5),
        ("integrations[0].read.objects[0].schedule", 11),
    }


async def test_warnings_come_only_to_callers_who_ask_for_detail(house: House) -> None:
    manifest = MANIFEST.replace("    provider: sandbox", "    provider: sandbox\n    colour: red")
    assert isinstance(await house.deploy(manifest), list)
    detailed = await house.deploy(manifest, headers={"X-Isthmus-Detail": "true"})
    assert [warning["path"] for warning in detailed["warnings"]] == ["integrations[0].colour"]


@pytest.mark.parametrize("body", [{}, {"sourceYaml": "a: 1", "sourceZipUrl": "gs://a/b"}, {"sourceZipUrl": "gs://a/b"}])
async def test_a_manifest_comes_in_one_way(house: House, body: dict[str, str]) -> None:
    assert (await house.call("PUT", "/integrations:batch", json=body)).status_code == 422


@ON_EVERY_STORE
async def test_integrations_made_one_by_one_are_answered_with_nothing(house: House) -> None:
    content = {"write": {"objects": [{"objectName": "contacts"}]}}
    body = {"name": "one", "provider": "sandbox", "latestRevision": {"specVersion": "1.0.0", "content": content}}
    made = await house.call("POST", "/integrations", json=body)
    assert (made.status_code, made.content) == (201, b"")
    assert (await house.call("POST", "/integrations", json=body)).status_code == 409
    await house.deploy()
    revised = await house.call("POST", "/integrations/crm/revisions", json={"sourceYaml": MANIFEST})
    assert (revised.status_code, revised.content) == (201, b"")
    other = await house.call("POST", "/integrations/one/revisions", json={"sourceYaml": MANIFEST})
    assert other.status_code == 422


def zipped(*entries: tuple[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return stream.getvalue()


async def upload(house: House, archive: bytes) -> str:
    md5 = base64.b64encode(hashlib.md5(archive, usedforsecurity=False).digest()).decode()
    asked = await house.client.get("/v1/generate-upload-url", params={"md5": md5}, headers=house.headers)
    place = asked.json()
    put = await house.client.put(place["url"], content=archive, headers={"Content-MD5": md5})
    assert put.status_code == 200, put.text
    return f"gs://{place['bucket']}/{place['path']}"


@ON_EVERY_STORE
async def test_the_upload_dance_of_the_deploy_tool(house: House, published: Published) -> None:
    asked = await house.client.get("/v1/generate-upload-url", headers=house.headers)
    fits(published, "SignedUrl", asked.json())
    name = await upload(house, zipped(("amp.yaml", MANIFEST.encode())))
    deployed = await house.call("PUT", "/integrations:batch", json={"sourceZipUrl": name})
    assert [integration["name"] for integration in deployed.json()] == ["crm"]
    again = await house.call("PUT", "/integrations:batch", json={"sourceZipUrl": name})
    assert again.status_code == 422


async def test_an_upload_must_be_what_was_announced(house: House) -> None:
    wrong = base64.b64encode(b"0" * 16).decode()
    asked = await house.client.get("/v1/generate-upload-url", params={"md5": wrong}, headers=house.headers)
    assert (await house.client.put(asked.json()["url"], content=b"zip")).status_code == 400
    asked = await house.client.get("/v1/generate-upload-url", headers=house.headers)
    put = await house.client.put(asked.json()["url"], content=b"zip", headers={"Content-MD5": wrong})
    assert put.status_code == 400
    assert (await house.client.put("/v1/uploads/guessed", content=b"zip")).status_code == 404


@ON_EVERY_STORE
async def test_connections(house: House, published: Published) -> None:
    made = await house.connect(groupName="Group one", providerMetadata={"a": {"value": "b", "source": "input"}})
    path = f"/connections/{made['id']}"
    shown = (await house.call("GET", path)).json()
    (listed,) = (await house.call("GET", "/connections?groupRef=g1&provider=sandbox")).json()
    change = {"updateMask": ["apiKey"], "connection": {"apiKey": DEMO_KEY, "provider": "ignored"}}
    changed = (await house.call("PATCH", path, json=change)).json()
    for connection in (made, shown, listed, changed):
        fits(published, "Connection", connection)
        assert "null" not in str(connection).replace("None", "null")
    assert (made["status"], made["authScheme"]) == ("working", "apiKey")
    assert (made["group"]["groupName"], made["consumer"]["consumerName"]) == ("Group one", "c1")
    assert made["providerMetadata"] == {"a": {"value": "b", "source": "input"}}
    assert (await house.call("DELETE", path)).status_code == 204
    assert (await house.call("GET", path)).status_code == 404


async def test_a_group_without_a_name_is_called_by_its_reference(house: House) -> None:
    made = await house.connect(groupName="", consumerName=None)
    assert (made["group"]["groupName"], made["consumer"]["consumerName"]) == ("g1", "c1")


BAD_CONNECTIONS = [
    ({"provider": "nobody"}, 422, "provider"),
    ({"apiKey": "wrong"}, 422, "refuses"),
    ({"basicAuth": {"username": "u", "password": "p"}}, 422, "one way"),
    ({"apiKey": None, "customAuth": {"a": "b"}}, 422, "customAuth"),
    ({"apiKey": None}, 422, "needs credentials"),
    ({"apiKey": "line\nbreak"}, 400, "apiKey"),
    ({"provider": "salesforce"}, 422, "providerMetadata.workspace"),
    ({"provider": "salesforce", "providerWorkspaceRef": "evil.com/?"}, 422, "providerMetadata.workspace"),
    ({"groupRef": ""}, 400, "groupRef"),
]


@pytest.mark.parametrize(("change", "status", "said"), BAD_CONNECTIONS)
async def test_a_connection_that_cannot_be(house: House, change: dict[str, Any], status: int, said: str) -> None:
    body = {"provider": "sandbox", "groupRef": "g1", "consumerRef": "c1", "apiKey": DEMO_KEY, **change}
    answer = await house.call("POST", "/connections:generate", json=body)
    assert (answer.status_code, said in answer.text) == (status, True), answer.text
    assert (await house.call("GET", "/connections")).json() == []


@ON_EVERY_STORE
async def test_imported_tokens_are_shown_to_servers_that_ask(house: House, published: Published) -> None:
    access, refresh = canary(), canary()
    tokens = {"accessToken": {"token": access}, "refreshToken": {"token": refresh}, "scopes": ["s"]}
    body = {"provider": "salesforce", "groupRef": "g1", "consumerRef": "c1", "providerWorkspaceRef": "acme"}
    made = await house.call("POST", "/connections:generate", json={**body, "oauth2AuthorizationCode": tokens})
    assert made.status_code == 201, made.text
    assert made.json()["authScheme"].startswith("oauth2/authorizationCode")
    path = f"/connections/{made.json()['id']}"
    assert "oauth2AuthorizationCode" not in (await house.call("GET", path)).json()
    shown = (await house.call("GET", f"{path}?includeCreds=true")).json()
    fits(published, "Connection", shown)
    assert shown["oauth2AuthorizationCode"] == {"accessToken": {"token": access}, "scopes": ["s"]}
    both = (await house.call("GET", f"{path}?includeCreds=true&includeRefreshToken=true")).json()
    assert both["oauth2AuthorizationCode"]["refreshToken"] == {"token": refresh}


@ON_EVERY_STORE
async def test_an_installation_is_filled_in_from_the_manifest(house: House, published: Published) -> None:
    await house.deploy()
    await house.connect()
    made = await house.install()
    for name in ("crm", made["integrationId"]):
        shown = (await house.call("GET", f"/integrations/{name}/installations/{made['id']}")).json()
        assert shown == made
    fits(published, "Installation", made)
    contacts = made["config"]["content"]["read"]["objects"]["contacts"]
    assert (contacts["schedule"], contacts["destination"]) == ("0 * * * *", "inbox")
    for path in ("/installations?groupRef=g1", f"{INSTALLATIONS}?groupRef=g1", INSTALLATIONS):
        assert (await house.call("GET", path)).json() == [made]
    assert (await house.call("GET", f"{INSTALLATIONS}?groupRef=other")).json() == []


@ON_EVERY_STORE
async def test_installing_twice_makes_one_installation(house: House) -> None:
    await house.deploy()
    await house.connect()
    first, again = await house.install(), await house.install()
    assert first == again
    body = {"groupRef": "g1", "config": {"content": {"provider": "sandbox", "proxy": {"enabled": True}}}}
    other = await house.call("POST", INSTALLATIONS, json=body)
    assert (other.status_code, first["id"] in other.json()["remedy"]) == (422, True)


BAD_INSTALLATIONS = [
    ({"groupRef": "nobody"}, "connectionId"),
    ({"connectionId": "unknown"}, "connectionId"),
    ({"config": {"content": {"provider": "hubspot"}}}, "provider"),
    ({"config": {"content": {"write": {"objects": {"ghosts": {"objectName": "ghosts"}}}}}}, "ghosts"),
    ({"config": {"content": {"read": {"objects": {"contacts": {"selectedFields": []}}}}}}, "selectedFields"),
]


@pytest.mark.parametrize(("change", "said"), BAD_INSTALLATIONS)
async def test_an_installation_that_cannot_be(house: House, change: dict[str, Any], said: str) -> None:
    await house.deploy()
    await house.connect()
    body = {"groupRef": "g1", "config": {"content": READ_AND_WRITE}, **change}
    answer = await house.call("POST", INSTALLATIONS, json=body)
    assert (answer.status_code, said in answer.text) == (422, True), answer.text


@ON_EVERY_STORE
async def test_an_update_replaces_what_its_mask_names_and_ignores_the_rest(house: House, published: Published) -> None:
    await house.deploy()
    await house.connect()
    made = await house.install()
    draft = {
        "provider": "ignored",
        "read": {"objects": {"contacts": {"disabled": True, "schedule": "ignored"}}},
        "write": {"objects": {"companies": {"objectName": "companies"}}},
    }
    mask = ["config.content.read.objects.contacts.disabled", "config.content.write.objects"]
    body = {"updateMask": mask, "installation": {"config": {"content": draft}}}
    answer = await house.call("PATCH", f"{INSTALLATIONS}/{made['id']}", json=body)
    assert answer.status_code == 200, answer.text
    fits(published, "Installation", answer.json())
    content = answer.json()["config"]["content"]
    assert content["read"]["objects"]["contacts"]["disabled"] is True
    assert content["read"]["objects"]["contacts"]["schedule"] == "0 * * * *"
    assert list(content["write"]["objects"]) == ["companies"]
    assert answer.json()["config"]["id"] != made["config"]["id"]


@ON_EVERY_STORE
async def test_a_json_patch_changes_one_object_or_nothing(house: House) -> None:
    await house.deploy()
    await house.connect()
    made = await house.install()
    path = "/integrations/crm/objects/contacts/config-content"
    allow = {"op": "add", "path": "/deletionSettings", "value": {"enabled": True}}
    body = {"installationId": made["id"], "action": "write", "changes": [allow]}
    answer = await house.call("PATCH", path, json=body)
    assert answer.json()["config"]["content"]["write"]["objects"]["contacts"]["deletionSettings"] == {"enabled": True}
    half = {**body, "changes": [{"op": "remove", "path": "/deletionSettings"}, {"op": "remove", "path": "/nothing"}]}
    assert (await house.call("PATCH", path, json=half)).status_code == 422
    shown = (await house.call("GET", f"{INSTALLATIONS}/{made['id']}")).json()
    assert shown == answer.json()
    assert (await house.call("PATCH", path, json={**body, "groupRef": "g1"})).status_code == 400
    nobody = {"groupRef": "nobody", "action": "write", "changes": [allow]}
    assert (await house.call("PATCH", path, json=nobody)).status_code == 404


@ON_EVERY_STORE
async def test_a_connection_goes_with_the_last_installation_that_uses_it(house: House) -> None:
    await house.deploy()
    connection = await house.connect()
    made = await house.install()
    assert (await house.call("DELETE", f"/connections/{connection['id']}")).status_code == 409
    assert (await house.call("DELETE", f"{INSTALLATIONS}/{made['id']}")).status_code == 204
    assert (await house.call("GET", "/connections")).json() == []
    told = await house.services.store.events(house.project_id)
    by_type = {event.type: event.data for event in told}
    assert sorted(by_type) == [
        "connection.created",
        "connection.deleted",
        "installation.created",
        "installation.deleted",
    ]
    assert len(told) == len(by_type)
    assert by_type["connection.deleted"] == by_type["connection.created"]


@ON_EVERY_STORE
async def test_a_destructive_deployment_pauses_what_it_dropped(house: House) -> None:
    await house.deploy()
    await house.connect()
    made = await house.install()
    write_only = MANIFEST[: MANIFEST.index("    read:")] + MANIFEST[MANIFEST.index("    write:") :].replace(
        "          inheritMapping: true\n", ""
    )
    path = f"{INSTALLATIONS}/{made['id']}"
    await house.deploy(write_only)
    assert (await house.call("GET", path)).json() == made
    await house.deploy(MANIFEST)
    answer = await house.call("PUT", "/integrations:batch?destructive=true", json={"sourceYaml": write_only})
    assert answer.status_code == 200
    shown = (await house.call("GET", path)).json()
    assert shown["config"]["content"]["read"]["objects"]["contacts"]["disabled"] is True
    assert shown["config"]["revisionId"] == made["config"]["revisionId"]


@ON_EVERY_STORE
async def test_object_metadata_by_either_name(house: House, published: Published) -> None:
    await house.deploy()
    await house.connect()
    await house.install()
    native = (await house.call("GET", "/integrations/crm/objects/contacts/metadata?groupRef=g1")).json()
    mapped = (await house.call("GET", "/integrations/crm/objects/person/metadata?groupRef=g1")).json()
    direct = (await house.call("GET", "/providers/sandbox/objects/contacts/metadata?groupRef=g1")).json()
    writable = "/providers/sandbox/objects/contacts/metadata?groupRef=g1&excludeReadOnly=true"
    fewer = (await house.call("GET", writable)).json()
    for metadata in (native, mapped, direct, fewer):
        fits(published, "ObjectMetadata", metadata)
    assert native == mapped
    assert (native["name"], native["mappedObjectName"]) == ("contacts", "person")
    assert "mappedObjectName" not in direct
    assert set(fewer["fields"]) < set(direct["fields"])
    assert (await house.call("GET", "/integrations/crm/objects/ghosts/metadata?groupRef=g1")).status_code == 404
    assert (await house.call("GET", "/integrations/crm/objects/contacts/metadata")).status_code == 400


@ON_EVERY_STORE
async def test_an_unknown_id_is_404_with_the_status_in_the_body(house: House) -> None:
    await house.deploy()
    answer = await house.call("GET", f"{INSTALLATIONS}/{new_id()}")
    assert (answer.status_code, answer.json()["status"]) == (404, 404)
