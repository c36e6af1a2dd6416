"""From what a provider answers to what is done about it: the whole way from a status to a cell of the classifier."""

from typing import Any

import httpx
import pytest

from connectors.answers import failure
from connectors.connector import Account
from connectors.errors import Ambiguous, ConnectorError, Unreadable
from connectors.hubspot.crm import HubSpot
from connectors.salesforce.connector import Salesforce
from connectors.sandbox.connector import SandboxConnector
from connectors.transport import rehearse
from installations.operation import EffectClass, Repeat
from installations.record import Change, RecordChange, RecordOutcome
from installations.repetition import Reaction, event_of, react

WRITES: tuple[Repeat, ...] = ("safe", "keyed", "bare")
WAIT: tuple[Reaction, ...] = ("wait",) * 3
PARK: tuple[Reaction, ...] = ("park",) * 3
FAIL: tuple[Reaction, ...] = ("fail",) * 3
UNCLEAR: tuple[Reaction, ...] = ("retry", "retry", "reconcile")


def reactions(error: ConnectorError) -> tuple[Reaction, ...]:
    """What is done about a write that came to this, at its first attempt: safe, keyed, bare."""
    effect: EffectClass = "ambiguous" if isinstance(error, Ambiguous) else "rejected"
    if isinstance(error, Unreadable):
        effect = "done"
    record = RecordOutcome(success=effect == "done", fault=error.fault)
    return tuple(react(event_of(record, effect=effect), repeat) for repeat in WRITES)


STATUSES: list[tuple[tuple[int, ...], tuple[Reaction, ...]]] = [
    ((429, 423), WAIT),
    ((401,), PARK),
    ((400, 402, 403, 404, 405, 406, 410, 413, 414, 415, 422, 451, 501), FAIL),
    ((408, 425, 500, 502, 503, 504, 507, 520, 599), UNCLEAR),
    ((418, 499, 305, 600), UNCLEAR),
    ((300, 301, 302, 303, 304, 307, 308), FAIL),
]


@pytest.mark.parametrize(("statuses", "done"), STATUSES, ids=lambda row: str(row[0]))
def test_a_status_leads_to_its_row(statuses: tuple[int, ...], done: tuple[Reaction, ...]) -> None:
    assert {status: reactions(failure(httpx.Response(status))) for status in statuses} == dict.fromkeys(statuses, done)


@pytest.mark.parametrize("status", [409, 412])
def test_a_conflict_is_looked_into_where_the_write_may_have_been_ours(status: int) -> None:
    first, _, bare = reactions(failure(httpx.Response(status)))
    assert (first, bare) == ("compare", "fail")


def salesforce(status: int, code: str) -> httpx.Response:
    return httpx.Response(status, json=[{"errorCode": code, "message": "said"}])


PROVIDERS: dict[str, tuple[Any, httpx.Response, tuple[Reaction, ...], float | None]] = {
    "hubspot, locked": (HubSpot(), httpx.Response(423, json={}), WAIT, 2.0),
    "hubspot, moving": (HubSpot(), httpx.Response(477, headers={"Retry-After": "3600"}), WAIT, 3600.0),
    "hubspot, its ten seconds": (
        *(HubSpot(), httpx.Response(429, json={"policyName": "TEN_SECONDLY_ROLLING"})),
        *(WAIT, 10.0),
    ),
    "hubspot, a time-out": (HubSpot(), httpx.Response(504), UNCLEAR, None),
    "salesforce, a row lock": (Salesforce(), salesforce(400, "UNABLE_TO_LOCK_ROW"), WAIT, None),
    "salesforce, the day's limit": (Salesforce(), salesforce(403, "REQUEST_LIMIT_EXCEEDED"), WAIT, None),
    "salesforce, a missing right": (Salesforce(), salesforce(403, "INSUFFICIENT_ACCESS"), FAIL, None),
    "salesforce, a server away": (Salesforce(), salesforce(503, "SERVER_UNAVAILABLE"), UNCLEAR, None),
    "sandbox, not processed": (
        *(SandboxConnector(), httpx.Response(503, json={"code": "not_processed"}, headers={"Retry-After": "7"})),
        *(WAIT, 7.0),
    ),
    "sandbox, unavailable": (SandboxConnector(), httpx.Response(503, json={"code": "unavailable"}), UNCLEAR, None),
    "sandbox, another record with the key": (
        *(SandboxConnector(), httpx.Response(422, json={"code": "idempotency_conflict"})),
        *(FAIL, None),
    ),
}


@pytest.mark.parametrize(("connector", "answer", "done", "wait"), PROVIDERS.values(), ids=PROVIDERS)
def test_a_provider_s_own_words_lead_to_their_row(
    connector: Any, answer: httpx.Response, done: tuple[Reaction, ...], wait: float | None
) -> None:
    change = Change(action="create", object_name="Account", records=(RecordChange(fields={"Name": "Acme"}),))
    _, error = rehearse(connector.write(Account(base_url="https://p.test"), change), answer)
    assert isinstance(error, ConnectorError)
    assert (reactions(error), error.fault.retry_after_seconds) == (done, wait)


@pytest.mark.parametrize(
    "connector", [HubSpot(), Salesforce(), SandboxConnector()], ids=lambda each: type(each).__name__
)
def test_a_success_that_cannot_be_read_is_a_success_and_never_sent_again(connector: Any) -> None:
    change = Change(action="create", object_name="Account", records=(RecordChange(fields={"Name": "Acme"}),))
    _, error = rehearse(connector.write(Account(base_url="https://p.test"), change), httpx.Response(201, text="<p>"))
    assert isinstance(error, Unreadable)
    assert reactions(error) == ("succeed",) * 3
