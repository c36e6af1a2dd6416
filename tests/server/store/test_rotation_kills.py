"""A rotation is killed again and again while others read and write: nothing is lost, and no call fails."""

import asyncio
import itertools
from collections.abc import Iterator

from server.store.contract import Store
from tests.server.store.rotating import DONE, Rotating
from tests.server.store.samples import (
    MASTER_KEY,
    NOW,
    OTHER_MASTER_KEY,
    connect_session,
    connection,
    operation,
    populated,
    settlement,
)
from tests.server.store.test_rotation import census, opened

KILLS = 20
CONNECTIONS = 20


def rotating(url: str, number: int) -> Rotating:
    """Start a rotation; every other one goes back to the other master key."""
    keys = (MASTER_KEY, OTHER_MASTER_KEY) if number % 2 else (OTHER_MASTER_KEY, MASTER_KEY)
    return Rotating(url, *keys)


async def kill_after(process: Rotating, steps: int) -> bool:
    """Kill a rotation after so many steps; tell whether it was still at work."""
    told = ""
    for _ in range(steps):
        told = await process.step()
        if told in {"", DONE}:
            break
    return await process.kill() and told != DONE


class Load:
    """Writes and reads through a store of its own until told to stop, and remembers what must be there."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.stopped = False
        self.calls = 0
        self.credentials: dict[str, bytes] = {}
        self.operations: dict[str, bytes] = {}

    def _numbers(self) -> Iterator[int]:
        for number in itertools.count():
            if self.stopped:
                return
            self.calls += 1
            yield number

    async def renew(self) -> None:
        """Renew credentials, each read before and after."""
        for number in self._numbers():
            name, content = f"x{number % CONNECTIONS}", f"token {number}".encode()
            before = await self._store.credentials("p1", name)
            assert before.content == self.credentials.get(name, before.content)
            await self._store.renew_credentials(
                "p1", name, if_version=before.version, credentials=content, keep_alive_at=None, now=NOW
            )
            self.credentials[name] = content
            assert (await self._store.credentials("p1", name)).content == content

    async def deliver(self) -> None:
        """Begin and settle operations. Such a process never meets what others sealed, and hears of no new key."""
        for number in self._numbers():
            name, outcome = f"o-{number}", f"outcome {number}".encode()
            await self._store.begin(operation(name, payload=name.encode()))
            await self._store.settle(settlement(name, outcome=outcome))
            found = await self._store.operation("p1", name)
            assert (found.payload, found.outcome) == (name.encode(), outcome)
            self.operations[name] = outcome

    async def connect(self) -> None:
        """Store customers on the way, and look for them."""
        for number in self._numbers():
            name = f"s-{number}"
            made = connect_session(1, id=name, key_digest=name.encode())
            await self._store.create_connect_session(made)
            assert await self._store.connect_session(name.encode(), now=NOW) == made


async def remembered(load: Load, store: Store) -> None:
    """Everything that a load has seen stored is there."""
    for name, content in load.credentials.items():
        assert (await store.credentials("p1", name)).content == content
    for name, outcome in load.operations.items():
        assert (await store.operation("p1", name)).outcome == outcome


async def killed_again_and_again(url: str, loads: list[Load]) -> None:
    """Kill rotations at different steps until `KILLS` were at work, and let the last one finish."""
    kills, ahead = 0, rotating(url, 0)
    for number in itertools.count(1):
        process, ahead = ahead, rotating(url, number)
        kills += await kill_after(process, steps=1 + number * 7 % 23)
        if kills == KILLS:
            break
    await kill_after(ahead, steps=1)
    assert await rotating(url, 0).finished() == 0
    for load in loads:
        load.stopped = True


async def test_twenty_kills_under_load_leave_nothing_that_does_not_open(migrated_postgres_url: str) -> None:
    url, both = migrated_postgres_url, (MASTER_KEY, OTHER_MASTER_KEY)
    async with opened(url, *both) as first, opened(url, *both) as second, opened(url, *both) as third:
        await populated(first)
        for number in range(CONNECTIONS):
            await first.create_connection(connection(1, id=f"x{number}"))
        renewing, delivering, connecting = loads = [Load(first), Load(second), Load(third)]
        async with asyncio.timeout(280):
            await asyncio.gather(
                killed_again_and_again(url, loads), renewing.renew(), delivering.deliver(), connecting.connect()
            )
    assert all(load.calls > KILLS for load in loads)

    found = await census(url, OTHER_MASTER_KEY)
    assert (found.unopened, len(found.data_keys)) == ((), 2)
    assert [(key.name, key.wraps) for key in found.master_keys] == [("k2", 2)]
    async with opened(url, OTHER_MASTER_KEY) as store:
        for load in loads:
            await remembered(load, store)
