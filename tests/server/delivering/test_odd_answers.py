"""Providers that say what no database keeps: whatever they did is written down all the same."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from connectors.memory.connector import Memory
from connectors.memory.server import MemoryServer
from server.delivering.payloads import stored_outcome
from server.settings import Settings
from server.store.memory import MemoryStore
from server.store.opening import open_store
from tests.server.delivering.yard import Yard, open_yard
from tests.server.store.samples import MASTER_KEY

ODD = "odd \0 \ufffe words"


@pytest.fixture
def provider() -> MemoryServer:
    return MemoryServer()


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def yard(request: pytest.FixtureRequest, provider: MemoryServer) -> AsyncIterator[Yard]:
    if request.param == "memory":
        yield await open_yard(provider, store=MemoryStore(), connectors=(Memory(),))
        return
    url = request.getfixturevalue({"sqlite": "sqlite_url", "postgres": "migrated_postgres_url"}[request.param])
    store = open_store(Settings(database_url=url, master_keys=(MASTER_KEY,)))
    await store.start()
    try:
        yield await open_yard(provider, store=store, connectors=(Memory(),))
    finally:
        await store.close()


ANSWERS: list[tuple[Any, list[httpx.Response], str]] = [
    # what is written, what the provider answers, where it ends
    ({"a": 1}, [httpx.Response(201, json={"id": ODD, "a": ODD})], "success"),
    ({"a": 1}, [httpx.Response(400, json={"message": ODD, "code": ODD})], "failure"),
    (
        [{"record": {"a": 1}}, {"record": {"a": 2}}],
        [
            httpx.Response(
                200,
                json={
                    "results": [
                        {"status": 201, "body": {"id": ODD}},
                        {"status": 400, "body": {"message": ODD, "code": ODD}},
                    ]
                },
            )
        ],
        "success",
    ),
]


@pytest.mark.parametrize(("written", "answers", "ends"), ANSWERS, ids=["an id", "a refusal", "a batch"])
async def test_what_a_provider_says_never_leaves_an_operation_on_its_way(
    yard: Yard, provider: MemoryServer, written: Any, answers: list[httpx.Response], ends: str
) -> None:
    given = {"batch": written} if isinstance(written, list) else {"record": written}
    submitted = await yard.submit("create", **given)
    provider.answer_next(*answers)
    await yard.attend()
    operation = await yard.operation(submitted.operation.id)
    assert operation.state == ends
    assert stored_outcome(operation) is not None
    assert len(await yard.attempts(operation.id)) == 1
