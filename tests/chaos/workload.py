"""What is asked for in a run: every operation, in the order in which it is handed in. Drawn from a seed, no I/O.

Each operation carries a tag of its own in a field, so that the provider's ledger tells what came of it. Changes of one
record bear the tags as values: their order in the ledger is the order in which they happened.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

Kind = Literal["unique", "keyed", "stamped", "marker", "bare", "update", "upsert", "delete"]
"""How a repeated write is told from a new one.

Creates: ``unique`` by a field that no two records share, ``keyed`` by a key sent along, ``stamped`` by a mark that no
two records share, ``marker`` by one that can only be looked up; ``bare`` not at all. ``update``, ``upsert`` and
``delete`` may be done twice without harm.
"""
CREATES: tuple[Kind, ...] = ("unique", "keyed", "stamped", "marker", "bare")
CHANGES: tuple[Kind, ...] = ("update", "update", "update", "update", "upsert", "delete")
"""In the proportion in which they are asked for."""
CREATE_SHARE = 0.7
HOT_RECORDS = 5
"""Records of each customer that are changed again and again."""


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """One operation to ask for."""

    tag: str
    kind: Kind
    customer: str
    """The group it belongs to, and the name of its workspace at the provider."""
    object_name: str
    body: Mapping[str, Any]
    """The published body of a write."""
    record: str = ""
    """What it changes, for those whose order matters."""

    @property
    def creates(self) -> bool:
        """Whether it must leave exactly one new record."""
        return self.kind in CREATES

    @property
    def synchronous(self) -> bool:
        """Whether its caller waits for the provider's answer and was promised one attempt."""
        return self.body.get("mode") != "asynchronous"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How much of what."""

    operations: int
    customers: int = 8
    creates: tuple[Kind, ...] = CREATES
    create_share: float = CREATE_SHARE
    changes: tuple[Kind, ...] = CHANGES
    on_ambiguous: Literal["park", "retry"] = "park"
    seed: int = 1


def customers(plan: Plan) -> list[str]:
    """Name the customers."""
    return [f"customer-{number}" for number in range(1, plan.customers + 1)]


def workload(plan: Plan, *, plant: Callable[[str, str, dict[str, object]], str]) -> Iterator[Ask]:
    """Draw every operation. ``plant`` puts a record into a customer's account before the run and answers its id."""
    chance = random.Random(plan.seed)  # noqa: S311 -- a schedule, no secrets
    hot = {customer: _hot(customer, plant) for customer in customers(plan)}
    for number in range(1, plan.operations + 1):
        customer = chance.choice(list(hot))
        creating = chance.random() < plan.create_share or not plan.changes
        kind = chance.choice(plan.creates if creating else plan.changes)
        if kind == "delete":
            record = plant(customer, "companies", {"name": f"doomed {number}"})
        else:
            record = chance.choice(hot[customer])
        yield ask(f"chaos-{number:06}", kind, customer=customer, record=record, on_ambiguous=plan.on_ambiguous)


def _hot(customer: str, plant: Callable[[str, str, dict[str, object]], str]) -> Sequence[str]:
    return [plant(customer, "contacts", {"email": f"hot{number}@{customer}.test"}) for number in range(HOT_RECORDS)]


def ask(tag: str, kind: Kind, *, customer: str, record: str = "", on_ambiguous: str = "park") -> Ask:
    """Build one operation. ``record`` is the id of what an update or a delete changes."""
    object_name, fields = _CONTENT[kind](tag, record)
    action = "create" if kind in CREATES else kind
    body: dict[str, Any] = {"groupRef": customer, "type": action, "record": fields}
    if kind != "delete":
        body["mode"] = "asynchronous"
    if kind == "upsert":
        body["matchKey"] = "externalId"
    if on_ambiguous != "park":
        body["onAmbiguous"] = on_ambiguous
    changed = "" if kind in CREATES else f"{customer}/{object_name}/{record}"
    return Ask(tag=tag, kind=kind, customer=customer, object_name=object_name, body=body, record=changed)


_CONTENT: Mapping[Kind, Callable[[str, str], tuple[str, dict[str, Any]]]] = {
    "unique": lambda tag, _: ("contacts", {"email": f"{tag}@acme.test", "notes": tag}),
    "keyed": lambda tag, _: ("companies", {"name": tag}),
    "stamped": lambda tag, _: ("deals", {"name": tag, "stage": "new"}),
    "marker": lambda tag, _: ("tickets", {"subject": tag}),
    "bare": lambda tag, _: ("x_subscriptions", {"plan": "free", "x_note": tag}),
    "update": lambda tag, record: ("contacts", {"id": record, "notes": tag}),
    "upsert": lambda tag, record: ("companies", {"externalId": record, "name": tag}),
    "delete": lambda _, record: ("companies", {"id": record}),
}
