"""What becomes of asynchronous writes at the provider: one visit at a time, memory store, memory provider."""

from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest

from connectors.connector import Recognition
from connectors.memory.connector import Memory
from connectors.memory.server import MemoryServer
from installations.operation import Operation
from installations.record import WriteRequest
from server.delivering.payloads import stored_outcome
from server.delivering.settlements import release
from server.store.contract import OperationFilter
from tests.server.delivering.yard import PROJECT, START, Yard, open_yard

RECOGNITIONS = {
    "keyed": Recognition(kind="key", window_seconds=600),
    "unique": Recognition(kind="unique", field="key"),
    "marked": Recognition(kind="marker", field="mark", exact=True),
    "lagging": Recognition(kind="marker", field="mark"),
}
LOST = httpx.ReadError("the answer was lost")
AWAY = httpx.ConnectError("nobody there")


async def a_yard(provider: httpx.AsyncBaseTransport, **rest: Any) -> Yard:
    return await open_yard(provider, connectors=(Memory(RECOGNITIONS),), **rest)


async def test_what_is_accepted_is_carried_out_later() -> None:
    provider = MemoryServer()
    yard = await a_yard(provider)
    submitted = await yard.submit("create", {"a": 1})
    assert (submitted.outcome, submitted.operation.state, provider.requests) == (None, "queued", [])
    await yard.attend()
    operation = await yard.operation(submitted.operation.id)
    assert (operation.state, operation.attempts, operation.successful_record_ids) == ("success", 1, ("1",))
    assert provider.records["people"] == {"1": {"a": 1}}
    (attempt,) = await yard.attempts(operation.id)
    assert (attempt.number, attempt.effect) == (1, "done")


REACTIONS: list[tuple[str, str, str, httpx.Response | Exception, str, str]] = [
    # what is done, to which kind of object, what meets it, where it goes, why
    ("update", "people", "409", httpx.Response(409), "failure", "refused"),
    ("create", "people", "400", httpx.Response(400), "failure", "refused"),
    ("create", "people", "404", httpx.Response(404), "failure", "refused"),
    ("create", "people", "409", httpx.Response(409), "failure", "refused"),
    ("create", "people", "429", httpx.Response(429), "queued", ""),
    ("create", "people", "503", httpx.Response(503), "unknown", "ambiguous"),
    ("create", "people", "lost", LOST, "unknown", "ambiguous"),
    ("create", "people", "unreadable", httpx.Response(201, content=b"{"), "success", ""),
    ("create", "people", "202", httpx.Response(202, json={"id": "job"}), "unknown", "ambiguous"),
    ("create", "keyed", "202", httpx.Response(202), "unknown", "ambiguous"),
    ("create", "marked", "202", httpx.Response(202), "unknown", "ambiguous"),
    ("update", "people", "accepted", httpx.Response(202, json={"id": "7"}), "success", ""),
    ("update", "people", "accepted, no body", httpx.Response(202), "success", ""),
    ("create", "people", "401", httpx.Response(401), "parked", "auth"),
    ("create", "keyed", "503", httpx.Response(503), "queued", ""),
    ("create", "keyed", "lost", LOST, "queued", ""),
    ("create", "unique", "lost", LOST, "queued", ""),
    ("create", "marked", "lost", LOST, "unknown", "ambiguous"),
    ("update", "people", "lost", LOST, "queued", ""),
    ("update", "people", "500", httpx.Response(500), "queued", ""),
]


@pytest.mark.parametrize(
    ("action", "name", "what", "answer", "state", "reason"),
    REACTIONS,
    ids=[f"{a} {n} {w}" for a, n, w, *_ in REACTIONS],
)
async def test_what_meets_a_write_decides_where_it_goes(  # noqa: PLR0917 -- a row of the table
    action: str, name: str, what: str, answer: Any, state: str, reason: str
) -> None:
    assert what
    provider = MemoryServer()
    provider.records[name] = {"7": {"key": "other"}}
    yard = await a_yard(provider)
    record = {"key": "k", "a": 1} if action == "create" else {"id": "7", "a": 1}
    submitted = await yard.submit(action, record, name=name)
    provider.answer_next(answer)
    await yard.attend()
    operation = await yard.operation(submitted.operation.id)
    assert (operation.state, operation.reason) == (state, reason)
    assert operation.doubtful is (what in {"lost", "503", "500", "202"})
    assert len(await yard.attempts(operation.id)) == 1


