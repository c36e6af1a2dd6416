"""A provider on loopback that answers 202 to writes: what it has taken, and what nobody has seen done."""

import ipaddress
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from connectors.accepted import LATER, heard
from connectors.connector import Account, Flow
from connectors.dispatch import send
from connectors.errors import Ambiguous, NotSent
from connectors.gateway import Gateway
from connectors.provider import Provider, Support
from connectors.rest import RestConnector, RestObject
from connectors.transport import perform, rehearse
from installations.record import Action, Change, Fault, Outcome, RecordChange, RecordOutcome
from tests.connectors import faults

PROVIDER = Provider(
    name="later",
    display_name="Later CRM",
    auth_type="none",
    base_url="https://later.test",
    support=Support(write=True, delete=True),
)
CONNECTOR = RestConnector(provider=PROVIDER, objects={"person": RestObject(path="people")}, probe_path="me")


async def accepting(request: bytes) -> bytes:
    """Take everything, and name a job for it."""
    body = b"" if request.startswith(b"DELETE") else json.dumps({"id": "job-1"}).encode()
    return faults.http(202, body, "Retry-After: 30")


@pytest.fixture
async def account() -> AsyncIterator[Account]:
    async with faults.serving(faults.computes(accepting)) as server:
        yield Account(base_url=server.url)


def change(action: Action, *ids: str | None, batch: bool = False) -> Change:
    records = tuple(RecordChange(id=key, fields={"name": "Ada"}) for key in ids)
    return Change(action=action, object_name="person", records=records, batch=batch)


async def run(account: Account, asked: Change) -> Outcome:
    transport = Gateway(allowed_networks=[ipaddress.ip_network("127.0.0.0/8")]).transport()
    flow = send(CONNECTOR, account, asked)
    try:
        return await perform(flow, transport=transport, auth=httpx.Auth(), origin=account.base_url)
    finally:
        await transport.aclose()


async def test_a_create_that_was_only_accepted_is_open_and_its_job_is_no_record(account: Account) -> None:
    with pytest.raises(Ambiguous) as caught:
        await run(account, change("create", None))
    fault = caught.value.fault
    assert (fault.kind, fault.status, fault.message, fault.retry_after_seconds) == ("ambiguous", 202, LATER, None)


@pytest.mark.parametrize("action", ["update", "delete"])
async def test_what_would_only_set_the_same_again_is_done_with_a_warning(account: Account, action: Action) -> None:
    outcome = await run(account, change(action, "7"))
    assert [record.success for record in outcome.records] == [True]
    assert outcome.warnings == (LATER,)


async def test_each_record_of_a_batch_is_heard_and_none_stops_the_series(account: Account) -> None:
    outcome = await run(account, change("create", None, None, batch=True))
    assert [(record.success, record.fault and record.fault.status) for record in outcome.records] == [(False, 202)] * 2


def polling(*, reads: bool) -> Flow[Outcome]:
    taken = yield httpx.Request("POST", "https://later.test/people")
    assert taken.status_code == 202
    done = yield httpx.Request("GET" if reads else "POST", "https://later.test/jobs/1")
    return Outcome(records=(RecordOutcome(success=True, record_id=done.json()["id"]),))


@pytest.mark.parametrize(("reads", "status"), [(True, 200), (True, 202), (False, 200)])
def test_who_asks_for_the_job_has_the_last_word(reads: bool, status: int) -> None:  # noqa: FBT001 -- a table
    done = httpx.Response(status, json={"id": "7"})
    _, outcome = rehearse(heard(polling(reads=reads), change("create", None)), httpx.Response(202), done)
    assert outcome.records[0].record_id == "7"


def test_what_cannot_be_sent_is_told_as_ever() -> None:
    error = NotSent(Fault(kind="not_sent", message="nobody there"))
    _, came = rehearse(heard(polling(reads=True), change("create", None)), httpx.Response(202), error)
    assert came is error


def test_an_upsert_that_was_only_accepted_has_no_outcome_of_its_own() -> None:
    def flow() -> Flow[Any]:
        yield httpx.Request("PUT", "https://later.test/people")
        return Outcome(records=(RecordOutcome(success=True, record_id="job-1"),))

    _, came = rehearse(heard(flow(), change("upsert", None)), httpx.Response(202))
    assert isinstance(came, Ambiguous)
