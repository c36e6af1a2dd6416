"""Nothing stays under way for ever while its process lives: neither a mistake of ours nor a database keeps it there."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest

from connectors.connector import Account, Flow, Recognition
from connectors.memory.connector import Memory
from connectors.memory.server import MemoryServer
from installations.operation import Operation
from installations.outlook import Move
from installations.record import Change, Outcome, Record, WriteRequest
from server.delivering.deliveries import Delivered
from server.delivering.looking import Looking
from server.delivering.recovery import Recovery
from server.delivering.rounds import Rounds
from server.delivering.settlements import settlement
from server.delivering.settling import Settling
from server.liveness import living
from server.store.contract import Earlier, IdempotencyKey, OperationFilter, Settlement, Unavailable
from server.store.memory import MemoryStore
from tests.server.delivering.yard import PROJECT, Yard, open_yard


class Mistaken(Memory):
    """Makes a mistake with every answer."""

    def write(self, account: Account, change: Change) -> Flow[Outcome]:
        yield from super().write(account, change)
        raise KeyError("nobody foresaw this")


class Misread(Memory):
    """Makes a mistake whenever a record is read."""

    def fetch(
        self, account: Account, object_name: str, *, ids: Sequence[str], fields: Sequence[str]
    ) -> Flow[dict[str, Record]]:
        yield from super().fetch(account, object_name, ids=ids, fields=fields)
        raise KeyError("nobody foresaw this")


async def write(yard: Yard, action: str = "create", **fields: Any) -> Delivered:
    body = {"groupRef": "g1", "type": action, "record": fields or {"a": 1}}
    accepted = await yard.services.deliveries.accept(PROJECT, "crm", "people", msgspec.convert(body, WriteRequest))
    return await yard.services.deliveries.write(accepted)


async def kept(yard: Yard) -> Operation:
    (operation,) = await yard.store.earliest(PROJECT, OperationFilter(), limit=2)
    return operation


async def test_a_mistake_of_ours_leaves_a_question_and_not_an_operation_under_way() -> None:
    yard = await open_yard(MemoryServer(), connectors=(Mistaken(),))
    delivered = await write(yard)
    assert (delivered.operation.state, delivered.operation.reason) == ("unknown", "ambiguous")
    assert (await kept(yard)).state == "unknown"


async def test_a_mistake_in_reading_what_a_conflict_means_hides_no_outcome() -> None:
    provider = MemoryServer()
    provider.records["people"] = {"7": {"a": 1}}
    yard = await open_yard(provider, connectors=(Misread(),))
    provider.answer_next(httpx.Response(409))
    assert (await write(yard, "update", id="7", a=1)).operation.state == "failure"
    assert (await kept(yard)).state == "failure"


class Forgetful(MemoryStore):
    """Does what it is asked, and then says that it could not, or does nothing and says so."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = True
        self.settles = True

    async def begin(
        self, operation: Operation, *, idempotency: IdempotencyKey | None = None, turns: Sequence[str] = ()
    ) -> Earlier | None:
        found = await super().begin(operation, idempotency=idempotency, turns=turns)
        if not self.answers:
            raise Unavailable("the connection broke")
        return found

    async def settle(self, settlement: Settlement) -> None:
        if not self.settles:
            raise Unavailable("the disk is full")
        await super().settle(settlement)


@pytest.mark.parametrize("action", ["create", "update"])
async def test_what_may_have_been_stored_and_was_not_sent_is_ended(action: str) -> None:
    provider, store = MemoryServer(), Forgetful()
    yard = await open_yard(provider, store=store)
    store.answers = False
    with pytest.raises(Unavailable):
        await write(yard, action, id="7", a=1) if action == "update" else await write(yard)
    assert (await kept(yard)).state == "sent"
    await yard.services.deliveries.settle_late()
    operation = await kept(yard)
    assert (operation.state, operation.reason, provider.requests) == ("failure", "abandoned", [])


@pytest.mark.parametrize("works", [True, False])
async def test_what_could_not_be_written_down_is_written_by_servers_without_a_worker_too(works: bool) -> None:  # noqa: FBT001 -- a case
    store = Forgetful()
    yard = await open_yard(MemoryServer(), store=store)
    async with living(yard.services, kind="server", works=works), asyncio.timeout(60):
        store.settles = False
        with pytest.raises(Unavailable):
            await write(yard)
        store.settles = True
        while True:
            if (await kept(yard)).state == "success":
                return
            await asyncio.sleep(0.01)


