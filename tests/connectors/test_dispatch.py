"""Which capability serves a change: connectors with less and less, and the requests that come of it."""

from typing import Any

import httpx
import pytest

from connectors.connector import Account, Connector, Flow
from connectors.dispatch import Need, missing_capability, send
from connectors.errors import Ambiguous, Refused
from connectors.memory.connector import BATCH_LIMIT, MEMORY, Memory
from connectors.memory.server import MemoryServer
from connectors.provider import Provider
from connectors.transport import perform
from installations.record import Action, Change, Outcome, RecordChange

ACCOUNT = Account(base_url=MEMORY.base_url)


class Bare:
    """A connector that can do nothing."""

    @property
    def provider(self) -> Provider:
        return MEMORY


class Single(Bare):
    """Writes one record at a time."""

    def write(self, account: Account, change: Change) -> Flow[Outcome]:
        return Memory().write(account, change)


class Looking(Single):
    """Writes one record at a time, and looks them up."""

    def find(self, account: Account, object_name: str, **rest: Any) -> Flow[dict[str, Any]]:
        return Memory().find(account, object_name, **rest)


def need(action: Action, **members: Any) -> Need:
    common: dict[str, Any] = {"object_name": "people", "batch": False, "all_or_none": False, "current": False}
    return Need(**{**common, "action": action, **members})


LACKS: list[tuple[Connector, Need, str]] = [
    (Memory(), need("create", batch=True, all_or_none=True), ""),
    (Memory(), need("upsert", match_field="key", current=True), ""),
    (Memory(), need("delete"), ""),
    (Single(), need("create", batch=True), ""),
    (Looking(), need("upsert", match_field="key"), ""),
    (Looking(), need("upsert", match_field="key", current=True), ""),
    (Bare(), need("create"), "does not support create"),
    (Bare(), need("update"), "does not support update"),
    (Single(), need("delete"), "does not support delete"),
    (Single(), need("upsert", match_field="key"), "does not support upsert"),
    (Single(), need("create", batch=True, all_or_none=True), "has no batches"),
    (Looking(), need("upsert", batch=True, all_or_none=True, match_field="key"), "cannot upsert a batch as a whole"),
    (Looking(), need("update", current=True), "cannot read records"),
]


@pytest.mark.parametrize(("connector", "asked", "said"), LACKS)
def test_what_no_flow_can_stand_in_for_is_said_beforehand(connector: Connector, asked: Need, said: str) -> None:
    lack = missing_capability(connector, asked)
    assert (lack or "").startswith(f"{MEMORY.display_name} {said}" if said else "")
    assert bool(lack) is bool(said)


def change(action: Action, *records: RecordChange, batch: bool = True, **members: Any) -> Change:
    return Change(action=action, object_name="people", records=records, batch=batch, **members)


def creates(count: int) -> tuple[RecordChange, ...]:
    return tuple(RecordChange(fields={"n": number}) for number in range(count))


async def run(connector: Connector, server: MemoryServer, asked: Change) -> Outcome:
    flow = send(connector, ACCOUNT, asked)
    outcome: Outcome = await perform(flow, transport=server, auth=httpx.Auth(), origin=ACCOUNT.base_url)
    assert len(outcome.records) == len(asked.records)
    return outcome


def told(outcome: Outcome) -> list[str]:
    return [each.fault.kind if each.fault else "done" for each in outcome.records]


async def test_a_batch_goes_out_in_pieces_the_provider_takes() -> None:
    server = MemoryServer()
    outcome = await run(Memory(), server, change("create", *creates(2 * BATCH_LIMIT + 1)))
    assert told(outcome) == ["done"] * (2 * BATCH_LIMIT + 1)
    assert [each.record_id for each in outcome.records] == [str(n + 1) for n in range(2 * BATCH_LIMIT + 1)]
    assert len(server.requests) == 3


async def test_a_piece_that_fails_is_told_record_by_record_and_the_first_as_a_whole() -> None:
    server = MemoryServer()
    server.answer_next(httpx.Response(429))
    with pytest.raises(Refused):
        await run(Memory(), server, change("create", *creates(BATCH_LIMIT + 1)))


async def test_without_batches_records_go_one_by_one_and_a_refused_one_holds_up_no_other() -> None:
    server = MemoryServer()
    server.records["people"] = {"1": {"id": "1"}, "3": {"id": "3"}}
    records = [RecordChange(id=each, fields={"n": 1}) for each in ("1", "2", "3")]
    assert told(await run(Single(), server, change("update", *records))) == ["done", "not_found", "done"]


@pytest.mark.parametrize(("answer", "kind"), [(httpx.Response(429), "rate_limited"), (httpx.Response(401), "auth")])
async def test_what_would_meet_the_next_record_too_ends_the_series(answer: httpx.Response, kind: str) -> None:
    server = MemoryServer()
    server.answer_next(httpx.Response(201, json={"id": "1"}), answer)
    outcome = await run(Single(), server, change("create", *creates(4)))
    assert told(outcome) == ["done", kind, "not_sent", "not_sent"]
    assert len(server.requests) == 2


async def test_a_lost_answer_ends_the_series_and_stays_ambiguous() -> None:
    server = MemoryServer()
    server.answer_next(httpx.Response(201, json={"id": "1"}), httpx.ReadError("gone"))
    assert told(await run(Single(), server, change("create", *creates(3)))) == ["done", "ambiguous", "not_sent"]
    server.answer_next(httpx.ReadError("gone"))
    with pytest.raises(Ambiguous):
        await run(Single(), server, change("create", *creates(1), batch=False))


async def test_an_answer_that_cannot_be_read_is_a_record_that_is_written() -> None:
    server = MemoryServer()
    server.answer_next(httpx.Response(201, content=b"{"))
    outcome = await run(Single(), server, change("create", *creates(2)))
    assert [each.success for each in outcome.records] == [True, True]
    assert told(outcome)[0] == "unrecognised"


async def test_an_update_of_nothing_is_done_without_asking() -> None:
    server = MemoryServer()
    server.records["people"] = {"1": {"id": "1"}, "2": {"id": "2"}}
    empty, full = RecordChange(id="1", fields={}), RecordChange(id="2", fields={"n": 1})
    outcome = await run(Memory(), server, change("update", empty, full))
    assert [(each.success, each.record_id) for each in outcome.records] == [(True, "1"), (True, "2")]
    assert len(server.requests) == 1
    outcome = await run(Memory(), server, change("update", empty, batch=False))
    assert (told(outcome), len(server.requests)) == (["done"], 1)
    assert outcome.warnings
