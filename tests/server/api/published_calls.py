"""A call of every published operation that the server offers, and of its refusals, in the order in which they work."""

from typing import Any

import msgspec

from connectors.sandbox.access import DEMO_KEY
from tests.canaries import canary
from tests.server.house import MANIFEST, READ_AND_WRITE
from tests.server.signing import public_pem


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One call, and the status it is answered with."""

    operation: str
    """The published ``operationId``."""
    status: int
    body: Any = None
    """JSON, in which ``{name}`` stands for what was kept; a string is sent as it is."""
    query: str = ""
    names: dict[str, str] = {}
    """Other values for parameters of the path."""
    keep: str = ""
    """The parameter of later paths that this answer gives a value to."""
    member: str = "id"
    """Where in the answer it is, and in its first element if it is a list."""
    key: str | None = None
    """Another key than the project's."""
    document: str = "api.bundled"

    @property
    def name(self) -> str:
        return f"{self.operation} {self.status} {self.query}".strip()


def _unknown(parameter: str) -> dict[str, str]:
    return {parameter: "nothing"}


NONSENSE = ["nonsense"]
PERSON = {"groupRef": "g1", "consumerRef": "c1"}
SANDBOX = {"provider": "sandbox", **PERSON}
TOKENS = {"accessToken": {"token": canary()}, "refreshToken": {"token": canary()}, "scopes": ["contacts.read"]}
ACME = {"provider": "salesforce", "providerWorkspaceRef": "acme", **PERSON}
CONSENT = {"projectIdOrName": "{projectIdOrName}", **ACME}
STEPS = {"projectIdOrName": "{projectIdOrName}", "provider": "sandboxSteps", **PERSON}
APP = {"provider": "salesforce", "clientId": "an-id", "clientSecret": canary()}
HOOK = {"name": "hook", "type": "webhook", "metadata": {"url": "https://hooks.example.com/isthmus"}}
BROKEN = {"sourceYaml": "integrations: 1"}
SMALL = {"name": "small", "provider": "sandbox", "latestRevision": {"content": {"proxy": {"enabled": True}}}}
PAUSED = "config.content.read.objects.contacts.disabled"
PAUSE = {"config": {"content": {"read": {"objects": {"contacts": {"disabled": True}}}}}}
UNMAPPED = {"read": {"objects": {"contacts": {"objectName": "contacts", "schedule": "never"}}}}
DELETING = {"op": "add", "path": "/deletionSettings", "value": {"enabled": True}}
CHANGE = {"groupRef": "g1", "action": "write", "changes": [DELETING]}
KEY = {"label": "key", "algorithm": "RS256", "publicKeyPem": public_pem()}


def _update(resource: str, mask: list[str], **members: Any) -> dict[str, Any]:
    return {"updateMask": mask, resource: members}


