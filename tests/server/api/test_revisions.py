"""A revision for one connection: live fields, and what cannot be had is said."""

from typing import Any

from server.clock import new_id
from tests.accounts import serve_account
from tests.conftest import Published
from tests.server.house import MANIFEST, House, open_house

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


async def test_an_answer_has_a_tag_by_which_a_page_is_told_that_nothing_changed(house: House) -> None:
    (deployed,) = await house.deploy()
    connection = await house.connect()
    path = f"/integrations/crm/revisions/{deployed['latestRevision']['id']}:hydrate?connectionId={connection['id']}"
    first = await house.call("GET", path)
    assert (first.headers["content-encoding"], first.headers["cache-control"]) == ("gzip", "private, no-cache")
    plain = await house.call("GET", path, headers={"Accept-Encoding": "identity"})
    assert ("content-encoding" in plain.headers, plain.content) == (False, first.content)
    assert plain.headers["etag"] != first.headers["etag"]
    assert {"Authorization", "X-Api-Key", "Accept-Encoding"} <= set(first.headers["vary"].split(", "))
    for known in (first.headers["etag"], f'"other", W/{first.headers["etag"]}'):
        same = await house.call("GET", path, headers={"If-None-Match": known})
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", first.headers["etag"])
        assert same.headers["access-control-allow-origin"] == "*"
    other = await house.call("GET", path, headers={"If-None-Match": '"other"'})
    assert (other.status_code, other.content) == (200, first.content)


async def test_asked_to_the_account_is_looked_at_again_and_one_failing_object_sinks_no_other() -> None:
    async with (
        serve_account(objects=3, fields=2) as account,
        open_house(connectors=[account.connector], provider_urls=account.urls) as house,
    ):
        (deployed,) = await house.deploy(account.manifest())
        connection = await house.connect(provider=account.provider, apiKey=account.key)
        revision_id = deployed["latestRevision"]["id"]
        _, before = await hydrate(house, "crm", revision_id, connection["id"])
        account.status["object_2"] = 403
        del account.described["object_3"].fields["field_1"]
        _, kept = await hydrate(house, "crm", revision_id, connection["id"])
        _, anew = await hydrate(house, "crm", revision_id, f"{connection['id']}&refresh=true")
    assert kept == before
    first, second, third = anew["content"]["read"]["objects"]
    assert (len(first["allFields"]), "403" in second["error"], len(third["allFields"])) == (2, True, 1)


async def test_where_the_credential_is_refused_for_every_object_the_published_library_is_told_so_at_once() -> None:
    async with (
        serve_account(objects=2, fields=2) as account,
        open_house(connectors=[account.connector], provider_urls=account.urls) as house,
    ):
        (deployed,) = await house.deploy(account.manifest())
        connection = await house.connect(provider=account.provider, apiKey=account.key)
        revision_id, anew = deployed["latestRevision"]["id"], f"{connection['id']}&refresh=true"
        account.status["object_2"] = 401
        status, one = await hydrate(house, "crm", revision_id, anew)
        assert (status, [bool(each.get("error")) for each in one["content"]["read"]["objects"]]) == (200, [False, True])
        account.status["object_1"] = 401
        status, problem = await hydrate(house, "crm", revision_id, anew)
        assert (status, problem["code"]) == (422, "provider-refused"), problem
        path = f"/integrations/crm/revisions/{revision_id}:hydrate?connectionId={connection['id']}"
        ours = await house.call("GET", path, headers={"X-Isthmus-Detail": "true"})
    assert ours.status_code == 200
    assert all(each["error"] for each in ours.json()["content"]["read"]["objects"])


async def test_a_page_that_asks_for_it_is_told_more_of_write_objects(house: House) -> None:
    (deployed,) = await house.deploy()
    connection = await house.connect()
    path = f"/integrations/crm/revisions/{deployed['latestRevision']['id']}:hydrate?connectionId={connection['id']}"
    plain = (await house.call("GET", path)).json()["content"]
    detailed = (await house.call("GET", path, headers={"X-Isthmus-Detail": "true"})).json()["content"]
    assert "allFields" in plain["read"]["objects"][0]
    assert "allFields" not in detailed["read"]["objects"][0]
    contacts, companies = detailed["write"]["objects"]
    assert (contacts["inheritMapping"], contacts["canDelete"]) == (True, True)
    assert ("allFieldsMetadata" in contacts, "allFieldsMetadata" in companies) == (False, True)


async def test_an_object_s_metadata_is_live_unless_an_older_answer_will_do() -> None:
    async with (
        serve_account(objects=1, fields=2) as account,
        open_house(connectors=[account.connector], provider_urls=account.urls) as big,
    ):
        await big.deploy(account.manifest())
        await big.connect(provider=account.provider, apiKey=account.key)
        path = f"/providers/{account.provider}/objects/object_1/metadata?groupRef=g1"
        for _ in range(2):
            assert (await big.call("GET", path)).status_code == 200
        assert (await big.call("GET", f"{path}&refresh=false")).status_code == 200
    assert account.asked == {"object_1": 2}
