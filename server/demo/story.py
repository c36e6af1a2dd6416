"""The demo's steps, through the front door: deploy, connect, install, create, update, and a write in the background.

It tells what it does.
"""

import asyncio
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
LOOK_SECONDS = 0.05
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

    tell(heading("5. Create another one in the background, while the provider is busy"))
    await _write_later(client, {"email": f"emmy@{group_ref}.test", "given_name": "Emmy"}, group_ref, sandbox_url, tell)


async def _write_later(client: Client, record: Json, group_ref: str, sandbox_url: str, tell: Tell) -> None:
    """The sandbox refuses once and asks for a second; nobody but Isthmus has to wait for it."""
    await _be_busy_once(sandbox_url)
    request = {"groupRef": group_ref, "type": "create", "mode": "asynchronous", "record": record}
    accepted = await client.write(INTEGRATION, OBJECT, request)
    tell(f"Your product asked:\n{as_json(request)}\n")
    tell(f"and was answered as soon as it was stored:\n{as_json(accepted)}\n")
    tell("The sandbox answered 429 with 'Retry-After: 1'. So the write waits, and stays when this process dies:")
    tell(f"{as_json(_in_short(await _refused_once(client, accepted['operationId'])))}\n")
    tell(f"And then:\n{as_json(_in_short(await client.wait(accepted['operationId'])))}")


async def _be_busy_once(sandbox_url: str) -> None:
    async with httpx.AsyncClient(base_url=sandbox_url, trust_env=False) as http:
        answer = await http.put(
            "/_sandbox/faults", json={"faults": [{"kind": "rate_limit", "retryAfterSeconds": 1, "method": "POST"}]}
        )
        answer.raise_for_status()


async def _refused_once(client: Client, operation_id: str) -> Json:
    """Look until the first attempt is over. The next comes a second later, so a look falls between them."""
    while True:
        operation = await client.operation(operation_id)
        if operation.get("fault") or operation["status"] != "in_progress":
            return operation
        await asyncio.sleep(LOOK_SECONDS)


def _in_short(operation: Json) -> Json:
    """Leave out who and where."""
    told: Json = {name: operation[name] for name in ("status", "state", "nextAttemptTime") if name in operation}
    metadata = operation["metadata"]
    ids: Json = {name: metadata[name] for name in ("successfulRecordIds",) if name in metadata}
    return {**told, "attempts": metadata["retry"]["attempts"], **ids}


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