async def test_what_could_not_be_sent_is_sent_again_however_often_it_would_be_done() -> None:
    provider = MemoryServer()
    yard = await a_yard(Refusing(provider))
    submitted = await yard.submit("create", {"a": 1})
    await yard.attend()
    operation = await yard.operation(submitted.operation.id)
    assert (operation.state, operation.fault_kind, operation.doubtful) == ("queued", "not_sent", False)
    yard.clock.move(seconds=2)
    await yard.attend()
    assert (await yard.operation(operation.id)).state == "success"
    assert len(provider.records["people"]) == 1


class Refusing(httpx.AsyncBaseTransport):
    """Refuses the first three connections, which is one attempt; nothing has left."""

    def __init__(self, inner: MemoryServer) -> None:
        self.inner, self.left = inner, 3

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.left:
            self.left -= 1
            request.extensions["isthmus.departure"].vouch()
            raise AWAY
        return await self.inner.handle_async_request(request)


async def test_a_repeated_create_has_the_key_it_had_before() -> None:
    provider = MemoryServer()
    yard = await a_yard(provider)
    submitted = await yard.submit("create", {"a": 1}, name="keyed")
    provider.answer_next(httpx.Response(503))
    await yard.attend()
    yard.clock.move(seconds=5)
    await yard.attend()
    assert (await yard.operation(submitted.operation.id)).state == "success"
    keys = [request.headers["idempotency-key"] for request in provider.requests]
    assert keys == [submitted.operation.id] * 2


async def test_past_the_window_of_its_key_a_doubtful_create_is_never_sent_again() -> None:
    provider = MemoryServer()
    yard = await a_yard(provider)
    submitted = await yard.submit("create", {"a": 1}, name="keyed")
    provider.answer_next(httpx.Response(503))
    await yard.attend()
    yard.clock.move(seconds=541)
    await yard.attend()
    operation = await yard.operation(submitted.operation.id)
    assert (operation.state, operation.reason, len(provider.requests)) == ("unknown", "window", 1)


async def test_a_conflict_with_our_own_earlier_create_is_a_success() -> None:
    provider = MemoryServer(unique={"unique": "key"})
    yard = await a_yard(provider)
    submitted = await yard.submit("create", {"key": "k", "a": 1}, name="unique")
    provider.records["unique"] = {"41": {"key": "k", "a": 1}}
    provider.answer_next(LOST)
    await yard.attend()
    yard.clock.move(seconds=5)
    await yard.attend()
    operation = await yard.operation(submitted.operation.id)
    assert (operation.state, operation.successful_record_ids) == ("success", ("41",))
    assert len(provider.records["unique"]) == 1


async def test_a_conflict_that_cannot_be_looked_into_now_is_run_into_again() -> None:
    provider = MemoryServer(unique={"unique": "key"})
    yard = await a_yard(provider)
    submitted = await yard.submit("create", {"key": "k", "a": 1}, name="unique")
    provider.records["unique"] = {"41": {"key": "k", "a": 1}}
    provider.answer_next(LOST)
    await yard.attend()
    provider.answer_next(httpx.Response(409), httpx.Response(503))
    yard.clock.move(seconds=5)
    await yard.attend()
    assert (await yard.operation(submitted.operation.id)).state == "queued"
    yard.clock.move(seconds=5)
    await yard.attend()
    operation = await yard.operation(submitted.operation.id)
    assert (operation.state, operation.successful_record_ids) == ("success", ("41",))


async def test_a_conflict_with_somebody_elses_record_is_a_failure() -> None:
    provider = MemoryServer(unique={"unique": "key"})
    yard = await a_yard(provider)
    submitted = await yard.submit("create", {"key": "k", "a": 1}, name="unique")
    provider.records["unique"] = {"41": {"key": "k", "a": "not ours"}}
    provider.answer_next(LOST)
    await yard.attend()
    yard.clock.move(seconds=5)
    await yard.attend()
    operation = await yard.operation(submitted.operation.id)
    assert (operation.fault_kind, operation.successful_record_ids) == ("conflict", ())
    assert operation.state != "success"