PROJECTS = (
    Call(operation="listProjects", status=200),
    Call(operation="getProject", status=200, query="?includeEntitlements=true"),
    Call(operation="getProject", status=401, key="isk_wrong"),
    Call(operation="updateProject", status=200, body=_update("project", ["appName"], appName="Acme")),
    Call(operation="updateProject", status=400, body=_update("project", NONSENSE)),
    Call(operation="createApiKey", status=201, body={"label": "spare"}, keep="apiKey", member="key"),
    Call(operation="listApiKeys", status=200),
    Call(operation="getApiKey", status=200),
    Call(operation="getApiKey", status=404, names=_unknown("apiKey")),
    Call(operation="updateApiKey", status=200, body=_update("apiKey", ["label"], label="other")),
    Call(operation="updateApiKey", status=400, body=_update("apiKey", NONSENSE)),
    Call(operation="updateApiKey", status=404, body=_update("apiKey", ["label"], label="x"), names=_unknown("apiKey")),
    Call(operation="deleteApiKey", status=204),
    Call(operation="deleteApiKey", status=404, names=_unknown("apiKey")),
    Call(operation="createJWTKey", status=201, body=KEY, keep="keyId", member="kid"),
    Call(operation="createJWTKey", status=400, body={**KEY, "publicKeyPem": "none"}),
    Call(operation="listJWTKeys", status=200),
    Call(operation="getJWTKey", status=200),
    Call(operation="getJWTKey", status=404, names=_unknown("keyId")),
    Call(operation="updateJWTKey", status=200, body=_update("jwtKey", ["label"], label="other")),
    Call(operation="updateJWTKey", status=422, body=_update("jwtKey", ["label"])),
    Call(operation="updateJWTKey", status=404, body=_update("jwtKey", ["label"], label="x"), names=_unknown("keyId")),
    Call(operation="deleteJWTKey", status=204),
    Call(operation="deleteJWTKey", status=404, names=_unknown("keyId")),
)
CATALOG = (
    Call(operation="listProviders", status=200),
    Call(operation="getProvider", status=200),
    Call(operation="getProvider", status=404, names=_unknown("provider")),
    Call(operation="createProviderApp", status=200, body=APP, keep="providerAppId"),
    Call(operation="createProviderApp", status=400, body={"provider": "salesforce"}),
    Call(operation="createProviderApp", status=422, body={**APP, "provider": "nothing"}),
    Call(operation="listProviderApps", status=200),
    Call(operation="updateProviderApp", status=200, body=_update("providerApp", ["scopes"], scopes=["contacts.read"])),
    Call(operation="updateProviderApp", status=400, body=_update("providerApp", NONSENSE)),
)
INTEGRATIONS = (
    Call(operation="generateUploadUrl", status=200),
    Call(operation="batchUpsertIntegrations", status=200, body={"sourceYaml": MANIFEST}),
    Call(operation="batchUpsertIntegrations", status=422, body=BROKEN),
    Call(operation="createIntegration", status=201, body=SMALL),
    Call(operation="createIntegration", status=400, body={}),
    Call(operation="createIntegration", status=422, body={**SMALL, "provider": "nothing"}),
    Call(operation="deleteIntegration", status=204, names={"integrationIdOrName": "small"}),
    Call(operation="deleteIntegration", status=404, names={"integrationIdOrName": "small"}),
    Call(operation="createRevision", status=201, body={"sourceYaml": MANIFEST}, names={"integrationId": "crm"}),
    Call(operation="createRevision", status=422, body=BROKEN, names={"integrationId": "crm"}),
    Call(operation="listIntegrations", status=200, keep="integrationId"),
    Call(operation="listIntegrations", status=200, keep="revisionId", member="latestRevision.id"),
    Call(operation="getIntegration", status=200, names={"integrationIdOrName": "crm"}),
    Call(operation="getIntegration", status=404, names=_unknown("integrationIdOrName")),
)
CONNECTIONS = (
    Call(operation="oauthConnect", status=200, body=CONSENT),
    Call(operation="oauthConnect", status=400, body={**CONSENT, "groupRef": ""}),
    Call(operation="oauthConnect", status=422, body={**CONSENT, "provider": "hubspot"}),
    Call(operation="customAuthConnect", status=200, body={**STEPS, "customAuth": {}}),
    Call(operation="customAuthConnect", status=400, body={**STEPS, "customAuth": 5}),
    Call(operation="customAuthConnect", status=422, body={**STEPS, "provider": "sandbox", "customAuth": {}}),
    Call(
        operation="generateConnection",
        status=201,
        body={**ACME, "oauth2AuthorizationCode": TOKENS},
        keep="connectionId",
    ),
    Call(operation="oauthUpdate", status=200),
    Call(operation="oauthUpdate", status=404, names=_unknown("connectionId")),
    Call(operation="getConnection", status=200, query="?includeCreds=true&includeRefreshToken=true"),
    Call(operation="deleteConnection", status=204),
    Call(operation="generateConnection", status=201, body={**SANDBOX, "apiKey": DEMO_KEY}, keep="connectionId"),
    Call(operation="generateConnection", status=400, body=SANDBOX | {"groupRef": ""}),
    Call(operation="generateConnection", status=422, body={**SANDBOX, "apiKey": "wrong"}),
    Call(operation="listConnections", status=200, query="?groupRef=g1&provider=sandbox"),
    Call(operation="getConnection", status=200),
    Call(operation="getConnection", status=404, names=_unknown("connectionId")),
    Call(operation="updateConnection", status=200, body=_update("connection", ["apiKey"], apiKey=DEMO_KEY)),
    Call(operation="updateConnection", status=400, body=_update("connection", NONSENSE)),
    Call(operation="updateConnection", status=422, body=_update("connection", ["apiKey"], apiKey="wrong")),
)
INSTALLATIONS = (
    Call(operation="getHydratedRevision", status=200, query="?connectionId={connectionId}"),
    Call(operation="getHydratedRevision", status=400),
    Call(
        operation="getHydratedRevision",
        status=404,
        query="?connectionId={connectionId}",
        names=_unknown("revisionId"),
    ),
    Call(
        operation="createInstallation",
        status=201,
        body={"groupRef": "g1", "config": {"content": READ_AND_WRITE}},
        keep="installationId",
    ),
    Call(operation="createInstallation", status=400, body="{"),
    Call(operation="createInstallation", status=422, body={"groupRef": "g2", "config": {"content": READ_AND_WRITE}}),
    Call(operation="listInstallations", status=200),
    Call(operation="listInstallations", status=404, names=_unknown("integrationId")),
    Call(operation="listInstallationsForProject", status=200, query="?groupRef=g1"),
    Call(operation="listInstallationsForProject", status=400, query="?groupRef=g1&groupRef=g2"),
    Call(operation="getInstallation", status=200),
    Call(operation="getInstallation", status=404, names=_unknown("installationId")),
    Call(operation="updateInstallation", status=200, body={"updateMask": [PAUSED], "installation": PAUSE}),
    Call(operation="updateInstallation", status=400, body={"updateMask": NONSENSE, "installation": {}}),
    Call(
        operation="updateInstallation",
        status=422,
        body={"updateMask": ["config.content.read.objects"], "installation": {"config": {"content": UNMAPPED}}},
    ),
    Call(operation="patchObjectConfigContent", status=200, body=CHANGE),
    Call(operation="patchObjectConfigContent", status=400, body={**CHANGE, "changes": []}),
    Call(operation="patchObjectConfigContent", status=404, body={**CHANGE, "groupRef": "g2"}),
    Call(operation="getObjectMetadataForInstallation", status=200, query="?groupRef=g1"),
    Call(operation="getObjectMetadataForInstallation", status=400),
    Call(operation="getObjectMetadataForConnection", status=200, query="?groupRef=g1&excludeReadOnly=true"),
    Call(operation="getObjectMetadataForConnection", status=404, query="?groupRef=g1", names=_unknown("objectName")),
)


