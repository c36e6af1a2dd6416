"""A revision for one connection: live fields, and what cannot be had is said."""

from typing import Any

from server.clock import new_id
from tests.conftest import Published
from tests.server.house import MANIFEST, House

GHOSTS = MANIFEST.replace("objectName: companies", "objectName: ghosts")


async def hydrate(house: House, integration: str, revision_id: str, connection_id: str) -> tuple[int, Any]:
    path = f"/integrations/{integration}/revisions/{revision_id}:hydrate?connectionId={connection_id}"
    answer = await house.call("GET", path, key=house.frontend_key)
    return answer.status_code, answer.json()


async def test_the_fields_are_those_of_the_account(house: House, published: Published) -> None:
    (deployed,) = await house.deploy()
    connection = await house.connect()
    status, revision = await hydrate(house, deployed["id"], deployed["latestRevision"]["id"], connection["id"])
    assert status == 200, revision
    assert published.errors("api.bundled", "HydratedRevision", revision) == []
    direct = (await house.call("GET", "/providers/sandbox/objects/contacts/metadata?groupRef=g1")).json()
    (contacts,) = revision["content"]["read"]["objects"]
    assert contacts["allFieldsMetadata"] == direct["fields"]
    assert [field["fieldName"] for field in contacts["allFields"]] == list(direct["fields"])
    written = revision["content"]["write"]["objects"]
    assert [one["displayName"] for one in written] == ["Contacts", "Companies"]


async def test_an_object_that_the_account_lacks_does_not_stop_the_rest(house: House) -> None:
    readable = GHOSTS.replace("        - objectName: contacts\n          mapToName", READ_GHOSTS)
    (deployed,) = await house.deploy(readable)
    connection = await house.connect()
    status, revision = await hydrate(house, "crm", deployed["latestRevision"]["id"], connection["id"])
    ghosts, contacts = revision["content"]["read"]["objects"]
    assert (status, "ghosts" in ghosts["error"], "error" in contacts) == (200, True, False)
    assert [one["displayName"] for one in revision["content"]["write"]["objects"]] == ["Contacts", "ghosts"]


READ_GHOSTS = """\
        - objectName: ghosts
          destination: inbox
          schedule: "0 * * * *"
        - objectName: contacts
          mapToName"""


async def test_revision_and_connection_must_belong_to_the_integration(house: House) -> None:
    manifest = MANIFEST + MANIFEST[MANIFEST.index("  - name") :].replace("crm", "other")
    (deployed, other) = await house.deploy(manifest)
    connection = await house.connect()
    hubspot = await house.connect("g2", provider="hubspot", apiKey="token")
    own, foreign = deployed["latestRevision"]["id"], other["latestRevision"]["id"]
    assert (await hydrate(house, "crm", foreign, connection["id"]))[0] == 404
    assert (await hydrate(house, "crm", own, new_id()))[0] == 404
    status, problem = await hydrate(house, "crm", own, hubspot["id"])
    assert (status, "hubspot" in str(problem["detail"])) == (422, True)
    bare = await house.call("GET", f"/integrations/crm/revisions/{own}:hydrate", key=house.frontend_key)
    assert bare.status_code == 400
