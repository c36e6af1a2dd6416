import asyncio

import pytest
from msgspec.structs import replace

from installations.operation import FINAL, State
from server.store.contract import Missing, OperationFilter, Store, Superseded
from tests.server.store.samples import NOW, attempt, idempotency, later, operation, settlement, unplaced


async def test_an_operation_comes_back_as_it_was_stored(store: Store) -> None:
    begun = operation("o9", outcome=b"x", successful_record_ids=("a", "b"), fault_kind="auth", record_key="contact/1")
    assert await store.begin(begun) is None
    assert unplaced(await store.operation("p1", "o9")) == begun


async def test_settling_stores_outcome_and_attempt(store: Store) -> None:
    await store.settle(settlement(attempt=attempt()))
    found = await store.operation("p1", "o1")
    assert unplaced(found) == replace(
        operation(),
        state="success",
        outcome=b'{"records":["SECRET"]}',
        summary="1 record created",
        successful_record_ids=("501",),
        attempts=1,
        update_time=later(1),
    )
    assert await store.attempts("p1", "o1") == [attempt()]


async def test_the_providers_words_never_keep_a_settlement_from_being_stored(store: Store) -> None:
    words = "odd \0 words \ud800 indeed"
    said = replace(attempt(), message=words, status=2**63)
    await store.settle(settlement(summary=words, successful_record_ids=(words, "7"), attempt=said))
    found = await store.operation("p1", "o1")
    assert found.summary.startswith("odd ")
    assert (found.successful_record_ids[0][:4], found.successful_record_ids[1]) == ("odd ", "7")
    assert (await store.attempts("p1", "o1"))[0].message.endswith(" indeed")


async def test_attempts_are_listed_first_to_last(store: Store) -> None:
    for number in (1, 2, 3):
        await store.settle(settlement(to_state="sent", attempt=attempt(number=number)))
    assert [one.number for one in await store.attempts("p1", "o1")] == [1, 2, 3]
    assert (await store.operation("p1", "o1")).attempts == 3


@pytest.mark.parametrize(
    "change",
    [{"from_state": "claimed"}, {"owner": "another"}, {"operation_id": "nothing"}, {"project_id": "p2"}],
    ids=["another state", "another owner", "an unknown operation", "another tenant"],
)
async def test_a_guarded_move_is_refused_by(store: Store, change: dict[str, str]) -> None:
    with pytest.raises(Superseded):
        await store.settle(replace(settlement(attempt=attempt()), **change))
    assert unplaced(await store.operation("p1", "o1")) == operation()
    assert await store.attempts("p1", "o1") == []


async def test_of_racing_settlements_one_wins(store: Store) -> None:
    async def settle(number: int) -> bool:
        try:
            await store.settle(settlement(summary=f"{number}", attempt=attempt(number=number)))
        except Superseded:
            return False
        return True

    wins = await asyncio.gather(*(settle(number) for number in range(1, 21)))
    assert sum(wins) == 1
    winner = wins.index(True) + 1
    assert (await store.operation("p1", "o1")).summary == f"{winner}"
    assert [one.number for one in await store.attempts("p1", "o1")] == [winner]


@pytest.mark.parametrize("state", ["queued", "parked", "unknown"])
async def test_what_nobody_holds_is_free_to_take_once(store: Store, state: State) -> None:
    await store.settle(settlement(to_state=state, run_at=later(60)))
    free = await store.operation("p1", "o1")
    assert (free.state, free.owner, free.run_at) == (state, "", later(60))
    await store.settle(settlement(from_state=state, to_state="claimed", owner="you"))
    taken = await store.operation("p1", "o1")
    assert (taken.state, taken.owner, taken.run_at) == ("claimed", "you", later(60))
    with pytest.raises(Superseded):
        await store.settle(settlement(from_state="claimed", owner="me"))


async def test_an_equal_key_answers_the_first_operation_and_stores_nothing(store: Store) -> None:
    assert await store.begin(operation("o8"), idempotency=idempotency()) is None
    earlier = await store.begin(operation("o9"), idempotency=idempotency(fingerprint=b"other"))
    assert earlier is not None
    assert unplaced(earlier.operation) == operation("o8")
    assert earlier.fingerprint == b"f" * 32
    with pytest.raises(Missing):
        await store.operation("p1", "o9")