def _write(status: int, body: Any, **rest: Any) -> Call:
    return Call(operation="writeRecords", status=status, body=body, document="write", **rest)


RECORD = {"groupRef": "g1", "type": "create", "record": {"email": "a@b.co"}}
OPERATIONS = (
    _write(200, RECORD, keep="operationId", member="operationId"),
    _write(200, {**RECORD, "mode": "asynchronous", "record": {"email": "c@d.co"}}),
    _write(400, {**RECORD, "type": "nothing"}),
    _write(404, RECORD, names=_unknown("objectName")),
    Call(operation="listOperations", status=200, query="?pageSize=1"),
    Call(operation="listOperations", status=400, query="?pageSize=0"),
    Call(operation="listOperations", status=404, names=_unknown("installationId")),
    Call(operation="getOperation", status=200),
    Call(operation="getOperation", status=404, names=_unknown("operationId")),
    Call(operation="listOperationLogs", status=200),
    Call(operation="listOperationLogs", status=404, names=_unknown("operationId")),
    _write(422, {**RECORD, "record": {"email": "nobody"}}, keep="operationId", member="operationId"),
    Call(operation="getOperation", status=200),
    Call(operation="listOperationLogs", status=200),
)
NOTIFYING = (
    Call(operation="createDestination", status=201, body=HOOK, keep="destination"),
    Call(operation="createDestination", status=400, body={"name": "hook"}),
    Call(operation="createDestination", status=422, body={**HOOK, "metadata": {"url": "ftp://a"}}),
    Call(operation="listDestinations", status=200),
    Call(operation="getDestination", status=200, query="?includeSecrets=true"),
    Call(operation="getDestination", status=404, names=_unknown("destination")),
    Call(operation="updateDestination", status=200, body=_update("destination", ["name"], name="other")),
    Call(operation="updateDestination", status=400, body=_update("destination", NONSENSE)),
    Call(
        operation="updateDestination",
        status=404,
        body=_update("destination", ["name"], name="x"),
        names=_unknown("destination"),
    ),
    Call(
        operation="updateDestination",
        status=422,
        body=_update("destination", ["metadata"], metadata={"url": "ftp://a"}),
    ),
    Call(operation="createTopic", status=201, body={"name": "news"}, keep="topicId"),
    Call(operation="createTopic", status=409, body={"name": "news"}),
    Call(operation="createTopic", status=400, body={}),
    Call(operation="createTopic", status=422, body={"name": "no spaces"}),
    Call(operation="listTopics", status=200),
    Call(operation="updateTopic", status=200, body={"name": "other"}),
    Call(operation="updateTopic", status=400, body={}),
    Call(operation="updateTopic", status=404, body={"name": "x"}, names=_unknown("topicId")),
    Call(
        operation="createEventTopicRoute",
        status=201,
        body={"eventType": "connection.updated", "topicId": "{topicId}"},
        keep="routeId",
    ),
    Call(operation="createEventTopicRoute", status=400, body={}),
    Call(operation="createEventTopicRoute", status=404, body={"eventType": "connection.updated", "topicId": "nothing"}),
    Call(operation="listEventTopicRoutes", status=200),
    Call(operation="deleteEventTopicRoute", status=204),
    Call(operation="deleteEventTopicRoute", status=404),
    Call(
        operation="createTopicDestinationRoute",
        status=201,
        body={"topicId": "{topicId}", "destinationId": "{destination}"},
        keep="routeId",
    ),
    Call(operation="createTopicDestinationRoute", status=400, body={}),
    Call(
        operation="createTopicDestinationRoute",
        status=404,
        body={"topicId": "nothing", "destinationId": "{destination}"},
    ),
    Call(operation="listTopicDestinationRoutes", status=200),
    Call(operation="deleteTopicDestinationRoute", status=204),
    Call(operation="deleteTopicDestinationRoute", status=404),
    Call(operation="deleteTopic", status=204),
    Call(operation="deleteTopic", status=404),
    Call(operation="deleteDestination", status=204),
    Call(operation="deleteDestination", status=404),
)
ENDINGS = (
    Call(operation="deleteConnection", status=409),
    Call(operation="deleteInstallation", status=204),
    Call(operation="deleteInstallation", status=404),
    Call(operation="deleteProviderApp", status=204),
    Call(operation="deleteProviderApp", status=404),
)
CALLS = (
    *PROJECTS,
    *CATALOG,
    *INTEGRATIONS,
    *CONNECTIONS,
    *INSTALLATIONS,
    *OPERATIONS,
    *NOTIFYING,
    *ENDINGS,
)

NOT_OFFERED = {
    "a server of one's own has no accounts, invitations and bills; `isthmus init` makes projects": (
        "createProject",
        "createOrg",
        "getOrg",
        "updateOrg",
        "listOrgBuilders",
        "createOrgInvite",
        "listOrgInvites",
        "getOrgInvite",
        "deleteOrgInvite",
        "addUserToOrg",
        "getMyInfo",
        "acceptInvite",
        "getOrgBillingAccount",
        "createBillingAccountSession",
        "checkClaimedDomain",
        "claimDomain",
        "listOrgClaimedDomains",
    ),
    "fields are not created at providers": ("upsertMetadataForInstallation", "upsertMetadataForConnection"),
    "nothing is read from providers yet, but for the fields of an object": (
        "getBackfillProgress",
        "triggerRead",
        "pauseReads",
        "unpauseReads",
        "deliverResults",
        "searchRecords",
    ),
}
"""What of the published documents the server does not do, and why."""
