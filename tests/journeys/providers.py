"""One vocabulary for three providers, so that one test says the same of all of them."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Literal, Protocol

import httpx

from tests.journeys.customers import Customer, Json, hubspot_customer, salesforce_customer, sandbox_customer
from tests.simulators.hubspot import HubSpotSimulator
from tests.simulators.salesforce import SalesforceSimulator

Trouble = Literal["spent", "unauthorized", "broken", "dropped"]


class Provider(Protocol):
    """What a test needs to know of a provider's account."""

    object_name: str
    key: str
    """A unique field to match by."""
    note: str
    """A text field."""
    choice: str
    """A field that takes one of a few values only."""

    def record(self, number: int, **more: Any) -> Json:
        """Make a record that the provider takes."""
        ...

    async def writes(self) -> list[tuple[str, str]]:
        """List the requests that came in since the account was opened: method and path.

        Those of connecting and describing are left out.
        """
        ...

    async def prepare(self, trouble: Trouble) -> None:
        """Let the next request meet this."""
        ...

    async def held(self) -> dict[str, Json]:
        """Tell the living records by id."""
        ...


class Sandbox:
    object_name, key, note, choice = "contacts", "email", "notes", "lifecycleStage"

    def __init__(self, crm: httpx.AsyncClient) -> None:
        self._crm = crm

    def record(self, number: int, **more: Any) -> Json:
        return {"email": f"p{number}@acme.test", **more}

    async def writes(self) -> list[tuple[str, str]]:
        asked = (await self._crm.get("/_sandbox/requests")).json()["requests"]
        return [(each["method"], each["path"]) for each in asked if _is_of_records(each["path"])]

    async def prepare(self, trouble: Trouble) -> None:
        rules: dict[Trouble, Json] = {
            "spent": {"kind": "rate_limit"},
            "unauthorized": {"kind": "status", "status": 401},
            "broken": {"kind": "status", "status": 500},
            "dropped": {"kind": "drop", "when": "after"},
        }
        (await self._crm.put("/_sandbox/faults", json={"faults": [rules[trouble]]})).raise_for_status()

    async def held(self) -> dict[str, Json]:
        # Asked without leaving a trace: by what really happened.
        found: dict[str, Json] = {}
        for effect in (await self._crm.get("/_sandbox/ledger")).json()["effects"]:
            if effect["action"] == "delete":
                del found[effect["recordId"]]
            else:
                found[effect["recordId"]] = found.get(effect["recordId"], {}) | effect["fields"]
        return found


class HubSpot:
    object_name, key, note, choice = "contacts", "email", "phone", "lifecyclestage"

    def __init__(self, crm: HubSpotSimulator) -> None:
        self._crm = crm

    def record(self, number: int, **more: Any) -> Json:
        return {"email": f"p{number}@acme.test", **more}

    async def writes(self) -> list[tuple[str, str]]:
        return [(each.method, each.path) for each in self._crm.requests if _is_of_records(each.path)]

    async def prepare(self, trouble: Trouble) -> None:
        if trouble == "spent":
            self._crm.rate_limit_next()
        elif trouble == "dropped":
            self._crm.drop_next()
        else:
            self._crm.answer_next(401 if trouble == "unauthorized" else 500, {"message": "no"})

    async def held(self) -> dict[str, Json]:
        records = self._crm.records(self.object_name)
        return {entry.id: dict(entry.properties) for entry in records.values() if not entry.archived}


class Salesforce:
    object_name, key, note, choice = "Account", "Ext__c", "Description", "Tier__c"

    def __init__(self, crm: SalesforceSimulator) -> None:
        self._crm = crm

    def record(self, number: int, **more: Any) -> Json:
        return {"Name": f"Account {number}", "Ext__c": f"k{number}", **more}

    async def writes(self) -> list[tuple[str, str]]:
        return [(each.method, each.path) for each in self._crm.requests if _is_of_records(each.path)]

    async def prepare(self, trouble: Trouble) -> None:
        if trouble == "spent":
            self._crm.rate_limit_next()
        elif trouble == "dropped":
            self._crm.drop_next()
        elif trouble == "unauthorized":
            self._crm.answer_next(401, "INVALID_SESSION_ID", "Session expired or invalid")
        else:
            self._crm.answer_next(500, "UNKNOWN_EXCEPTION", "An unexpected error occurred")

    async def held(self) -> dict[str, Json]:
        return {row["Id"]: dict(row) for row in self._crm.org.records(self.object_name)}


class Account:
    """A customer with an account at one of the three."""

    def __init__(self, customer: Customer, provider: Provider) -> None:
        self.customer = customer
        self.at = provider

    async def move_in(self, *, upsert: bool = False, **settings: Any) -> Any:
        """Install with these settings of the one object that is written."""
        name = self.at.object_name
        objects = f"    write:\n      objects:\n        - objectName: {name}\n"
        if upsert:
            objects += f"          upsertKeys: [{self.at.key}]\n"
        return await self.customer.move_in(objects, write={"objects": {name: {"objectName": name, **settings}}})

    async def write(self, body: Json, **headers: str) -> httpx.Response:
        return await self.customer.write(self.at.object_name, body, **headers)

    async def done(self, body: Json, **headers: str) -> Any:
        return await self.customer.done(self.at.object_name, body, **headers)

    async def create(self, number: int, **more: Any) -> str:
        """Create a record; tell its id."""
        made = await self.done({"type": "create", "record": self.at.record(number, **more)})
        return str(made["result"]["recordId"])

    async def since(self, earlier: int) -> list[tuple[str, str]]:
        return (await self.at.writes())[earlier:]


_KINDS: dict[str, tuple[Any, Any]] = {
    "sandbox": (sandbox_customer, Sandbox),
    "hubspot": (hubspot_customer, HubSpot),
    "salesforce": (salesforce_customer, Salesforce),
}
NAMES = tuple(_KINDS)


@asynccontextmanager
async def account_at(name: str) -> AsyncIterator[Account]:
    opened, kind = _KINDS[name]
    context: AbstractAsyncContextManager[Customer] = opened()
    async with context as customer:
        yield Account(customer, kind(customer.crm))


def _is_of_records(path: str) -> bool:
    return ("/objects/" in path or "sobjects" in path) and not path.endswith(("/schema", "/describe"))