async def test_an_update_in_conflict_has_succeeded_where_the_record_is_as_wanted() -> None:
    provider = MemoryServer()
    provider.records["people"] = {"7": {"a": 1}}
    yard = await a_yard(provider)
    submitted = await yard.submit("update", {"id": "7", "a": 1})
    provider.answer_next(httpx.Response(409))
    await yard.attend()
    operation = await yard.operation(submitted.operation.id)
    assert (operation.state, operation.successful_record_ids) == ("success", ("7",))


async def test_an_update_in_conflict_is_sent_again_where_the_record_cannot_be_read_now() -> None:
    provider = MemoryServer()
    provider.records["people"] = {"7": {"a": 0}}
    yard = await a_yard(provider)
    submitted = await yard.submit("update", {"id": "7", "a": 1})
    provider.answer_next(httpx.Response(409), httpx.Response(503))
    await yard.attend()
    yard.clock.move(seconds=5)
    await yard.attend()
    operation = await yard.operation(submitted.operation.id)
    assert (operation.state, provider.records["people"]["7"]) == ("success", {"a": 1})


LOOKS: list[tuple[str, bool, list[str], str, str]] = [
    # the object, whether it was written, the states after each look-up, why it ends so
    ("marked", True, ["success"], "found", "1"),
    ("marked", False, ["unknown", "unknown", "queued"], "", ""),
    ("lagging", True, ["success"], "found", "1"),
    ("lagging", False, ["unknown", "unknown", "unknown"], "ambiguous", ""),
]


@pytest.mark.parametrize(("name", "written", "states", "reason", "record_id"), LOOKS)
async def test_a_marked_create_in_doubt_is_looked_up(
    name: str, *, written: bool, states: list[str], reason: str, record_id: str
) -> None:
    provider = MemoryServer()
    yard = await a_yard(provider)
    submitted = await yard.submit("create", {"a": 1}, name=name)
    provider.answer_next(LOST)
    await yard.attend()
    if written:
        provider.records[name] = {"1": {"a": 1, "mark": submitted.operation.id}}
    seen = []
    for seconds in (59, 2, 300, 1800)[: len(states) + 1]:
        yard.clock.move(seconds=seconds)
        await yard.attend()
        seen.append((await yard.operation(submitted.operation.id)).state)
    # Nothing is asked before the time has come, and what was proved absent is sent at once.
    expected = ["unknown", *("success" if state == "queued" else state for state in states)]
    operation = await yard.operation(submitted.operation.id)
    assert (seen, operation.reason if reason else "") == (expected, reason)
    assert (operation.successful_record_ids[:1] or ("",))[0] == (record_id or ("1" if name == "marked" else ""))
    assert len(provider.records.get(name, {})) == (1 if written or name == "marked" else 0)
    # The question is told once, however often nothing is found, and then the end of it.
    over = [] if states[-1] == "unknown" else ["write.async.done"]
    assert [event.type for event in await yard.store.events(PROJECT)] == ["write.async.unknown", *over]


async def test_of_a_batch_only_what_is_unsettled_is_sent_again() -> None:
    provider = MemoryServer()
    yard = await a_yard(provider)
    batch = [{"record": {"n": number}} for number in range(4)]
    submitted = await yard.submit("create", batch=batch)
    results = [
        {"status": 201, "body": {"id": "a", "n": 0}},
        {"status": 429, "body": {}},
        {"status": 400, "body": {}},
        {"status": 503, "body": {}},
    ]
    provider.answer_next(httpx.Response(200, json={"results": results}))
    await yard.attend()
    assert (await yard.operation(submitted.operation.id)).state == "queued"
    yard.clock.move(seconds=5)
    await yard.attend()
    sent = [[record["n"] for record in msgspec.json.decode(each.content)["records"]] for each in provider.requests]
    assert sent == [[0, 1, 2, 3], [1]]
    operation = await yard.operation(submitted.operation.id)
    outcome = stored_outcome(operation)
    assert outcome is not None
    assert [record.success for record in outcome.records] == [True, True, False, False]
    # Nobody knows of the fourth, and it is a create.
    assert (operation.state, operation.reason) == ("unknown", "ambiguous")
    (event,) = await yard.store.events(PROJECT)
    told = msgspec.json.decode(event.data)
    assert (event.type, told["operationId"], told["reason"]) == ("write.async.unknown", operation.id, "ambiguous")
    assert (told["success"], len(told["successfulRecordIds"]), len(told["errors"])) == (False, 2, 2)


