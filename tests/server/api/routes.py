"""Every route of the server with a request that works on it: the base of the matrices. An unlisted route fails."""

import re
from typing import Any, Literal

import msgspec

from tests.canaries import canary
from tests.server.house import READ_AND_WRITE
from tests.server.signing import public_pem

P = "/v1/projects/{project}"
I = P + "/integrations/{integration}"  # noqa: E741 -- as the contract writes it


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """A route as published, and a body it takes."""

    method: str
    path: str
    body: Any = None
    frontend: bool = False
    """Whether what browsers present, keys and tokens, may call it."""
    query: str = ""
    headers: dict[str, str] = {}
    stands_for: bool = False
    """Whether the caller must stand for somebody, which a frontend key does not."""

    @property
    def names(self) -> set[str]:
        """What a request must name."""
        text = self.path + self.query + msgspec.json.encode((self.body, self.headers)).decode()
        return set(re.findall(r"\{(\w+)\}", text))

    @property
    def touches(self) -> Literal["row", "person", "list", "project"]:
        """What of a group's it touches: a stored row it names, a person its body names, a list, or nothing of one."""
        if self.names & {"installation", "connection"}:
            return "row"
        if isinstance(self.body, dict) and "groupRef" in self.body:
            return "person"
        return "list" if self.method == "GET" and self.path.endswith(("/installations", "/connections")) else "project"


OPEN = {
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/v1/providers"),
    ("GET", "/v1/providers/{provider}"),
    ("PUT", "/v1/uploads/{uploadId}"),
}
"""Without a credential: nothing of a tenant's is there, or the URL is the credential."""

PAGES = {
    ("GET", "/connect/{ticket}"),
    ("POST", "/connect/{ticket}"),
    ("GET", "/callbacks/v1/oauth/{tenant}/{provider}"),
    ("GET", "/callbacks/v1/custom-auth/default"),
    ("POST", "/callbacks/v1/custom-auth/default"),
}
"""For people on their way to a connection: what opens them is in the address and in a cookie (`connecting/`)."""

UI = {(method, path) for method in ("GET", "HEAD") for path in ("/ui/{name}", "/ui/{version}/{name}")}
"""The built browser modules, the same for everybody."""
EMBED = {("GET", "/embed/{project}/{integration}")}
"""The page for iframes, which opens nothing by itself."""

NEW_JWT_KEY = {"label": "x", "algorithm": "RS256", "publicKeyPem": public_pem()}

UPDATE_READ = {
    "updateMask": ["config.content.read.objects.contacts.disabled"],
    "installation": {"config": {"content": {"read": {"objects": {"contacts": {"disabled": True}}}}}},
}
EDIT = {"edits": [{"edit": "disableRead", "objectName": "contacts"}]}
CHANGE = {"groupRef": "g1", "action": "write", "changes": [{"op": "add", "path": "/deletionSettings", "value": {}}]}
WRITE = {"groupRef": "g1", "type": "create", "record": {"email": "a@b.co"}}
NEW_CONNECTION = {"provider": "sandbox", "groupRef": "g1", "consumerRef": "c1", "apiKey": "none"}
CONSENT = {"projectIdOrName": "{project}", "groupRef": "g1", "consumerRef": "c1"}
NEW_INSTALLATION = {"groupRef": "g1", "config": {"content": READ_AND_WRITE}}
DRAFT = {"groupRef": "g1", "content": READ_AND_WRITE}
TRIED_DRAFT = {**DRAFT, "objectName": "contacts", "type": "create", "record": {"email": "a@b.co"}}
NEW_DESTINATION = {"name": "hook", "type": "webhook", "metadata": {"url": "https://hooks.example.com/isthmus"}}
NEW_INTEGRATION = {"name": "x", "provider": "sandbox", "latestRevision": {"content": {"proxy": {"enabled": True}}}}

