"""What the client of one integration sends; against a server that keeps and answers."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from headless.client import Client
from headless.edits import DisableWrite, EnableRead
from headless.integration import IntegrationClient
from installations.config import ConfigContent
from installations.errors import InvalidInput
from installations.installation import Installation
from installations.shape import decode
from tests.headless.recorder import Server

ROOT = "/v1/projects/acme/integrations/my%20crm"
TIME = "2026-11-22T12:00:00Z"
GROUP = {"groupRef": "g1", "groupName": "G", "projectId": "p1", "createTime": TIME}
CONTENT: dict[str, Any] = {
    "provider": "hubspot",
    "write": {"objects": {"contacts": {"objectName": "contacts"}, "deals": {"objectName": "deals"}}},
}
INSTALLATION: dict[str, Any] = {
    "id": "i/1",
    "projectId": "p1",
    "integrationId": "n1",
    "group": GROUP,
    "connection": {
        "id": "c1",
        "projectId": "p1",
        "provider": "hubspot",
        "group": GROUP,
        "consumer": {"consumerRef": "u1", "consumerName": "U", "projectId": "p1", "createTime": TIME},
        "authScheme": "apiKey",
        "status": "working",
        "createTime": TIME,
    },
    "createTime": TIME,
    "createdBy": "api",
    "healthStatus": "healthy",
    "config": {"id": "k1", "revisionId": "r1", "createTime": TIME, "createdBy": "api", "content": CONTENT},
}
REVISION = {
    "id": "r1",
    "specVersion": "1.0.0",
    "createTime": TIME,
    "content": {"name": "my crm", "provider": "hubspot", "write": {"objects": [{"objectName": "contacts"}]}},
}
INTEGRATION = {
    "id": "n1",
    "projectId": "p1",
    "name": "my crm",
    "provider": "hubspot",
    "createTime": TIME,
    "latestRevision": REVISION,
}
EDITED = {"installation": INSTALLATION, "issues": [], "changed": ["config.content.write.objects"]}
WARNED = {"issues": [{"path": "a", "message": "m", "code": "c", "severity": "warning"}], "content": CONTENT}
EXPLAINED = {
    "objectName": "contacts",
    "action": "create",
    "records": [],
    "change": {"action": "create", "objectName": "contacts", "records": []},
}
HERE = decode(INSTALLATION, Installation)
ONE = ROOT + "/installations/i%2F1"
WITHOUT_DEALS = {"provider": "hubspot", "write": {"objects": {"contacts": {"objectName": "contacts"}}}}
DELETING = {
    "provider": "hubspot",
    "write": {
        "objects": {
            **CONTENT["write"]["objects"],
            "deals": {"objectName": "deals", "deletionSettings": {"enabled": True}},
        }
    },
}

Call = Callable[[IntegrationClient], Awaitable[Any]]
Asked = tuple[str, str, Any]
CALLS: dict[str, tuple[Call, Any, Asked]] = {
    # what is called, what is answered, and the method, the path and the body that are asked
    "show": (lambda c: c.show(), INTEGRATION, ("GET", ROOT, None)),
    "list": (lambda c: c.installations(), [INSTALLATION], ("GET", ROOT + "/installations", None)),
    "of one group": (
        lambda c: c.installed_for("g 1"),
        [INSTALLATION],
        ("GET", ROOT + "/installations?groupRef=g+1", None),
    ),
    "get": (lambda c: c.installation("i/1"), INSTALLATION, ("GET", ONE, None)),
    "create": (
        lambda c: c.create(group_ref="g1", content=CONTENT, created_by="builder:1"),
        INSTALLATION,
        ("POST", ROOT + "/installations", {"groupRef": "g1", "config": {"content": CONTENT, "createdBy": "builder:1"}}),
    ),
    "create over a connection": (
        lambda c: c.create(group_ref="g1", content=decode(CONTENT, ConfigContent), connection_id="c1"),
        INSTALLATION,
        ("POST", ROOT + "/installations", {"groupRef": "g1", "connectionId": "c1", "config": {"content": CONTENT}}),
    ),
    "update": (
        lambda c: c.update(HERE, content=DELETING, created_by="builder:1"),
        INSTALLATION,
        (
            "PATCH",
            ONE,
            {
                "updateMask": ["config.content.write.objects.deals.deletionSettings", "config.createdBy"],
                "installation": {
                    "config": {
                        "createdBy": "builder:1",
                        "content": {"write": {"objects": {"deals": {"deletionSettings": {"enabled": True}}}}},
                    }
                },
            },
        ),
    ),
    "update with one object less": (
        lambda c: c.update(HERE, content=decode(WITHOUT_DEALS, ConfigContent)),
        INSTALLATION,
        (
            "PATCH",
            ONE,
            {
                "updateMask": ["config.content.write.objects"],
                "installation": {"config": {"content": {"write": WITHOUT_DEALS["write"]}}},
            },
        ),
    ),
    "move to another connection": (
        lambda c: c.update(HERE, connection_id="c2"),
        INSTALLATION,
        ("PATCH", ONE, {"updateMask": ["connectionId"], "installation": {"connectionId": "c2", "config": {}}}),
    ),
    "delete": (lambda c: c.delete("i/1"), None, ("DELETE", ONE, None)),
    "edit": (
        lambda c: c.edit("i/1", [EnableRead(object_name="contacts"), DisableWrite(object_name="deals")]),
        EDITED,
        (
            "POST",
            ONE + ":edit",
            {
                "edits": [
                    {"edit": "enableRead", "objectName": "contacts"},
                    {"edit": "disableWrite", "objectName": "deals"},
                ]
            },
        ),
    ),
    "edit one config": (
        lambda c: c.edit("i/1", [EnableRead(object_name="a")], dry_run=True, if_config="k1", created_by="builder:1"),
        EDITED,
        (
            "POST",
            ONE + ":edit",
            {
                "edits": [{"edit": "enableRead", "objectName": "a"}],
                "dryRun": True,
                "ifConfig": "k1",
                "createdBy": "builder:1",
            },
        ),
    ),
    "review": (
        lambda c: c.review(group_ref="g1", content=CONTENT, refresh=True),
        WARNED,
        ("POST", ROOT + ":review", {"groupRef": "g1", "content": CONTENT, "refresh": True}),
    ),
    "preview": (
        lambda c: c.preview("contacts", {"a": 1}, group_ref="g1", content=CONTENT),
        EXPLAINED,
        (
            "POST",
            ROOT + ":preview",
            {"groupRef": "g1", "content": CONTENT, "objectName": "contacts", "type": "create", "record": {"a": 1}},
        ),
    ),
    "preview on what is there": (
        lambda c: c.preview(
            "contacts", {"id": "7"}, group_ref="g1", content=CONTENT, type="update", current={}, connection_id="c1"
        ),
        EXPLAINED,
        (
            "POST",
            ROOT + ":preview",
            {
                "groupRef": "g1",
                "content": CONTENT,
                "objectName": "contacts",
                "type": "update",
                "record": {"id": "7"},
                "connectionId": "c1",
                "current": {},
            },
        ),
    ),
    "hydrate": (
        lambda c: c.hydrate(connection_id="c1", revision_id="r1", refresh=True),
        REVISION | {"content": {"name": "my crm", "provider": "hubspot"}},
        ("GET", ROOT + "/revisions/r1:hydrate?connectionId=c1&refresh=true", None),
    ),
}


@pytest.mark.parametrize(("call", "answered", "asked"), CALLS.values(), ids=CALLS)
async def test_a_call_is_one_request(server: Server, call: Call, answered: Any, asked: Asked) -> None:
    server.body = b"" if answered is None else msgspec.json.encode(answered)
    async with Client(server.url, api_key="secret", project="acme") as client:
        result = await call(client.integration("my crm"))
    ((method, path, body, headers),) = server.asked
    assert (method, path, body) == asked
    assert headers["x-api-key"] == "secret"
    assert headers.get("x-isthmus-detail") == ("true" if "hydrate" in path else None)
    assert result is None or not isinstance(result, dict)


async def test_where_nothing_differs_nothing_is_sent(server: Server) -> None:
    async with Client(server.url, api_key="k", project="acme") as client:
        assert await client.integration("crm").update(HERE, content=CONTENT, created_by="builder:1") is HERE
    assert server.asked == []


async def test_what_no_mask_can_name_is_told_before_it_is_sent(server: Server) -> None:
    async with Client(server.url, api_key="k", project="acme") as client:
        with pytest.raises(InvalidInput, match="what was said about writing cannot be unsaid"):
            await client.integration("crm").update(HERE, content={"provider": "hubspot"})
        with pytest.raises(InvalidInput, match=r"content\.provider: is required"):
            await client.integration("crm").update(HERE, content={})
    assert server.asked == []


async def test_a_draft_begins_with_what_is_installed(server: Server) -> None:
    server.next = [msgspec.json.encode([INSTALLATION]), msgspec.json.encode(INTEGRATION)]
    async with Client(server.url, api_key="k", project="acme") as client:
        draft = await client.integration("crm").draft(group_ref="g1")
    assert draft.content == HERE.config.content
    assert draft.edits == ()


async def test_a_first_draft_begins_with_nothing(server: Server) -> None:
    server.next = [b"[]", msgspec.json.encode(INTEGRATION)]
    async with Client(server.url, api_key="k", project="acme") as client:
        draft = await client.integration("crm").draft(group_ref="g1")
    assert draft.content == ConfigContent(provider="hubspot")


async def test_the_latest_manifest_is_filled_in(server: Server) -> None:
    hydrated = REVISION | {"content": {"name": "my crm", "provider": "hubspot"}}
    server.next = [msgspec.json.encode(INTEGRATION), msgspec.json.encode(hydrated)]
    async with Client(server.url, api_key="k", project="acme") as client:
        assert (await client.integration("my crm").hydrate(connection_id="c1")).id == "r1"
    assert server.asked[1][1] == ROOT + "/revisions/r1:hydrate?connectionId=c1"
