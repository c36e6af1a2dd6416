"""Which writes get a connection of their own: those of which a doubt would stay for ever."""

import httpx
import msgspec
import pytest

from connectors.connector import Recognition
from connectors.memory.connector import Memory
from connectors.memory.server import MemoryServer
from connectors.wire import FRESH
from installations.record import WriteRequest
from tests.server.delivering.yard import PROJECT, Yard, open_yard

RECOGNITIONS = {"keyed": Recognition(kind="key"), "marked": Recognition(kind="marker", field="mark", exact=True)}
CASES = [
    ("create", "people", True),
    ("create", "keyed", False),
    ("create", "marked", False),
    ("update", "people", False),
]


async def written(yard: Yard, mode: str, action: str, name: str) -> None:
    record = {"id": "7", "a": 1} if action == "update" else {"a": 1}
    body = {"groupRef": "g1", "type": action, "mode": mode, "record": record}
    request = msgspec.convert(body, WriteRequest)
    deliveries = yard.services.deliveries
    accepted = await deliveries.accept(PROJECT, "crm", name, request)
    if mode == "synchronous":
        await deliveries.write(accepted)
    else:
        await deliveries.submit(accepted, request)
        await yard.attend()


@pytest.mark.parametrize("mode", ["synchronous", "asynchronous"])
@pytest.mark.parametrize(("action", "name", "fresh"), CASES, ids=[f"{a} {n}" for a, n, _ in CASES])
async def test_a_create_that_nobody_recognises_never_meets_a_connection_that_is_being_closed(
    mode: str, action: str, name: str, *, fresh: bool
) -> None:
    provider = MemoryServer()
    yard = await open_yard(provider, connectors=(Memory(RECOGNITIONS),))
    await written(yard, mode, action, name)
    (request,) = provider.requests
    assert isinstance(request, httpx.Request)
    assert bool(request.extensions.get(FRESH)) is fresh