ROUTES = (
    Route(method="GET", path=P, frontend=True),
    Route(method="PATCH", path=P, body={"updateMask": ["appName"], "project": {"appName": "X"}}),
    Route(method="GET", path=P + "/api-keys"),
    Route(method="POST", path=P + "/api-keys", body={"label": "x"}),
    Route(method="GET", path=P + "/api-keys/{apiKey}"),
    Route(method="PATCH", path=P + "/api-keys/{apiKey}", body={"updateMask": ["label"], "apiKey": {"label": "x"}}),
    Route(method="DELETE", path=P + "/api-keys/{apiKey}"),
    Route(method="GET", path=P + "/jwt-keys"),
    Route(method="POST", path=P + "/jwt-keys", body=NEW_JWT_KEY),
    Route(method="GET", path=P + "/jwt-keys/{jwtKey}"),
    Route(method="PATCH", path=P + "/jwt-keys/{jwtKey}", body={"updateMask": ["label"], "jwtKey": {"label": "x"}}),
    Route(method="DELETE", path=P + "/jwt-keys/{jwtKey}"),
    Route(method="POST", path=P + "/session-tokens", body={"groupRef": "g1", "consumerRef": "c1"}),
    Route(method="GET", path=P + "/provider-apps", frontend=True),
    Route(
        method="POST",
        path=P + "/provider-apps",
        body={"provider": "hubspot", "clientId": "1", "clientSecret": canary()},
    ),
    Route(
        method="PATCH",
        path=P + "/provider-apps/{providerApp}",
        body={"updateMask": ["scopes"], "providerApp": {"scopes": ["a"]}},
    ),
    Route(method="DELETE", path=P + "/provider-apps/{providerApp}"),
    Route(method="GET", path=P + "/integrations", frontend=True),
    Route(method="POST", path=P + "/integrations", body=NEW_INTEGRATION),
    Route(method="PUT", path=P + "/integrations:batch", body={"sourceYaml": "specVersion: 1.0.0"}),
    Route(method="GET", path=I, frontend=True),
    Route(method="DELETE", path=I),
    Route(method="POST", path=I + "/revisions", body={"sourceYaml": "specVersion: 1.0.0"}),
    Route(
        method="GET",
        path=I + "/revisions/{revision}:hydrate",
        query="?connectionId={connection}",
        frontend=True,
    ),
    Route(method="POST", path=I + ":review", body=DRAFT, frontend=True),
    Route(method="POST", path=I + ":preview", body=TRIED_DRAFT, frontend=True),
    Route(method="GET", path=I + "/installations", query="?groupRef=g1", frontend=True),
    Route(method="POST", path=I + "/installations", body=NEW_INSTALLATION, frontend=True),
    Route(method="GET", path=I + "/installations/{installation}", frontend=True),
    Route(method="PATCH", path=I + "/installations/{installation}", body=UPDATE_READ, frontend=True),
    Route(method="DELETE", path=I + "/installations/{installation}", frontend=True),
    Route(method="POST", path=I + "/installations/{installation}:edit", body=EDIT, frontend=True),
    Route(method="GET", path=I + "/installations/{installation}:schema-check"),
    Route(method="POST", path=I + "/installations/{installation}:schema-check"),
    Route(method="GET", path=P + "/schema-checks"),
    Route(method="GET", path=I + "/installations/{installation}/operations"),
    Route(method="PATCH", path=I + "/objects/contacts/config-content", body=CHANGE),
    Route(method="GET", path=I + "/objects/contacts/metadata", query="?groupRef=g1"),
    Route(method="POST", path=I + "/objects/contacts:explain", body=WRITE),
    Route(method="POST", path=I + "/objects/contacts", body=WRITE),
    Route(method="GET", path=P + "/installations", query="?groupRef=g1", frontend=True),
    Route(method="GET", path=P + "/providers/sandbox/objects/contacts/metadata", query="?groupRef=g1"),
    Route(method="GET", path=P + "/operations/{operation}"),
    Route(method="GET", path=P + "/operations/{operation}/logs"),
    Route(method="GET", path=P + "/operations/{operation}:explain"),
    Route(method="GET", path=P + "/operations", query="?integration={integration}"),
    Route(method="POST", path=P + "/operations/{operation}:resolve", body={"outcome": "happened"}),
    Route(method="POST", path=P + "/operations/{operation}:cancel"),
    Route(method="POST", path=P + "/operations/{operation}:retry"),
    Route(method="POST", path=P + "/operations:replay", body={"filter": {"integration": "{integration}"}}),
    Route(
        method="POST",
        path=P + "/operations:resolve",
        body={"outcome": "discard", "filter": {"integration": "{integration}"}},
    ),
    Route(method="GET", path=P + "/connections", query="?groupRef=g1", frontend=True),
    Route(method="POST", path=P + "/connections:generate", body=NEW_CONNECTION, frontend=True),
    Route(method="GET", path=P + "/connections/{connection}", frontend=True),
    Route(
        method="PATCH",
        path=P + "/connections/{connection}",
        body={"updateMask": ["providerMetadata"], "connection": {"providerMetadata": {"a": {"value": "b"}}}},
        frontend=True,
    ),
    Route(method="DELETE", path=P + "/connections/{connection}", frontend=True),
    Route(method="PATCH", path=P + "/connections/{connection}:oauth-update", frontend=True),
    Route(method="GET", path=P + "/destinations"),
    Route(method="POST", path=P + "/destinations", body=NEW_DESTINATION),
    Route(method="GET", path=P + "/destinations/{destination}", query="?includeSecrets=true"),
    Route(
        method="PATCH",
        path=P + "/destinations/{destination}",
        body={"updateMask": ["metadata"], "destination": {"metadata": {"url": "https://hooks.example.com/other"}}},
    ),
    Route(method="DELETE", path=P + "/destinations/{destination}"),
    Route(method="POST", path=P + "/destinations/{destination}:enable"),
    Route(method="POST", path=P + "/destinations/{destination}:test"),
    Route(method="GET", path=P + "/destinations/{destination}/deliveries"),
    Route(method="POST", path=P + "/destinations/{destination}/deliveries:replay", body={"states": ["failed"]}),
    Route(method="GET", path=P + "/topics"),
    Route(method="POST", path=P + "/topics", body={"name": "more-news"}),
    Route(method="PATCH", path=P + "/topics/{topic}", body={"name": "other-news"}),
    Route(method="DELETE", path=P + "/topics/{topic}"),
    Route(method="GET", path=P + "/notification-event-topic-routes"),
    Route(
        method="POST",
        path=P + "/notification-event-topic-routes",
        body={"eventType": "installation.created", "topicId": "{topic}"},
    ),
    Route(method="DELETE", path=P + "/notification-event-topic-routes/{eventRoute}"),
    Route(method="GET", path=P + "/topic-destination-routes"),
    Route(
        method="POST",
        path=P + "/topic-destination-routes",
        body={"topicId": "{topic}", "destinationId": "{destination}"},
    ),
    Route(method="DELETE", path=P + "/topic-destination-routes/{destinationRoute}"),
)

OUTSIDE = (
    Route(method="GET", path="/v1/projects"),
    Route(method="GET", path="/v1/generate-upload-url"),
    Route(method="POST", path="/v1/oauth-connect", body={**CONSENT, "provider": "salesforce"}, frontend=True),
    Route(
        method="POST",
        path="/v1/oauth-connect:complete",
        body={"projectIdOrName": "{project}", "completionCode": "none"},
        frontend=True,
        stands_for=True,
    ),
    Route(method="POST", path="/v1/custom-auth/connect", body={**CONSENT, "provider": "sandboxSteps"}, frontend=True),
)
"""With a credential, but without a project in the path. A body may name one, as ``{project}``."""

PROXY = {"x-amp-proxy-version": "1", "x-amp-project-id": "{project}"}
PROXIED = (
    Route(
        method="GET",
        path="/proxy/v1/objects/contacts/records",
        headers={**PROXY, "x-amp-installation-id": "{installation}"},
    ),
    Route(
        method="POST",
        path="/v1/objects/contacts/records",
        body={"email": "a@b.co"},
        headers={**PROXY, "x-amp-integration-name": "{integration}", "x-amp-group-ref": "g1"},
    ),
)
"""Calls that pass through to a provider. The description of the API has no place for them."""