async def test_who_has_a_key_is_told_without_taking_it(store: Store) -> None:
    key = idempotency(expire_time=later(10))
    assert await store.earlier("p1", key, now=later(1)) is None
    assert await store.begin(operation("o8"), idempotency=key) is None
    held = await store.earlier("p1", key, now=later(9))
    assert held is not None
    assert (unplaced(held.operation), held.fingerprint) == (operation("o8"), key.fingerprint)
    assert await store.earlier("p1", key, now=later(10)) is None, "an expired key is nobody's"
    assert await store.earlier("p2", key, now=later(1)) is None, "another project's key is another key"


async def test_a_key_serves_once_for_each_route_and_project(store: Store) -> None:
    assert await store.begin(operation("o7"), idempotency=idempotency()) is None
    assert await store.begin(operation("o8"), idempotency=idempotency(route="/objects/deal")) is None
    assert await store.begin(operation("o9", number=2), idempotency=idempotency()) is None


async def test_an_expired_key_is_free_again(store: Store) -> None:
    await store.begin(operation("o7"), idempotency=idempotency(expire_time=later(10)))
    assert await store.begin(operation("o8", create_time=later(9)), idempotency=idempotency()) is not None
    assert await store.begin(operation("o9", create_time=later(10)), idempotency=idempotency()) is None
    earlier = await store.begin(operation("o10", create_time=later(11)), idempotency=idempotency())
    assert earlier is not None
    assert earlier.operation.id == "o9"


async def test_of_fifty_parallel_begins_with_one_key_one_is_stored(store: Store) -> None:
    begins = [store.begin(operation(f"x{number}"), idempotency=idempotency()) for number in range(50)]
    answers = await asyncio.gather(*begins)
    assert answers.count(None) == 1
    first = f"x{answers.index(None)}"
    assert {answer.operation.id for answer in answers if answer} == {first}
    page = await store.operations("p1", OperationFilter(installation_id="n1"), page_size=100)
    assert {one.id for one in page.results} == {"o1", first}


async def test_many_parallel_deliveries_all_arrive(store: Store) -> None:
    async def deliver(number: int) -> None:
        name = f"x{number}"
        key = idempotency(name) if number % 2 else None
        assert await store.begin(operation(name), idempotency=key) is None
        await store.settle(settlement(name, attempt=attempt(name)))

    await asyncio.gather(*(deliver(number) for number in range(450)))
    page = await store.operations("p1", OperationFilter(installation_id="n1"), page_size=1000)
    assert sum(one.state in FINAL for one in page.results) == 450


async def test_operations_are_paged_newest_first(store: Store) -> None:
    for number in range(5):
        await store.begin(operation(f"x{number}", create_time=later(number // 2)))
    seen: list[str] = []
    token = None
    while True:
        page = await store.operations("p1", OperationFilter(installation_id="n1"), page_size=2, page_token=token)
        seen += [one.id for one in page.results]
        token = page.next_page_token
        if token is None:
            break
    assert seen == ["x4", "x3", "x2", "x1", "x0", "o1"]


async def test_a_page_that_never_was_is_missing(store: Store) -> None:
    for token in ("nothing", "o2"):
        with pytest.raises(Missing):
            await store.operations("p1", OperationFilter(installation_id="n1"), page_size=2, page_token=token)


async def test_orphans_are_in_flight_and_their_process_is_dead(store: Store) -> None:
    states: tuple[State, ...] = ("queued", "claimed", "sent", "parked", "success", "failure", "unknown")
    for number, state in enumerate(states):
        await store.begin(operation(f"x-{state}", state=state, owner="dead", create_time=later(number)))
    orphans = await store.orphans(living=["me"], limit=10)
    assert [one.id for one in orphans] == ["x-claimed", "x-sent"]
    assert [one.id for one in await store.orphans(living=["me"], limit=1)] == ["x-claimed"]
    assert len(await store.orphans(living=[], limit=10)) == 4
    assert await store.orphans(living=["me", "dead"], limit=10) == []


async def test_an_unknown_project_is_missing(store: Store) -> None:
    with pytest.raises(Missing):
        await store.begin(replace(operation("x"), project_id="nobody"))


async def test_what_is_over_is_swept(store: Store) -> None:
    await store.begin(operation("o7"), idempotency=idempotency(expire_time=later(10)))
    await store.begin(operation("o8"), idempotency=idempotency("kept"))
    await store.sweep(now=later(700))
    assert await store.begin(operation("o9", create_time=NOW), idempotency=idempotency()) is None
    assert await store.begin(operation("x", create_time=NOW), idempotency=idempotency("kept")) is not None
    with pytest.raises(Missing):
        await store.upload("u1", now=NOW)
