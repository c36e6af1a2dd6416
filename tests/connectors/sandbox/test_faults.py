"""Which requests a fault hits, by chance as well, and how each looks from the connector's side of a real connection."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest

from connectors.connector import Account
from connectors.credentials import ApiKeyCredentials, authorize
from connectors.errors import Ambiguous, ConnectorError, Refused, Unreadable
from connectors.sandbox.access import DEMO_KEY
from connectors.sandbox.connector import SandboxConnector
from connectors.sandbox.faults import FaultPlan, FaultRule, Faults
from connectors.sandbox.pace import Pace, Pacemaker
from connectors.sandbox.server import serve
from connectors.sandbox.state import Options
from connectors.secret import Secret
from connectors.transport import perform
from connectors.wire import AioTransport
from installations.record import Change, Outcome, RecordChange

TICKETS = "/v1/objects/tickets/records"


def drawn(plan: FaultPlan, *, requests: int, object_name: str = "tickets") -> list[int]:
    faults = Faults(plan)
    return [number for number in range(requests) if faults.take("POST", TICKETS, object_name) is not None]


def test_a_likely_fault_hits_about_as_often_as_it_is_likely_and_the_same_requests_again() -> None:
    rule = FaultRule(kind="drop", times=None, probability=0.1)
    hit = drawn(FaultPlan(faults=(rule,), seed=7), requests=10_000)
    assert 850 < len(hit) < 1150
    assert hit == drawn(FaultPlan(faults=(rule,), seed=7), requests=10_000)
    assert hit != drawn(FaultPlan(faults=(rule,), seed=8), requests=10_000)


def test_a_likely_fault_may_be_limited_too() -> None:
    rule = FaultRule(kind="drop", times=3, probability=0.5)
    assert len(drawn(FaultPlan(faults=(rule,)), requests=1000)) == 3


def test_a_fault_may_be_about_one_object() -> None:
    plan = FaultPlan(faults=(FaultRule(kind="drop", times=None, object="tickets"),))
    assert len(drawn(plan, requests=5)) == 5
    assert drawn(plan, requests=5, object_name="contacts") == []


def test_what_is_not_drawn_is_left_to_the_next_rule() -> None:
    faults = Faults(
        FaultPlan(
            faults=(
                FaultRule(kind="drop", times=None, probability=0.5),
                FaultRule(kind="rate_limit", times=None),
            )
        )
    )
    kinds = {rule.kind for rule in (faults.take("GET", "/v1/me") for _ in range(100)) if rule is not None}
    assert kinds == {"drop", "rate_limit"}


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def test_a_rate_holds_in_every_window_and_says_when_to_come_again() -> None:
    clock = Clock()
    pacemaker = Pacemaker(Pace(requests=2, per_seconds=10), now=clock)
    said = []
    for seconds in (0, 1, 1, 7, 1, 0.5, 0.5, 1):
        clock.forward(seconds)
        said.append(pacemaker.wait_seconds())
    assert said == [None, None, 8, 1, None, 1, None, 8]


def test_without_a_rate_as_many_as_come_are_taken() -> None:
    pacemaker = Pacemaker(Pace(), now=Clock())
    assert {pacemaker.wait_seconds() for _ in range(1000)} == {None}


@pytest.fixture
async def wire() -> AsyncIterator[AioTransport]:
    made = AioTransport()
    yield made
    await made.aclose()


def ticket(*keys: str, batch: bool = False) -> Change:
    records = tuple(RecordChange(fields={"subject": key}) for key in keys)
    return Change(action="create", object_name="tickets", records=records, batch=batch, keys=keys)


async def written(url: str, wire: AioTransport, change: Change, *, deadline_seconds: float = 5.0) -> Outcome:
    connector = SandboxConnector()
    account, auth = (
        Account(base_url=url),
        authorize(connector.provider, ApiKeyCredentials(api_key=Secret(DEMO_KEY))),
    )
    flow = connector.write_batch(account, change) if change.batch else connector.write(account, change)
    return await perform(flow, transport=wire, auth=auth, origin=url, deadline_seconds=deadline_seconds)


async def plan(client: httpx.AsyncClient, *faults: dict[str, Any], **members: Any) -> None:
    response = await client.put("/_sandbox/faults", json={"faults": faults, **members})
    assert response.status_code == 200, response.text


async def effects(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await client.get("/_sandbox/ledger?after=0&limit=1000")).json()["effects"]
    return found


SEEN: dict[str, tuple[dict[str, Any], type[ConnectorError], str, int]] = {
    "429": ({"kind": "rate_limit", "retryAfterSeconds": 7}, Refused, "rate_limited", 0),
    "503 that says nothing was done": ({"kind": "overload", "retryAfterSeconds": 7}, Refused, "provider", 0),
    "503 that says nothing": ({"kind": "status", "status": 503, "retryAfterSeconds": 7}, Ambiguous, "ambiguous", 0),
    "500 before the effect": ({"kind": "status", "status": 500}, Ambiguous, "ambiguous", 0),
    "500 after the effect": ({"kind": "status", "status": 500, "when": "after"}, Ambiguous, "ambiguous", 1),
    "502 after the effect": ({"kind": "status", "status": 502, "when": "after"}, Ambiguous, "ambiguous", 1),
    "423": ({"kind": "status", "status": 423}, Refused, "locked", 0),
    "closed before the effect": ({"kind": "drop"}, Ambiguous, "ambiguous", 0),
    "closed after the effect": ({"kind": "drop", "when": "after"}, Ambiguous, "ambiguous", 1),
    "reset before the effect": ({"kind": "reset"}, Ambiguous, "ambiguous", 0),
    "reset after the effect": ({"kind": "reset", "when": "after"}, Ambiguous, "ambiguous", 1),
    "a time-out after the effect": ({"kind": "delay", "when": "after", "delayMs": 60_000}, Ambiguous, "ambiguous", 1),
    "half an answer": ({"kind": "broken_json"}, Unreadable, "unrecognised", 1),
}


@pytest.mark.parametrize("seen", SEEN.values(), ids=SEEN)
@pytest.mark.parametrize("batch", [False, True], ids=["alone", "in a batch"])
async def test_every_fault_is_seen_for_what_it_is(
    client: httpx.AsyncClient,
    base_url: str,
    wire: AioTransport,
    seen: tuple[dict[str, Any], type[ConnectorError], str, int],
    *,
    batch: bool,
) -> None:
    fault, error, kind, done = seen
    await plan(client, fault | {"object": "tickets"})
    with pytest.raises(error) as caught:
        await written(base_url, wire, ticket("op-1", batch=batch), deadline_seconds=0.3)
    assert caught.value.fault.kind == kind
    if "retryAfterSeconds" in fault:
        assert caught.value.fault.retry_after_seconds == 7
    ledger = await effects(client)
    assert [(each["marker"], each["fields"]["subject"]) for each in ledger] == [("op-1", "op-1")] * done


async def test_an_effect_may_come_after_we_have_given_up_and_is_found_by_its_marker(
    client: httpx.AsyncClient, base_url: str, wire: AioTransport
) -> None:
    await plan(client, {"kind": "delay", "when": "before", "delayMs": 300, "object": "tickets"})
    with pytest.raises(Ambiguous):
        await written(base_url, wire, ticket("op-1"), deadline_seconds=0.1)
    found = (await client.get(f"{TICKETS}?filter[externalId]=op-1")).json()["records"]
    assert found == [], "so one look at once would have proved nothing"
    while not await effects(client):
        pass
    (late,) = (await client.get(f"{TICKETS}?filter[externalId]=op-1")).json()["records"]
    assert late["fields"]["subject"] == "op-1"


async def test_a_reset_is_a_reset(client: httpx.AsyncClient) -> None:
    await plan(client, {"kind": "reset"})
    with pytest.raises(httpx.ReadError):
        await client.post(TICKETS, json={"fields": {"subject": "Help"}})


async def test_a_rate_is_kept_over_http(client: httpx.AsyncClient) -> None:
    pace = {"latencyMs": 1, "requests": 3, "perSeconds": 3600}
    assert (await client.put("/_sandbox/pace", json=pace)).json() == pace | {"perSeconds": 3600.0}
    answers = [await client.get("/v1/me") for _ in range(5)]
    assert [each.status_code for each in answers] == [200, 200, 200, 429, 429]
    assert 3590 < int(answers[3].headers["retry-after"]) <= 3600
    assert (await client.get("/_sandbox/counts")).json()["faults"] == {"rate_limit": 2}
    assert (await client.get("/_sandbox/pace")).json()["requests"] == 3
    assert (await client.put("/_sandbox/pace", json={"requests": 0})).status_code == 400
    await client.put("/_sandbox/pace", json={})
    assert (await client.get("/v1/me")).status_code == 200


async def test_a_sandbox_may_start_slow_and_out_of_order() -> None:
    broken = FaultPlan(faults=(FaultRule(kind="status", status=500, times=1),))
    headers = {"X-Sandbox-Key": DEMO_KEY}
    async with (
        serve(options=Options(pace=Pace(latency_ms=1, requests=2, per_seconds=3600), faults=broken)) as url,
        httpx.AsyncClient(base_url=url, headers=headers, trust_env=False) as client,
    ):
        assert [(await client.get("/v1/me")).status_code for _ in range(3)] == [500, 200, 429]


async def test_the_ledger_is_read_in_pages_and_counts_are_kept(
    client: httpx.AsyncClient, base_url: str, wire: AioTransport
) -> None:
    for start in range(0, 300, 100):
        await written(base_url, wire, ticket(*(f"op-{number}" for number in range(start, start + 100)), batch=True))
    seen, after = [], 0
    while page := (await client.get(f"/_sandbox/ledger?after={after}&limit=70")).json()["effects"]:
        seen += page
        after = page[-1]["number"]
    assert [each["marker"] for each in seen] == [f"op-{number}" for number in range(300)]
    assert [each["number"] for each in seen] == list(range(1, 301))
    assert (await client.get("/_sandbox/ledger?after=1e3")).status_code == 400
    assert (await client.get("/_sandbox/counts?workspace=demo")).json() == {
        "requests": 3,
        "statuses": {"200": 3},
        "faults": {},
        "effects": {"create tickets": 300},
    }
    assert (await client.get("/_sandbox/counts?workspace=open")).json()["requests"] == 0


async def test_ten_thousand_effects_are_told_at_once(
    client: httpx.AsyncClient, base_url: str, wire: AioTransport
) -> None:
    for start in range(0, 10_000, 100):
        await written(base_url, wire, ticket(*(f"op-{number}" for number in range(start, start + 100)), batch=True))
    answer = await client.get("/_sandbox/ledger?limit=10000")
    effects = msgspec.json.decode(answer.content)["effects"]
    assert len({each["marker"] for each in effects}) == 10_000