async def test_writes_to_one_record_are_made_in_the_order_of_their_acceptance() -> None:
    provider = MemoryServer()
    provider.records["people"] = {"7": {"a": 0}, "8": {}}
    yard = await a_yard(provider)
    first = await yard.submit("update", {"id": "7", "a": 1})
    second = await yard.submit("update", {"id": "7", "a": 2})
    other = await yard.submit("update", {"id": "8", "a": 3})
    provider.answer_next(httpx.Response(200, json={"results": [{"status": 503}, {"status": 200, "body": {"id": "8"}}]}))
    await yard.attend()
    states = [(await yard.operation(each.operation.id)).state for each in (first, second, other)]
    assert states == ["queued", "queued", "success"]
    for _ in range(3):
        yard.clock.move(seconds=5)
        await yard.attend()
    assert provider.records["people"]["7"]["a"] == 2
    states = [(await yard.operation(each.operation.id)).state for each in (first, second)]
    assert states == ["success", "success"]


async def all_of(yard: Yard) -> list[Operation]:
    page = await yard.store.operations(PROJECT, OperationFilter(), page_size=1000)
    return list(page.results)


async def test_equal_writes_that_are_ready_together_are_one_call() -> None:
    provider = MemoryServer()
    yard = await a_yard(provider)
    for number in range(30):
        await yard.submit("create", {"n": number})
    await yard.submit("create", {"n": 99}, headers=[{"key": "x-other", "value": "1"}])
    await yard.attend()
    assert sorted(request.url.path for request in provider.requests) == ["/v1/people", "/v1/people/:createBatch"]
    operations = await all_of(yard)
    assert {each.state for each in operations} == {"success"}
    assert len({each.successful_record_ids for each in operations}) == 31


async def test_a_batch_refused_for_one_records_sake_harms_no_neighbour() -> None:
    provider = MemoryServer()
    yard = await a_yard(provider)
    for number in range(5):
        await yard.submit("create", {"n": number})
    provider.answer_next(httpx.Response(400, json={"message": "the third is bad"}))
    await yard.attend()
    operations = await all_of(yard)
    assert [each.state for each in operations] == ["success"] * 5
    assert {each.attempts for each in operations} == {2}
    assert len(provider.requests) == 6


async def test_an_auto_batch_goes_when_its_first_record_has_waited() -> None:
    provider = MemoryServer()
    yard = await a_yard(provider)
    policy = {"maxDelayMinutes": 2, "retryDeadlineHours": 2}
    ids = set()
    for number in range(3):
        ids.add((await yard.submit("create", {"n": number}, autoBatchPolicy=policy)).operation.id)
        yard.clock.move(seconds=30)
    (operation_id,) = ids
    await yard.attend()
    assert ((await yard.operation(operation_id)).state, provider.requests) == ("queued", [])
    yard.clock.move(seconds=30)
    await yard.attend()
    operation = await yard.operation(operation_id)
    assert (operation.state, operation.summary) == ("success", "Batch write completed (3 succeeded, 0 failed)")
    assert (operation.successful_record_ids, len(provider.requests)) == (("1", "2", "3"), 1)
    assert (operation.deadline_at - START).total_seconds() == 2 * 60 + 2 * 3600


async def test_an_auto_batch_goes_at_a_hundred_and_different_headers_never_share_one() -> None:
    provider = MemoryServer()
    yard = await a_yard(provider)
    policy = {"maxDelayMinutes": 60}
    ids = [(await yard.submit("create", {"n": n}, autoBatchPolicy=policy)).operation.id for n in range(101)]
    other = await yard.submit("create", {"n": 1}, autoBatchPolicy=policy, headers=[{"key": "x-a", "value": "b"}])
    assert (len(set(ids[:100])), len(set(ids)), other.operation.id in ids) == (1, 2, False)
    await yard.attend()
    assert (await yard.operation(ids[0])).state == "success"
    assert len(provider.records["people"]) == 100
    assert {(await yard.operation(each)).state for each in (ids[100], other.operation.id)} == {"queued"}