class Speechless:
    """Cannot tell of some operations."""

    def __init__(self, *names: str) -> None:
        self.names = names

    async def told(self, operation: Operation, settlement: Settlement) -> Settlement:
        if operation.id in self.names:
            raise ValueError("nobody foresaw this")
        return settlement


async def test_a_move_that_cannot_be_made_as_it_is_leaves_a_question_and_keeps_no_other_back() -> None:
    yard = await open_yard(MemoryServer())
    for number in range(3):
        await yard.submit("create", {"a": number})
    await yard.store.take_lane("c-g1", owner="w1", now=yard.clock(), dead_after_seconds=9)
    claimed = await yard.store.claim("c-g1", owner="w1", now=yard.clock(), calls=3, batch=1)
    moves = [(one, settlement(one, Move(to_state="success"), now=yard.clock())) for one in claimed]
    settling = Settling(yard.store, Speechless(claimed[1].id), ring=lambda: None)
    assert await settling.see_through(moves) == [True] * 3
    after = [await yard.operation(one.id) for one in claimed]
    assert [one.state for one in after] == ["success", "unknown", "success"]
    assert (after[1].doubtful, after[1].owner) == (True, "")


async def test_an_orphan_of_which_nobody_can_tell_keeps_no_other_back() -> None:
    yard = await open_yard(MemoryServer())
    ids = [(await yard.submit("create", {"a": number})).operation.id for number in range(3)]
    await yard.store.take_lane("c-g1", owner="dead", now=yard.clock(), dead_after_seconds=9)
    await yard.store.claim("c-g1", owner="dead", now=yard.clock(), calls=3, batch=1)
    services = yard.services
    looking = Looking(yard.store, services.directory, perform=services.perform, clock=yard.clock)
    recovery = Recovery(yard.store, looking, Speechless(ids[1]), clock=yard.clock)
    assert await recovery.recover(living=["w1"]) == 2
    assert [(await yard.operation(one)).state for one in ids] == ["queued", "claimed", "queued"]


async def test_what_is_in_doubt_at_its_deadline_is_looked_up_where_somebody_can_be_asked() -> None:
    provider = MemoryServer()
    marked = Memory({"marked": Recognition(kind="marker", field="mark", exact=True)})
    yard = await open_yard(provider, connectors=(marked,))
    submitted = await yard.submit("create", {"a": 1}, name="marked", onAmbiguous="retry")
    provider.answer_next(httpx.ReadError("the answer was lost"))
    await yard.attend()
    assert (await yard.operation(submitted.operation.id)).state == "queued"
    yard.clock.move(hours=2)
    await yard.services.rounds.expire()
    operation = await yard.operation(submitted.operation.id)
    assert (operation.state, operation.reason) == ("unknown", "deadline")
    assert operation.look_at is not None


async def test_an_operation_that_cannot_be_told_of_lets_others_end_at_their_deadline() -> None:
    yard = await open_yard(MemoryServer())
    ids = [(await yard.submit("create", {"a": number})).operation.id for number in range(3)]
    services = yard.services
    rounds = Rounds(
        yard.store,
        services.engine,
        Looking(yard.store, services.directory, perform=services.perform, clock=yard.clock),
        Speechless(ids[1]),
        clock=yard.clock,
        jitter=lambda: 0.5,
        dead_after_seconds=9,
        retention=timedelta(days=1),
        payload_retention=timedelta(days=1),
    )
    yard.clock.move(hours=2)
    await rounds.expire()
    assert [(await yard.operation(one)).state for one in ids] == ["failure", "queued", "failure"]


class Choosy(MemoryStore):
    """Takes only questions."""

    async def settle(self, settlement: Settlement) -> None:
        if settlement.to_state != "unknown":
            raise ValueError("nobody foresaw this")
        await super().settle(settlement)


async def test_a_synchronous_outcome_that_cannot_be_stored_as_it_is_becomes_a_question() -> None:
    yard = await open_yard(MemoryServer(), store=Choosy())
    with pytest.raises(ValueError, match="nobody foresaw"):
        await write(yard)
    assert (await kept(yard)).state == "sent"
    await yard.services.deliveries.settle_late()
    assert ((await kept(yard)).state, (await kept(yard)).reason) == ("unknown", "ambiguous")
