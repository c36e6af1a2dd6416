"""What customers fill in, as rows: what works for each scheme, what its provider refuses, and all that can be wrong."""

from typing import Any

from msgspec.structs import replace

from connectors.provider import MetadataInput, ProviderMetadata
from connectors.sandbox.access import DEMO_KEY
from connectors.sandbox.data import SANDBOXES
from connectors.sandbox.oauth import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET

BY_NAME = {provider.name: provider for provider in SANDBOXES}
REGION = MetadataInput(name="region", display_name="Region", prompt="eu or us")
PLAN = MetadataInput(name="plan", display_name="Plan", default_value="free")
ASKING = replace(
    BY_NAME["sandboxCustom"], name="asking", metadata=ProviderMetadata(input=(REGION, PLAN, MetadataInput(name="hub")))
)

VALUES = {"workspace": "demo", "secret": DEMO_KEY, "region": "eu"}
CLIENT = {"clientId": DEMO_CLIENT_ID, "clientSecret": DEMO_CLIENT_SECRET}

WORKS: list[tuple[str, dict[str, Any], str]] = [
    ("sandbox", {"apiKey": DEMO_KEY}, "apiKey"),
    ("sandboxKeyInQuery", {"apiKey": DEMO_KEY}, "apiKey"),
    ("sandboxKeyAsBasic", {"apiKey": DEMO_KEY}, "apiKey"),
    ("sandboxKeyAsBasic", {"basicAuth": {"username": DEMO_KEY, "password": ""}}, "basic"),
    ("sandboxBasic", {"basicAuth": {"username": "demo", "password": DEMO_KEY}}, "basic"),
    ("sandboxCustom", {"customAuth": VALUES}, "none"),
    ("sandboxSession", {"customAuth": {"workspace": "demo", "secret": DEMO_KEY}}, "none"),
    ("sandboxSteps", {"customAuth": VALUES}, "none"),
    ("sandboxOAuthClient", {"oauth2ClientCredentials": CLIENT}, "oauth2/clientCredentials"),
    (
        "sandboxOAuthPassword",
        {"oauth2PasswordCredentials": {"username": "demo", "password": DEMO_KEY, **CLIENT}},
        "oauth2/password",
    ),
    ("sandboxOpen", {}, "none"),
]

ODD = "a-canary-4711"

REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("sandbox", {"apiKey": ODD}, "apiKey"),
    ("sandboxKeyInQuery", {"apiKey": ODD}, "apiKey"),
    ("sandboxKeyAsBasic", {"apiKey": ODD}, "apiKey"),
    ("sandboxBasic", {"basicAuth": {"username": "demo", "password": ODD}}, "basicAuth"),
    ("sandboxBasic", {"basicAuth": {"username": "other", "password": DEMO_KEY}}, "basicAuth"),
    ("sandboxCustom", {"customAuth": {**VALUES, "secret": ODD}}, "customAuth"),
    ("sandboxCustom", {"customAuth": {**VALUES, "region": "us"}}, "customAuth"),
    ("sandboxSession", {"customAuth": {"workspace": "demo", "secret": ODD}}, "customAuth"),
    ("sandboxSession", {"customAuth": {"workspace": "other", "secret": DEMO_KEY}}, "customAuth"),
    (
        "sandboxOAuthClient",
        {"oauth2ClientCredentials": {**CLIENT, "clientSecret": ODD}},
        "oauth2ClientCredentials",
    ),
    (
        "sandboxOAuthPassword",
        {"oauth2PasswordCredentials": {"username": "demo", "password": ODD, **CLIENT}},
        "oauth2PasswordCredentials",
    ),
    (
        "sandboxOAuthPassword",
        {"oauth2PasswordCredentials": {"username": "demo", "password": DEMO_KEY, **CLIENT, "clientSecret": ODD}},
        "oauth2PasswordCredentials",
    ),
    ("sandboxOAuth", {"oauth2AuthorizationCode": {"accessToken": {"token": ODD}}}, "oauth2AuthorizationCode"),
]

