"""What is stored when, and what the provider sees, for a write on its way: memory store, memory provider."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx
import msgspec
import pytest

from connectors.memory.connector import BATCH_LIMIT
from connectors.memory.server import MemoryServer
from installations.errors import InvalidInput, NotFound
from installations.operation import Operation
from installations.record import WriteRequest
from server.delivering.idempotency import KeyInFlight, KeyReused, idempotency_key
from server.delivering.payloads import Stored, stored_outcome
from server.store.contract import Earlier, IdempotencyKey, Settlement, Unavailable
from server.store.memory import MemoryStore
from tests.server.house import House
from tests.server.memory_house import open_memory_house


class Watched(MemoryStore):
    """Notes what it does in the order in which the provider is asked, and fails on demand."""

    def __init__(self, notes: list[str]) -> None:
        super().__init__()
        self.notes = notes
        self.fails_at = ""

    async def begin(
        self, operation: Operation, *, idempotency: IdempotencyKey | None = None, turns: Sequence[str] = ()
    ) -> Earlier | None:
        self._note(f"begin {operation.state}")
        return await super().begin(operation, idempotency=idempotency, turns=turns)

    async def settle(self, settlement: Settlement) -> None:
        self._note(f"settle {settlement.to_state}")
        await super().settle(settlement)

    def _note(self, said: str) -> None:
        if self.fails_at and said.startswith(self.fails_at):
            raise Unavailable("the disk is full")
        self.notes.append(said)


class Provider(MemoryServer):
    """Notes what it is asked."""

    def __init__(self, notes: list[str]) -> None:
        super().__init__()
        self.notes = notes

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.notes.append(f"{request.method} {request.url.path.removeprefix('/v1/')}")
        return await super().handle_async_request(request)


class Scene(msgspec.Struct, kw_only=True):
    notes: list[str]
    store: Watched
    provider: Provider
    house: House

    async def write(self, action: str, record: Any = None, *, key: str = "", **members: Any) -> Any:
        """Accept and write, below HTTP."""
        body: dict[str, Any] = {"groupRef": "g1", "type": action, **members}
        if record is not None:
            body["record"] = record
        deliveries = self.house.services.deliveries
        accepted = await deliveries.accept(self.house.project_id, "crm", "people", msgspec.convert(body, WriteRequest))
        content = msgspec.json.encode(body)
        made = idempotency_key(key, route="/people", body=content, now=self.house.services.clock()) if key else None
        return await deliveries.write(accepted, idempotency=made)

    async def choose(self, **settings: Any) -> None:
        value = {"objectName": "people", **settings}
        body = {"groupRef": "g1", "action": "write", "changes": [{"op": "replace", "path": "", "value": value}]}
        answer = await self.house.call("PATCH", "/integrations/crm/objects/people/config-content", json=body)
        assert answer.status_code == 200, answer.text

    async def kept(self) -> list[Operation]:
        return list(self.store.operations_by_id.values())


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    notes: list[str] = []
    store, provider = Watched(notes), Provider(notes)
    async with open_memory_house(provider, store=store) as house:
        notes.clear()
        yield Scene(notes=notes, store=store, provider=provider, house=house)


async def test_a_write_is_stored_before_it_is_sent_and_before_it_is_answered(scene: Scene) -> None:
    delivered = await scene.write("create", {"a": 1})
    assert scene.notes == ["begin sent", "POST people", "settle success"]
    (operation,) = await scene.kept()
    assert (operation.state, operation.successful_record_ids) == ("success", ("1",))
    assert stored_outcome(operation) == delivered.outcome
    (attempt,) = await scene.store.attempts(scene.house.project_id, operation.id)
    assert (attempt.number, attempt.effect) == (1, "done")


async def test_a_rule_that_looks_does_so_before_anything_is_stored_and_what_it_saw_is_kept(scene: Scene) -> None:
    await scene.choose(selectedFieldSettings={"a": {"writeOnUpdate": "ifEmpty"}})
    scene.provider.records["people"] = {"1": {"id": "1", "a": "there"}}
    await scene.write("update", {"id": "1", "a": "new", "b": 2})
    assert scene.notes == ["POST people/:fetch", "begin sent", "PATCH people/1", "settle success"]
    (operation,) = await scene.kept()
    stored = msgspec.json.decode(operation.payload, type=Stored)
    assert [each and each.fields for each in stored.current] == [{"a": "there"}]
    assert operation.record_key == "people/1"
    assert scene.provider.records["people"]["1"] == {"id": "1", "a": "there", "b": 2}


ENDS = [
    # what the provider answers, the state, the effect of the attempt
    (httpx.Response(422), "failure", "rejected"),
    (httpx.Response(429), "failure", "rejected"),
    (httpx.Response(503), "unknown", "ambiguous"),
    (httpx.ReadError("gone"), "unknown", "ambiguous"),
    (httpx.Response(201, content=b"{"), "success", "done"),
]


@pytest.mark.parametrize(("answer", "state", "effect"), ENDS, ids=lambda part: str(part)[:24])
async def test_however_it_ends_it_is_tried_once_and_kept(scene: Scene, answer: Any, state: str, effect: str) -> None:
    scene.provider.answer_next(answer)
    delivered = await scene.write("create", {"a": 1})
    assert scene.notes == ["begin sent", "POST people", f"settle {state}"]
    (operation,) = await scene.kept()
    (attempt,) = await scene.store.attempts(scene.house.project_id, operation.id)
    assert (delivered.operation.state, operation.state, attempt.effect) == (state, state, effect)


async def test_nothing_is_sent_that_could_not_be_stored(scene: Scene) -> None:
    scene.store.fails_at = "begin"
    with pytest.raises(Unavailable):
        await scene.write("create", {"a": 1}, key="k")
    assert (scene.notes, await scene.kept()) == ([], [])
    scene.store.fails_at = ""
    assert (await scene.write("create", {"a": 1}, key="k")).operation.state == "success"


async def test_an_outcome_that_could_not_be_stored_is_not_answered_and_stays_a_question(scene: Scene) -> None:
    scene.store.fails_at = "settle"
    with pytest.raises(Unavailable):
        await scene.write("create", {"a": 1})
    (operation,) = await scene.kept()
    assert (operation.state, scene.notes) == ("sent", ["begin sent", "POST people"])


REFUSED = [
    (
        {"action": "create", "record": {"a": 1}, "autoBatchPolicy": {"maxDelayMinutes": 1}},
        InvalidInput,
        "autoBatchPolicy",
    ),
    ({"action": "delete", "record": {"id": "1"}}, InvalidInput, "type"),
    ({"action": "update", "record": {"a": 1}}, InvalidInput, "record.id"),
    ({"action": "create", "record": {}, "groupRef": "nobody"}, NotFound, "groupRef"),
]


@pytest.mark.parametrize(("asked", "error", "path"), REFUSED, ids=[path for *_, path in REFUSED])
async def test_what_is_refused_is_neither_stored_nor_sent(
    scene: Scene, asked: dict[str, Any], error: type[InvalidInput], path: str
) -> None:
    members = dict(asked)
    with pytest.raises(error) as caught:
        await scene.write(members.pop("action"), members.pop("record"), **members)
    assert [issue.path for issue in caught.value.issues] == [path]
    assert (scene.notes, await scene.kept()) == ([], [])


async def test_a_delete_is_synchronous_whatever_the_mode_says(scene: Scene) -> None:
    await scene.choose(deletionSettings={"enabled": True})
    scene.provider.records["people"] = {"1": {"id": "1"}}
    delivered = await scene.write("delete", {"id": "1"}, mode="asynchronous")
    assert (delivered.operation.state, delivered.operation.mode) == ("success", "synchronous")
    assert scene.provider.records["people"] == {}


async def test_a_key_is_replayed_refused_or_in_flight(scene: Scene) -> None:
    first = await scene.write("create", {"a": 1}, key="k")
    again = await scene.write("create", {"a": 1}, key="k")
    assert (again.replayed, again.operation.id, again.outcome) == (True, first.operation.id, first.outcome)
    with pytest.raises(KeyReused):
        await scene.write("create", {"a": 2}, key="k")
    scene.store.fails_at = "settle"
    with pytest.raises(Unavailable):
        await scene.write("create", {"a": 3}, key="other")
    with pytest.raises(KeyInFlight):
        await scene.write("create", {"a": 3}, key="other")
    assert scene.notes.count("POST people") == 2


async def test_a_replay_does_not_need_the_provider(scene: Scene) -> None:
    await scene.choose(selectedFieldSettings={"a": {"writeOnUpdate": "ifEmpty"}})
    scene.provider.records["people"] = {"1": {"id": "1"}}
    first = await scene.write("update", {"id": "1", "a": 1}, key="k")
    scene.provider.answer_next(httpx.ConnectError("away"))
    again = await scene.write("update", {"id": "1", "a": 1}, key="k")
    assert (again.replayed, again.outcome) == (True, first.outcome)


async def test_a_batch_of_a_hundred_is_one_operation(scene: Scene) -> None:
    batch = [{"record": {"n": number}} for number in range(100)]
    delivered = await scene.write("create", batch=batch)
    assert delivered.operation.summary == "Batch write completed (100 succeeded, 0 failed)"
    assert scene.notes.count("POST people/:createBatch") == 100 // BATCH_LIMIT
    assert delivered.operation.record_key == ""


async def test_an_outcome_that_could_not_be_stored_is_stored_as_soon_as_it_can_be(scene: Scene) -> None:
    scene.store.fails_at = "settle"
    with pytest.raises(Unavailable):
        await scene.write("create", {"a": 1})
    with pytest.raises(Unavailable):
        await scene.house.services.deliveries.settle_late()
    scene.store.fails_at = ""
    await scene.house.services.deliveries.settle_late()
    (operation,) = await scene.kept()
    assert (operation.state, scene.notes.count("POST people")) == ("success", 1)


async def test_an_update_in_conflict_that_is_as_wanted_has_succeeded(scene: Scene) -> None:
    scene.provider.records["people"] = {"1": {"id": "1", "a": 1}}
    scene.provider.answer_next(httpx.Response(409))
    delivered = await scene.write("update", {"id": "1", "a": 1})
    assert (delivered.operation.state, scene.notes[-2:]) == ("success", ["POST people/:fetch", "settle success"])


async def test_a_repeated_asynchronous_request_is_answered_at_once_and_done_once(scene: Scene) -> None:
    deliveries, now = scene.house.services.deliveries, scene.house.services.clock()
    body = {"groupRef": "g1", "type": "create", "mode": "asynchronous", "record": {"a": 1}}
    request = msgspec.convert(body, WriteRequest)
    key = idempotency_key("k", route="/people", body=msgspec.json.encode(body), now=now)
    accepted = await deliveries.accept(scene.house.project_id, "crm", "people", request)
    first = await deliveries.submit(accepted, request, idempotency=key)
    again = await deliveries.submit(accepted, request, idempotency=key)
    found = await deliveries.repeat(scene.house.project_id, key)
    assert found is not None
    assert (again.operation.id, again.replayed, again.outcome) == (first.operation.id, True, None)
    assert (found.operation.id, found.replayed, len(await scene.kept())) == (first.operation.id, True, 1)
