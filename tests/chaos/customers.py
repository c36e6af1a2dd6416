"""The customers of a run: one project, and for each a workspace at the provider, a connection, an installation."""

from typing import Any

import msgspec

from connectors.sandbox.fields import Field
from headless.client import Client
from tests.chaos.provider import Provider

OBJECTS = ("contacts", "companies", "deals", "tickets", "x_subscriptions")
MANIFEST = "\n".join(
    [
        "specVersion: 1.0.0",
        "integrations:",
        "  - name: crm",
        "    provider: sandbox",
        "    write:",
        "      objects:",
        *(f"        - objectName: {name}" for name in OBJECTS),
        "",
    ]
)
CONTENT: dict[str, Any] = {
    "provider": "sandbox",
    "write": {
        "objects": {
            name: {"objectName": name, **({"deletionSettings": {"enabled": True}} if name == "companies" else {})}
            for name in OBJECTS
        }
    },
}
NOTE = Field(name="x_note", label="Note", type="string")


class Town(msgspec.Struct, frozen=True, kw_only=True):
    """What callers need to know."""

    project: str
    api_key: str
    installations: dict[str, str]
    """Customer to installation id."""


async def move_in(provider: Provider, project: Any, origin: str, *, customers: list[str]) -> Town:
    """Deploy the manifest, connect every customer and install."""
    installations = {}
    async with Client(origin, api_key=project["apiKey"], project=project["projectId"]) as client:
        await client.deploy(MANIFEST)
        for customer in customers:
            key = provider.open_workspace(customer)
            provider.sandbox.tenant(customer).workspace.add_field("x_subscriptions", NOTE)
            await client.connect("sandbox", group_ref=customer, consumer_ref=customer, api_key=key)
            installed = await client.install("crm", group_ref=customer, content=CONTENT)
            installations[customer] = installed["id"]
    return Town(project=project["projectId"], api_key=project["apiKey"], installations=installations)
