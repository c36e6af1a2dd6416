"""The demo's steps, through the front door: deploy, connect, install, create, update. It tells what it does."""

from collections.abc import Callable
from importlib.resources import files
from typing import Any

import httpx
import msgspec

from connectors.sandbox.access import DEMO_KEY
from headless.client import Client
from server.demo.telling import as_json, heading, rules_table

Tell = Callable[[str], None]
Json = dict[str, Any]

INTEGRATION = "demo-crm"
OBJECT = "contacts"
CONSUMER = "ada"
MANIFEST = files("server.demo").joinpath("amp.yaml").read_text()
CONTENT: Json = {
    "provider": "sandbox",
    "read": {
        "objects": {
            OBJECT: {
                "objectName": OBJECT,
                "selectedFieldMappings": {"stage": "lifecycleStage", "city": "$['address']['city']"},
                "selectedValueMappings": {"lifecycleStage": {"won": "customer", "new": "lead"}},
            }
        }
    },
    "write": {
        "objects": {
            OBJECT: {
                "objectName": OBJECT,
                "selectedFieldSettings": {
                    "subscribed": {"default": {"booleanValue": False}, "writeOnUpdate": "never"},
                    "phone": {"writeOnUpdate": "never"},
                    "jobTitle": {"writeOnUpdate": "ifEmpty"},
                },
            }
        }
    },
}
"""What this customer chose."""


async def tell_story(client: Client, *, sandbox_url: str, group_ref: str, tell: Tell) -> None:
    """Run the whole story against a server and a sandbox CRM. Raises `ApiError` if a step fails."""
    tell(heading("1. Deploy the manifest"))
    for integration in await client.deploy(MANIFEST):
        tell(f"integration {integration['name']!r}, revision {integration['latestRevision']['id']}")

    tell(heading(f"2. Connect the customer {group_ref!r} and install, with their own rules"))
    connection = await client.connect("sandbox", group_ref=group_ref, consumer_ref=CONSUMER, api_key=DEMO_KEY)
    installation = await client.install(
        INTEGRATION, group_ref=group_ref, content=CONTENT, connection_id=connection["id"]
    )
    tell(f"installation {installation['id']} with this config:\n{as_json(CONTENT)}")

    tell(heading("3. Create a contact"))
    record = {
        "email": f"ada@{group_ref}.test",
        "given_name": "Ada",
        "stage": "won",
        "city": "London",
        "nickname": "Countess",
        "phone": "+44 20 7946 0000",
        "product_id": f"{group_ref}-1",
    }
    created = await _write(client, {"groupRef": group_ref, "type": "create", "record": record}, sandbox_url, tell)

    tell(heading("4. Update it: the same customer's rules now hold some fields back"))
    changes = {
        "id": created["result"]["recordId"],
        "given_name": "Augusta Ada",
        "phone": "+44 20 7946 0001",
        "jobTitle": "Analyst",
        "notes": "typed over",
    }
    await _write(client, {"groupRef": group_ref, "type": "update", "record": changes}, sandbox_url, tell)


async def _write(client: Client, request: Json, sandbox_url: str, tell: Tell) -> Json:
    answer = await client.write(INTEGRATION, OBJECT, request)
    explanation = await client.explain_operation(answer["operationId"])
    tell(f"Your product asked:\n{as_json(request)}\n")
    tell(f"What each rule did to each field:\n{rules_table(explanation['records'][0])}\n")
    tell(f"What the provider received:\n{await _received(sandbox_url)}\n")
    tell(f"Your product was answered:\n{as_json(answer)}")
    return answer


async def _received(sandbox_url: str) -> str:
    """Read the last request of the sandbox's own log: not what we believe to have sent."""
    async with httpx.AsyncClient(base_url=sandbox_url, trust_env=False) as http:
        log = (await http.get("/_sandbox/requests", params={"limit": 1})).json()
    last = log["requests"][-1]
    return f"{last['method']} {last['path']}\n{as_json(msgspec.json.decode(last['body']))}"
