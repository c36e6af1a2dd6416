"""Looking up what may have been made: every record that may have been sent is asked for, whatever was said before."""

from datetime import timedelta

import httpx
import pytest

from connectors.memory.server import MemoryServer
from installations.operation import State
from server.store.memory import MemoryStore
from tests.server.delivering.test_recovery import Died, a_yard, crashed
from tests.server.delivering.yard import PROJECT, Yard

LOOKS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(seconds=1))


class Scripted(MemoryServer):
    """Answers creates as it is told, one after another, then as it should."""

    def __init__(self, *script: str) -> None:
        super().__init__()
        self.script = list(script)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method != "POST" or request.url.path.endswith((":find", ":fetch")) or not self.script:
            return await super().handle_async_request(request)
        what = self.script.pop(0)
        if what.endswith(", done"):
            await super().handle_async_request(request)
        if what.startswith("dies"):
            raise Died
        if what.startswith("drops"):
            raise httpx.ReadError("connection reset")
        return httpx.Response(int(what[:3]), headers={"Retry-After": "1"} if what == "429" else {}, request=request)


async def waited(yard: Yard) -> None:
    for step in LOOKS:
        yard.clock.now += step
        await yard.attend()


@pytest.mark.parametrize(("what", "state"), [("202", "unknown"), ("202, done", "success")])
async def test_what_a_provider_has_only_accepted_is_found_or_stays_open_and_is_never_sent_again(
    what: str, state: str
) -> None:
    provider = Scripted(what)
    yard = await a_yard(provider)
    submitted = await yard.submit("create", {"a": 1}, name="marked")
    await yard.attend()
    await waited(yard)
    operation = await yard.operation(submitted.operation.id)
    assert (operation.state, operation.look_at) == (state, None)
    assert len(await yard.attempts(operation.id)) == 1


@pytest.mark.parametrize("death", ["dies, undone", "dies, done"])
async def test_what_was_throttled_before_its_process_died_is_looked_up_all_the_same(death: str) -> None:
    provider, store = Scripted("429", death), MemoryStore()
    yard = await a_yard(provider, store=store, owner="first")
    submitted = await yard.submit("create", {"a": 1}, name="marked")
    await yard.attend()
    yard.clock.move(seconds=5)
    with pytest.raises(Died):
        await yard.attend()
    following = await crashed(store, provider, yard.clock)
    assert (await following.operation(submitted.operation.id)).state == "unknown"
    await waited(following)
    operation = await following.operation(submitted.operation.id)
    assert (operation.state, operation.successful_record_ids) == ("success", ("1",))
    assert len(provider.records["marked"]) == 1


@pytest.mark.parametrize(
    ("first", "state", "written"), [("drops, done", "success", 1), ("drops, undone", "failure", 0)]
)
async def test_a_refusal_after_a_doubt_is_looked_up_before_anybody_calls_it_a_failure(
    first: str, state: State, written: int
) -> None:
    provider = Scripted(first, "403", "403")
    yard = await a_yard(provider)
    submitted = await yard.submit("create", {"a": 1}, name="marked", onAmbiguous="retry")
    await yard.attend()
    yard.clock.move(seconds=5)
    await yard.attend()
    refused = await yard.operation(submitted.operation.id)
    assert (refused.state, refused.reason, refused.fault_kind) == ("unknown", "ambiguous", "ambiguous")
    await waited(yard)
    operation = await yard.operation(submitted.operation.id)
    assert operation.state == state
    assert len(provider.records.get("marked", {})) == written


UNFIT = b'{"scheme":"apiKey","apiKey":"k"}'


@pytest.mark.parametrize("death", ["dies, undone", "dies, done"])
async def test_what_was_in_doubt_without_a_usable_credential_is_looked_up_once_there_is_one(death: str) -> None:
    provider, store = Scripted(death), MemoryStore()
    yard = await a_yard(provider, store=store, owner="first")
    submitted = await yard.submit("create", {"a": 1}, name="marked", retryPolicy={"deadlineHours": 48})
    with pytest.raises(Died):
        await yard.attend()
    connection = await store.credentials(PROJECT, "c-g1")
    await store.update_connection(PROJECT, "c-g1", now=yard.clock(), status="bad_credentials", credentials=UNFIT)
    following = await crashed(store, provider, yard.clock)
    await waited(following)
    assert (await following.operation(submitted.operation.id)).state == "unknown"
    await store.update_connection(PROJECT, "c-g1", now=yard.clock(), status="working", credentials=connection.content)
    await waited(following)
    await waited(following)
    operation = await following.operation(submitted.operation.id)
    assert (operation.state, operation.successful_record_ids) == ("success", ("1",))
    assert len(provider.records["marked"]) == 1