ISSUES: list[tuple[str, str, dict[str, Any], list[tuple[str, str]]]] = [
    (
        "nothing filled in",
        "sandboxCustom",
        {"customAuth": {}},
        [("customAuth.workspace", "required"), ("customAuth.secret", "required"), ("customAuth.region", "required")],
    ),
    (
        "empty values",
        "sandboxCustom",
        {"customAuth": {**VALUES, "workspace": "", "secret": ""}},
        [("customAuth.workspace", "required"), ("customAuth.secret", "required")],
    ),
    (
        "unknown names",
        "sandboxCustom",
        {"customAuth": {**VALUES, "tenant": ODD, "api.key": ODD}},
        [("customAuth.tenant", "unknown-input"), ('customAuth["api.key"]', "unknown-input")],
    ),
    (
        "a choice that is none",
        "sandboxCustom",
        {"customAuth": {**VALUES, "region": ODD}},
        [("customAuth.region", "bad-value")],
    ),
    (
        "case matters in a choice",
        "sandboxCustom",
        {"customAuth": {**VALUES, "region": "EU"}},
        [("customAuth.region", "bad-value")],
    ),
    (
        "values that no header carries",
        "sandboxCustom",
        {"customAuth": {"workspace": f"{ODD}\r\nX-Evil: 1", "secret": f"{ODD}é", "region": "eu"}},
        [("customAuth.workspace", "bad-value"), ("customAuth.secret", "bad-value")],
    ),
    (
        "space around a value",
        "sandboxCustom",
        {"customAuth": {**VALUES, "secret": f" {ODD}"}},
        [("customAuth.secret", "bad-value")],
    ),
    (
        "a value that goes into a header of the token request",
        "sandboxSession",
        {"customAuth": {"workspace": f"{ODD}\n", "secret": "in the body, where é is welcome"}},
        [("customAuth.workspace", "bad-value")],
    ),
    (
        "what steps bring back",
        "sandboxSteps",
        {"customAuth": {"workspace": "demo"}},
        [("customAuth.secret", "required"), ("customAuth.region", "required")],
    ),
    ("two ways at once", "sandboxCustom", {"customAuth": VALUES, "apiKey": ODD}, [("", "credentials")]),
    ("no way at all", "sandboxCustom", {}, [("", "credentials")]),
    (
        "a colon in a user name",
        "sandboxBasic",
        {"basicAuth": {"username": "a:b", "password": ODD}},
        [("basicAuth.username", "bad-value")],
    ),
    (
        "the account and the credentials at once",
        "asking",
        {
            "customAuth": {"workspace": "demo", "tenant": ODD},
            "providerMetadata": {"region": {"value": "", "source": "input"}},
        },
        [
            ("providerMetadata.region", "required"),
            ("providerMetadata.hub", "required"),
            ("customAuth.secret", "required"),
            ("customAuth.region", "required"),
            ("customAuth.tenant", "unknown-input"),
        ],
    ),
]

FORMS: dict[str, Any] = {
    "apiKey": ODD,
    "basicAuth": {"username": "u", "password": ODD},
    "oauth2ClientCredentials": {"clientId": "i", "clientSecret": ODD},
    "oauth2PasswordCredentials": {"username": "u", "password": ODD, "clientId": "i", "clientSecret": ODD},
    "oauth2AuthorizationCode": {"accessToken": {"token": ODD}},
    "customAuth": VALUES,
}

FITTING: list[tuple[str, list[str]]] = [
    ("sandbox", ["apiKey"]),
    ("sandboxKeyAsBasic", ["apiKey", "basicAuth"]),
    ("sandboxBasic", ["basicAuth"]),
    ("sandboxSteps", ["customAuth"]),
    ("sandboxOAuth", ["oauth2AuthorizationCode", "apiKey"]),
    ("sandboxOAuthCode", ["oauth2AuthorizationCode", "apiKey"]),
    ("sandboxOAuthClient", ["oauth2ClientCredentials", "apiKey"]),
    ("sandboxOAuthPassword", ["oauth2PasswordCredentials", "apiKey"]),
    ("sandboxOpen", []),
]

CHANGES = [row for row in WORKS if row[1]]
