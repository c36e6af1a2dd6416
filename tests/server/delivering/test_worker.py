"""What becomes of asynchronous writes at the provider: one visit at a time, memory store, memory provider."""

from connectors.memory.server import MemoryServer
from tests.server.delivering.yard import open_yard


async def test_what_is_accepted_is_carried_out_later() -> None:
    provider = MemoryServer()
    yard = await open_yard(provider)
    submitted = await yard.submit("create", {"a": 1})
    assert (submitted.outcome, submitted.operation.state, provider.requests) == (None, "queued", [])
    await yard.attend()
    operation = await yard.operation(submitted.operation.id)
    assert (operation.state, operation.attempts, operation.successful_record_ids) == ("success", 1, ("1",))
    assert provider.records["people"] == {"1": {"a": 1}}
    (attempt,) = await yard.attempts(operation.id)
    assert (attempt.number, attempt.effect) == (1, "done")