async def test_two_updates_of_one_record_in_an_auto_batch_keep_their_order() -> None:
    provider = MemoryServer()
    provider.records["people"] = {"7": {"a": 0}}
    yard = await a_yard(provider)
    policy = {"maxDelayMinutes": 1}
    for value in (1, 2):
        made = await yard.submit("update", {"id": "7", "a": value}, autoBatchPolicy=policy)
    yard.clock.move(seconds=61)
    await yard.attend()
    assert (await yard.operation(made.operation.id)).state == "success"
    sent = [msgspec.json.decode(each.content)["records"] for each in provider.requests]
    assert sent == [[{"a": 1, "id": "7"}], [{"a": 2, "id": "7"}]]
    assert provider.records["people"]["7"]["a"] == 2


async def test_what_was_claimed_and_given_back_has_failed_at_nothing() -> None:
    provider = MemoryServer()
    yard = await a_yard(provider)
    submitted = await yard.submit("update", {"id": "7", "a": 1})
    for _ in range(10):
        await yard.store.take_lane("c-g1", owner="w1", now=yard.clock(), dead_after_seconds=15)
        (claimed,) = await yard.store.claim("c-g1", owner="w1", now=yard.clock(), calls=1, batch=1)
        assert await yard.store.settle_all([release(claimed, now=yard.clock())]) == [True]
    provider.answer_next(httpx.Response(503))
    await yard.attend()
    operation = await yard.operation(submitted.operation.id)
    # After a first failure it is tried again in a second, however often it was claimed.
    assert (operation.attempts, operation.state, operation.run_at - yard.clock()) == (
        11,
        "queued",
        timedelta(seconds=1),
    )


async def test_past_its_deadline_nothing_is_sent() -> None:
    provider = MemoryServer()
    yard = await a_yard(provider)
    submitted = await yard.submit("create", {"a": 1}, retryPolicy={"deadlineHours": 2})
    yard.clock.move(hours=2)
    await yard.services.rounds.expire()
    await yard.attend()
    operation = await yard.operation(submitted.operation.id)
    assert (operation.state, operation.reason, provider.requests) == ("failure", "deadline", [])


async def test_what_has_no_installation_any_more_fails() -> None:
    provider = MemoryServer()
    yard = await a_yard(provider)
    submitted = await yard.submit("create", {"a": 1})
    await yard.store.delete_installation(PROJECT, "i-g1")
    yard.services.changes.announce()
    await yard.attend()
    operation = await yard.operation(submitted.operation.id)
    assert (operation.state, operation.reason, provider.requests) == ("failure", "gone", [])


async def test_a_thousand_equal_writes_are_as_few_calls_as_the_provider_takes() -> None:
    provider = MemoryServer()
    yard = await a_yard(provider)
    for number in range(1000):
        await yard.submit("create", {"n": number})
    await yard.attend()
    # The memory provider takes 50 at once.
    assert (len(provider.requests), len(provider.records["people"])) == (20, 1000)
    assert {each.state for each in await all_of(yard)} == {"success"}


async def test_a_synchronous_create_in_doubt_is_looked_up_as_an_asynchronous_one_is() -> None:
    provider = MemoryServer()
    yard = await a_yard(provider)
    request = msgspec.convert({"groupRef": "g1", "type": "create", "record": {"a": 1}}, WriteRequest)
    deliveries = yard.services.deliveries
    provider.answer_next(LOST)
    delivered = await deliveries.write(await deliveries.accept(PROJECT, "crm", "marked", request))
    assert delivered.operation.state == "unknown"
    provider.records["marked"] = {"1": {"a": 1, "mark": delivered.operation.id}}
    yard.clock.move(seconds=61)
    await yard.attend()
    operation = await yard.operation(delivered.operation.id)
    assert (operation.state, operation.reason, operation.successful_record_ids) == ("success", "found", ("1",))


async def test_what_ends_is_told_in_the_same_move() -> None:
    provider = MemoryServer()
    yard = await a_yard(provider)
    submitted = await yard.submit("create", {"a": 1})
    await yard.attend()
    (event,) = await yard.store.events(PROJECT)
    told = msgspec.json.decode(event.data)
    assert (event.type, told["operationId"], told["success"]) == ("write.async.done", submitted.operation.id, True)
    assert (told["integrationName"], told["groupRef"], told["successfulRecordIds"]) == ("crm", "g1", ["1"])
